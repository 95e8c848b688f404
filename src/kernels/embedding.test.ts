import { describe, expect, test } from 'vitest';
import { embeddingBackward, embeddingForward, groupByToken } from './embedding';
import { embeddingBackwardReference, embeddingReference } from './embedding.reference';
import {
  download,
  expectClose,
  numericalGradient,
  randomValues,
  runOnce,
  upload,
  uploadWords,
  zeros,
} from './testing';

/** Skewed towards low tokens, as text is; many tokens of the vocabulary stay absent. */
function randomTokens(rows: number, vocabulary: number): Uint32Array {
  return Uint32Array.from(randomValues(rows, 11, 1), (v) => Math.floor(v * v * v * v * vocabulary));
}

describe('embedding', () => {
  test.each([
    { rows: 1, vocabulary: 1, hidden: 1 },
    { rows: 13, vocabulary: 40, hidden: 33 },
    { rows: 1024, vocabulary: 2048, hidden: 192 },
  ])('$rows rows of a [$vocabulary, $hidden] table', async ({ rows, vocabulary, hidden }) => {
    const table = randomValues(vocabulary * hidden, 1);
    const tokens = randomTokens(rows, vocabulary);
    const output = await zeros(rows * hidden);
    const [tableSlice, tokensSlice] = [await upload(table), await uploadWords(tokens)];
    await runOnce((r) =>
      embeddingForward(r, { table: tableSlice, tokens: tokensSlice, output, rows, hidden, label: 'test' }),
    );
    // A copy: exact.
    expectClose(await download(output), embeddingReference(table, tokens, hidden), { atol: 0, rtol: 0 });

    const dOutput = randomValues(rows * hidden, 2);
    const groups = groupByToken(tokens, vocabulary);
    const [dOutputSlice, positions, starts] = [
      await upload(dOutput),
      await uploadWords(groups.positions),
      await uploadWords(groups.starts),
    ];
    const { dTable: expected, magnitudes } = embeddingBackwardReference(tokens, dOutput, vocabulary, hidden);
    const before = randomValues(vocabulary * hidden, 3);
    for (const accumulate of [false, true]) {
      const dTable = await upload(before);
      await runOnce((r) =>
        embeddingBackward(r, {
          dOutput: dOutputSlice,
          positions,
          starts,
          dTable,
          accumulate,
          vocabulary,
          hidden,
          label: 'test',
        }),
      );
      const initial = accumulate ? before : before.map(() => 0);
      // One rounding of 2⁻²⁴ for each addition; the most frequent token has under a thousand.
      expectClose(
        await download(dTable),
        expected.map((v, i) => v + initial[i]!),
        { atol: 1e-7, rtol: 1e-5, magnitude: magnitudes.map((v, i) => v + Math.abs(initial[i]!)) },
      );
    }
  });

  test('groupByToken keeps row order inside a token and refuses foreign tokens', () => {
    const { positions, starts } = groupByToken([2, 0, 2, 3, 0, 2], 5);
    expect([...positions]).toEqual([1, 4, 0, 2, 5, 3]);
    expect([...starts]).toEqual([0, 2, 2, 5, 6, 6]);
    expect(() => groupByToken([5], 5)).toThrow(RangeError);
  });

  test('reference gradient agrees with central differences', () => {
    const tokens = [1, 3, 1];
    const dOutput = randomValues(6, 4);
    const loss = (table: Float64Array) =>
      embeddingReference(table, tokens, 2).reduce((sum, v, i) => sum + v * dOutput[i]!, 0);
    const { dTable } = embeddingBackwardReference(tokens, dOutput, 4, 2);
    expectClose(dTable, numericalGradient(loss, randomValues(8, 5)), { atol: 1e-9, rtol: 1e-9 });
  });
});
