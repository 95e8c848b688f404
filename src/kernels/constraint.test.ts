import { describe, expect, test } from 'vitest';
import { constraint, CONSTRAINT_STATE_ELEMENTS } from './constraint';
import { constraintReference, expectedSparsity, lagrangianTerm } from './constraint.reference';
import { gateRowCount } from './gate-layout';
import { gateLayoutOf } from './gate-layout.reference';
import { gateNoise, hardConcreteValue, LOG_ALPHA_LIMIT } from './hard-concrete-distribution';
import {
  download,
  expectClose,
  numericalGradient,
  randomValues,
  runOnce,
  stepInputs,
  upload,
  uploadStep,
  zeros,
} from './testing';

describe('constraint formulas', () => {
  test('expected sparsity is the Monte-Carlo frequency of z = 0', () => {
    const logAlpha = [-4.6, -2, -0.5, 0, 1, 4.6];
    const draws = 40_000;
    for (const temperature of [2 / 3, 0.83]) {
      let closed = 0;
      for (let step = 0; step < draws; step++) {
        logAlpha.forEach((a, i) => {
          if (hardConcreteValue(a, gateNoise(7, step, i), temperature) === 0) closed++;
        });
      }
      const total = draws * logAlpha.length;
      // Five standard errors, bounded by those of a fair coin.
      expect(Math.abs(closed / total - expectedSparsity(logAlpha, temperature))).toBeLessThan(
        (5 * 0.5) / Math.sqrt(total),
      );
    }
  });

  test('a row with 20 of 32 heads fully on misses a target of 0.375 because of the clamp', () => {
    const row = Array.from({ length: 32 }, (_, i) => (i < 20 ? LOG_ALPHA_LIMIT : -LOG_ALPHA_LIMIT));
    expect(expectedSparsity(row, 2 / 3)).toBeCloseTo(0.3586, 4);
  });

  test('derivatives of a Lagrangian term agree with central differences', () => {
    const at = Float64Array.from([0.1, 0.4, 0.9, -0.7, 0.3]);
    const value = (x: Float64Array) => lagrangianTerm([...x.subarray(0, 3)], 0.375, x[3]!, x[4]!).value;
    const term = lagrangianTerm([0.1, 0.4, 0.9], 0.375, -0.7, 0.3);
    expectClose([...term.bySparsity, term.byLambda1, term.byLambda2], numericalGradient(value, at), {
      atol: 1e-9,
      rtol: 1e-8,
    });
  });

  test('too little sparsity makes ascent lower λ1 and raise λ2', () => {
    const { byLambda1, byLambda2 } = lagrangianTerm([0.1, 0.2], 0.375, 0, 0);
    expect(byLambda1).toBeLessThan(0);
    expect(byLambda2).toBeGreaterThan(0);
  });

  test('the whole gradient agrees with central differences at fixed noise', () => {
    const layout = gateLayoutOf({ hidden: 5, layers: 2, keyValueHeads: 3, intermediate: 4 });
    const temperature = 2 / 3;
    const targets = [0.1, 0.25, 0.375, 0.5];
    // The loss is a linear function of z: its dz is the same everywhere.
    const dz = randomValues(layout.total, 1);
    const sample = (variables: ArrayLike<number>) =>
      Float64Array.from({ length: layout.total }, (_, i) =>
        hardConcreteValue(variables[i]!, gateNoise(3, 0, i), temperature),
      );
    const run = (variables: Float64Array) =>
      constraintReference({
        variables,
        z: sample(variables),
        dz,
        layout,
        temperature,
        activeSets: 0b1111,
        targets,
      });
    const variables = randomValues(layout.total + 8, 2, 2);
    const objective = (x: Float64Array) =>
      sample(x).reduce((sum, z, i) => sum + z * dz[i]!, 0) + run(x).lagrangian.reduce((a, b) => a + b);
    const numerical = numericalGradient(objective, variables).map((g, i) => (i < layout.total ? g : -g));
    expectClose(run(variables).gradient, numerical, { atol: 1e-8, rtol: 1e-7 });
  });
});

describe('constraint', () => {
  test.each([
    { hidden: 1, layers: 1, keyValueHeads: 1, intermediate: 1, activeSets: 0b1111 },
    { hidden: 65, layers: 3, keyValueHeads: 2, intermediate: 37, activeSets: 0b1111 },
    { hidden: 65, layers: 3, keyValueHeads: 2, intermediate: 37, activeSets: 0b0110 },
    { hidden: 192, layers: 6, keyValueHeads: 4, intermediate: 512, activeSets: 0b1101 },
  ])('d $hidden, L $layers, G $keyValueHeads, I $intermediate, sets $activeSets', async (shape) => {
    const layout = gateLayoutOf(shape);
    for (const temperature of [2 / 3, 0.83]) {
      const inputs = stepInputs({ temperature, activeSets: shape.activeSets });
      const variables = randomValues(layout.total + 8, 1, LOG_ALPHA_LIMIT);
      // Pinned by hand: closed for certain, and open for certain.
      if (layout.total > 8) [variables[2], variables[5]] = [-64, 63];
      // Sampled gates: many exactly 0 or 1, where the slope must vanish.
      const z = randomValues(layout.total, 2, 1.2).map((v) => Math.min(1, Math.max(0, v)));
      const dz = randomValues(layout.total, 3);
      const [variablesSlice, gates, gradient, rowSparsity, state, step] = [
        await upload(variables),
        await upload(z),
        await upload([...dz, ...new Array<number>(8).fill(99)]),
        await zeros(gateRowCount(layout)),
        await zeros(CONSTRAINT_STATE_ELEMENTS),
        await uploadStep(inputs),
      ];
      await runOnce((r) =>
        constraint(r, {
          variables: variablesSlice,
          gates,
          gradient,
          rowSparsity,
          state,
          step,
          layout,
          label: 'test',
        }),
      );
      const expected = constraintReference({
        variables,
        z,
        dz,
        layout,
        temperature: Math.fround(temperature),
        activeSets: shape.activeSets,
        targets: inputs.targetSparsity,
      });
      // P carries the error of exp, a few 1e-7 relative; a mean keeps it.
      expectClose(await download(rowSparsity), expected.rowSparsity, { atol: 1e-7, rtol: 3e-6 });
      // Gradients are products of numbers ≤ 10 with differences of numbers ≤ 1.
      expectClose(await download(gradient), expected.gradient, { atol: 2e-6, rtol: 5e-6 });
      expectClose(await download(state), [...expected.sparsity, ...expected.lagrangian], {
        atol: 5e-6,
        rtol: 5e-6,
      });
    }
  });
});
