import { describe, expect, test } from 'vitest';
import { readBack } from '../gpu/buffers';
import { ALL_FINITE, argmax } from './argmax';
import { randomValues, runOnce, testGpu, upload, uploadWords } from './testing';

async function stateAfter(logits: ArrayLike<number>): Promise<number[]> {
  const state = await uploadWords([99, 5, 99, 99]);
  const options = { logits: await upload(logits), state, vocabulary: logits.length, label: 'test' };
  await runOnce((r) => argmax(r, options));
  return [...new Uint32Array(await readBack(await testGpu(), state))];
}

/** As greedy decoding on the CPU: the first of the highest. */
function argmaxReference(logits: ArrayLike<number>): number {
  let best = 0;
  for (let v = 1; v < logits.length; v++) if (logits[v]! > logits[best]!) best = v;
  return best;
}

describe('argmax', () => {
  test.each([1, 2, 61, 255, 257, 2048, 5003])('of %i logits; the position stays', async (vocabulary) => {
    for (const seed of [1, 2, 3]) {
      const logits = randomValues(vocabulary, seed, 20);
      expect(await stateAfter(logits)).toEqual([argmaxReference(logits), 5, ALL_FINITE, 0]);
    }
  });

  test('of equal logits the first is taken, wherever they lie', async () => {
    for (const places of [
      [0, 1],
      [3, 259, 515],
      [17, 33],
      [255, 256],
      [700, 701, 702],
    ]) {
      const logits = randomValues(703, 4);
      for (const place of places) logits[place] = 2;
      expect((await stateAfter(logits))[0]).toBe(places[0]);
    }
    expect((await stateAfter(new Float64Array(300).fill(-1e30)))[0]).toBe(0);
  });

  test('says which logit is the first that is not finite', async () => {
    for (const [place, value] of [
      [0, Infinity],
      [300, -Infinity],
      [41, NaN],
    ] as const) {
      const logits = randomValues(400, 5);
      logits[place] = value;
      logits[399] = NaN;
      const state = await stateAfter(logits);
      expect(state[2]).toBe(place);
      expect(new Float32Array(Uint32Array.of(state[3]!).buffer)[0]).toBe(value);
    }
    const none = await stateAfter(new Float64Array(9).fill(NaN));
    expect(none[0]).toBeLessThan(9);
    expect(none[2]).toBe(0);
  });
});
