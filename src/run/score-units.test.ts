import { describe, expect, it, test } from 'vitest';
import { plainExperiment } from '../experiment/testing';
import { testGpu } from '../kernels/testing';
import { uploadModel } from '../llama/inference';
import { CRITERIA, type CriterionId } from '../pruning/scores';
import { calibrationSequences } from './calibration';
import { scoreBy, scoreUnits } from './score-units';
import { toyCorpus, toySource } from './testing';

const experiment = plainExperiment({
  scores: { layers: 'block-influence', widths: 'taylor' },
  calibration: { sequences: 34, length: 8 },
});

async function withSubject<T>(
  use: (gpu: Awaited<ReturnType<typeof testGpu>>, subject: Subject) => Promise<T>,
) {
  const gpu = await testGpu();
  const view = uploadModel(gpu, 'scored', toySource());
  try {
    return await use(gpu, { ...toySource(), view });
  } finally {
    view.destroy();
  }
}
type Subject = Parameters<typeof scoreUnits>[1];

/** What `between` heard while these were scored: [done, total] each time. */
const heard = (ids: CriterionId[]) =>
  withSubject(async (gpu, subject) => {
    const calls: number[][] = [];
    const sequences = calibrationSequences(experiment, toyCorpus());
    const between = (_: string, done: number, total: number) => void calls.push([done, total]);
    await scoreBy(gpu, subject, { sequences, seed: 1, between }, ids);
    return calls;
  });

describe('how far scoring is', () => {
  test.each(CRITERIA.map(({ id }) => id))('%s says beforehand what it reads', async (id) => {
    const calls = await heard([id]);
    expect(calls).toEqual(calls.map((_, i) => [i + 1, calls.length]));
  });

  it('counts what two scores share once', async () => {
    const [alone, shared, apart] = [
      await heard(['minitron']),
      await heard(['block-influence', 'minitron']),
      await heard(['taylor', 'minitron']),
    ];
    expect(alone.length).toBeGreaterThan(0);
    expect(shared).toEqual(alone);
    expect(apart).toHaveLength(2 * alone.length);
    expect(apart.at(-1)).toEqual([apart.length, apart.length]);
  });
});

describe('scores of an experiment', () => {
  it('are those of its two criteria, on its calibration sequences', async () => {
    await withSubject(async (gpu, subject) => {
      const between = () => undefined;
      const scores = await scoreUnits(gpu, subject, { experiment, corpus: toyCorpus(), between });
      const sequences = calibrationSequences(experiment, toyCorpus());
      const on = { sequences, seed: 1, between };
      const by = await scoreBy(gpu, subject, on, ['taylor', 'block-influence']);
      expect(scores.layers).toEqual(by['block-influence']);
      expect(scores.widths).toEqual(by.taylor);
    });
  });

  it('that are no numbers are refused by name', async () => {
    await withSubject(async (gpu, subject) => {
      const parameters = subject.parameters.map(() => NaN);
      const on = { sequences: [], seed: 1, between: () => undefined };
      await expect(scoreBy(gpu, { ...subject, parameters }, on, ['magnitude'])).rejects.toThrow(
        /Magnitude: the score 1 of the set hidden is NaN/,
      );
    });
  });
});
