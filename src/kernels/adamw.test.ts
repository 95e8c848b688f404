import { describe, expect, test } from 'vitest';
import { adamw } from './adamw';
import { adamwReference } from './adamw.reference';
import { download, expectClose, randomValues, runOnce, stepInputs, upload, uploadStep } from './testing';

describe('adamw', () => {
  test.each([
    { decayEnd: 1, weightEnd: 2, gateEnd: 3, elements: 4, shared: false },
    { decayEnd: 700, weightEnd: 700, gateEnd: 700, elements: 700, shared: false },
    { decayEnd: 640, weightEnd: 768, gateEnd: 1001, elements: 1009, shared: false },
    { decayEnd: 640, weightEnd: 768, gateEnd: 1001, elements: 1009, shared: true },
    { decayEnd: 100_000, weightEnd: 101_000, gateEnd: 104_000, elements: 104_008, shared: false },
  ])('five steps over $elements elements, shared squares: $shared', async ({ shared, ...groups }) => {
    const n = groups.elements;
    const state = {
      parameters: randomValues(n, 1),
      firstMoment: new Float64Array(n),
      secondMoment: new Float64Array(n),
    };
    const [parameters, firstMoment, secondMoment] = [
      await upload(state.parameters),
      await upload(state.firstMoment),
      await upload(state.secondMoment),
    ];
    for (let at = 0; at < 5; at++) {
      const inputs = stepInputs({ step: at });
      const values = randomValues(n, 10 + at, 0.01);
      // Some parameters never get a gradient, as the gates of a set that is not learnt.
      for (let i = 0; i < n; i += 7) values[i] = 0;
      const clipScale = at % 2 === 0 ? 0.375 : 1;
      const given = shared
        ? randomValues(groups.gateEnd - groups.weightEnd, 20 + at, 0.01).map((v) => v ** 2)
        : undefined;
      const squares = given && (await upload(given));
      const [gradient, gradientState, step] = [
        await upload(values),
        await upload([1, clipScale, 0, 0]),
        await uploadStep(inputs),
      ];
      await runOnce((r) =>
        adamw(r, {
          parameters,
          gradient,
          firstMoment,
          secondMoment,
          gradientState,
          squares,
          groups,
          step,
          label: 'test',
        }),
      );
      adamwReference(state, values, clipScale, groups, inputs, given);
    }
    // 1 − β2 = 0.05 has lost four bits in f32: a relative error of 1e-6 in v, half of it in the update.
    expectClose(await download(firstMoment), state.firstMoment, { atol: 1e-9, rtol: 3e-6 });
    expectClose(await download(secondMoment), state.secondMoment, { atol: 1e-14, rtol: 5e-6 });
    // Five updates of at most about the largest rate, 0.5.
    expectClose(await download(parameters), state.parameters, { atol: 1e-5, rtol: 1e-6 });
  });

  test('a flagged step changes nothing', async () => {
    const values = [...randomValues(300, 2)];
    const groups = { decayEnd: 100, weightEnd: 200, gateEnd: 250, elements: 300 };
    const [parameters, firstMoment, secondMoment, gradient, gradientState, step] = [
      await upload(values),
      await upload(values),
      await upload(values.map(Math.abs)),
      await upload(values.map((v, i) => (i === 17 ? NaN : v))),
      await upload([0, 0, 1, 0]),
      await uploadStep(stepInputs()),
    ];
    await runOnce((r) =>
      adamw(r, {
        parameters,
        gradient,
        firstMoment,
        secondMoment,
        gradientState,
        groups,
        step,
        label: 'test',
      }),
    );
    expect([...(await download(parameters))]).toEqual(values);
    expect([...(await download(firstMoment))]).toEqual(values);
    expect([...(await download(secondMoment))]).toEqual(values.map(Math.abs));
  });
});
