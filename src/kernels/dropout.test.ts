import { describe, expect, test } from 'vitest';
import { dropout, MAX_DROPOUT_SITES } from './dropout';
import { dropoutFactor, dropoutReference } from './dropout.reference';
import { download, expectClose, randomValues, runOnce, stepInputs, upload, uploadStep } from './testing';

const ELEMENTS = 3001;

describe('dropout', () => {
  test.each([
    [17, 0, 0.1],
    [2 ** 53 - 1, MAX_DROPOUT_SITES - 1, 0.9],
    [17, 5, 0],
  ])('seed %d, site %d, rate %d: writes, and adds to what is there', async (seed, site, rate) => {
    const x = randomValues(ELEMENTS, 1);
    const before = randomValues(ELEMENTS, 2);
    const step = await uploadStep(stepInputs({ seed, step: 41 }));
    const [from, written, added] = [await upload(x), await upload(before), await upload(before)];
    await runOnce((r) => {
      const options = { x: from, elements: ELEMENTS, rate, site, step, label: 'dropout' };
      dropout(r, { ...options, y: written });
      dropout(r, { ...options, y: added, accumulate: true });
    });
    const expected = dropoutReference(x, { seed, step: 41, site, rate });
    // The scale and the product are rounded to f32, values up to 10.
    const exact = await download(written);
    expectClose(exact, expected, { atol: 0, rtol: 2e-7 });
    // A dropped element adds exactly nothing: the masks of both passes are one.
    expectClose(
      await download(added),
      expected.map((v, i) => v + before[i]!),
      { atol: 1e-6, rtol: 0 },
    );
    const dropped = exact.filter((v, i) => v === 0 && x[i] !== 0).length;
    // Five standard deviations of a binomial.
    expect(Math.abs(dropped - rate * ELEMENTS)).toBeLessThanOrEqual(
      5 * Math.sqrt(ELEMENTS * rate * (1 - rate)),
    );
  });

  test('masks of other sites, steps and seeds are others', () => {
    const mask = (change: object) => {
      const place = { seed: 17, step: 3, site: 2, rate: 0.5, ...change };
      return Array.from({ length: 64 }, (_, i) => dropoutFactor(place, i)).join();
    };
    const masks = [{}, { site: 3 }, { step: 4 }, { seed: 18 }, { seed: 17 + 2 ** 32 }].map(mask);
    expect(new Set(masks).size).toBe(masks.length);
    expect(mask({})).toBe(masks[0]);
  });

  test('a site that has no noise of its own is refused', async () => {
    const step = await uploadStep(stepInputs());
    const slice = await upload([1]);
    const options = { x: slice, y: slice, elements: 1, rate: 0.5, step, label: 'dropout' };
    await expect(runOnce((r) => dropout(r, { ...options, site: MAX_DROPOUT_SITES }))).rejects.toThrow(
      /no noise for site 2047/,
    );
  });
});
