import { describe, expect, test } from 'vitest';
import { readBack } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import { IGNORED_TARGET } from './cross-entropy';
import { targetRank } from './target-rank';
import { targetRankReference } from './target-rank.reference';
import { PROFILES, randomValues, runOnce, testGpu, upload, uploadWords } from './testing';

async function ranksOf(
  logits: ArrayLike<number>,
  targets: number[],
  vocabulary: number,
  profile: KernelProfile,
) {
  const rows = targets.length;
  // What an earlier batch left behind must not matter.
  const ranks = await uploadWords(new Uint32Array(rows).fill(99));
  const options = { logits: await upload(logits), targets: await uploadWords(targets), ranks };
  await runOnce((r) => targetRank(r, { ...options, rows, vocabulary, label: 'test' }), profile);
  return [...new Uint32Array(await readBack(await testGpu(), ranks))].slice(0, rows);
}

describe.each(PROFILES)('target_rank, %s kernels', (profile) => {
  test.each([
    { rows: 1, vocabulary: 1 },
    { rows: 6, vocabulary: 7 },
    { rows: 9, vocabulary: 301 },
    { rows: 66, vocabulary: 2048 },
  ])('$rows rows of $vocabulary', async ({ rows, vocabulary }) => {
    const logits = randomValues(rows * vocabulary, rows, 20);
    const targets = Array.from({ length: rows }, (_, r) =>
      r % 5 === 4 ? IGNORED_TARGET : (r * 37) % vocabulary,
    );
    expect(await ranksOf(logits, targets, vocabulary, profile)).toEqual(
      targetRankReference(logits, targets, vocabulary),
    );
  });

  test('of equal logits the first stands first, as in a greedy choice', async () => {
    const logits = [2, 5, 5, 1, 2, 5, 5, 1, 2, 5, 5, 1, 3, 3, 3, 3];
    expect(await ranksOf(logits, [1, 2, 0, 3], 4, profile)).toEqual([0, 1, 2, 3]);
  });
});
