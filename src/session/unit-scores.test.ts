import { describe, expect, it } from 'vitest';
import type { Experiment } from '../experiment/schema';
import { nodeGpu } from '../gpu/node';
import { gateLayout } from '../llama/gates';
import { maskOfScores } from '../pruning/scores/mask';
import { keptUnits } from '../pruning/masks';
import { CONFIG, openLab, smallExperiment } from './testing';

const gpu = await nodeGpu();

const experiment: Experiment = {
  ...smallExperiment(2),
  method: 'one-shot',
  retraining: 'none',
  calibration: { sequences: 6, length: 8, mixture: 'corpus', seed: 1 },
};
const with_ = (change: Partial<Experiment>): Experiment => ({ ...experiment, ...change });

describe('scores of units', () => {
  it.each(['own', 'principal'] as const)('are those by which a run cuts, in the basis %s', async (basis) => {
    const lab = openLab(gpu);
    await lab.open();
    const asked = with_({ basis });
    await lab.send({ type: 'scoreUnits', id: 1, experiment: asked });
    expect(lab.of('failed')).toEqual([]);
    expect(lab.of('jobEnded')).toEqual([{ type: 'jobEnded', id: 1 }]);
    const [{ source, scores }] = lab.of('unitScores') as [ReturnType<typeof lab.of<'unitScores'>>[0]];
    expect(source).toBe('tiny');
    const layout = gateLayout(CONFIG);
    for (const [set, values] of Object.entries(scores.values)) {
      const { rows, length } = layout[set as 'head'];
      expect(values).toHaveLength(rows * length);
    }
    const { target, gates, pins } = experiment;
    const mask = maskOfScores(
      CONFIG,
      { layers: scores, widths: scores },
      { target, sets: gates, pins, protectEnds: false },
    );
    const events = await lab.run(asked);
    expect(events.find((event) => event.type === 'surgery')?.kept).toEqual(keptUnits(CONFIG, mask));
  });

  it('say how far they are, and can be cancelled', async () => {
    const lab = openLab(gpu);
    await lab.open();
    const many = with_({
      scores: { ...experiment.scores, layers: 'sleb' },
      calibration: { ...experiment.calibration, sequences: 2039, length: 64 },
    });
    const scoring = lab.send({ type: 'scoreUnits', id: 3, experiment: many });
    await lab.until((report) => report.type === 'progress');
    await lab.send({ type: 'cancel', id: 3 });
    await scoring;
    expect(lab.of('unitScores')).toEqual([]);
    expect(lab.of('failed')).toEqual([]);
    expect(lab.of('jobEnded')).toEqual([{ type: 'jobEnded', id: 3 }]);
    const shares = lab.of('progress').map(({ share }) => share);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  it('need a model, and text that it can read', async () => {
    const lab = openLab(gpu);
    await lab.send({ type: 'scoreUnits', id: 1, experiment });
    expect(lab.of('failed').at(-1)?.message).toMatch(/No source model is open/);
    await lab.open();
    const long = with_({ calibration: { ...experiment.calibration, length: 8192 } });
    await lab.send({ type: 'scoreUnits', id: 2, experiment: long });
    expect(lab.of('failed').at(-1)?.message).toMatch(/Calibration length .* 8192, more than the/);
    const wide = with_({ contextLength: 8192, calibration: { ...experiment.calibration, length: 0 } });
    await lab.send({ type: 'scoreUnits', id: 4, experiment: wide });
    expect(lab.of('failed').at(-1)?.message).toMatch(/Context \(contextLength\) is 8192, more than the/);
    const wrong = with_({ calibration: { ...experiment.calibration, sequences: -1 } });
    await lab.send({ type: 'scoreUnits', id: 3, experiment: wrong });
    expect(lab.of('failed').at(-1)?.message).toMatch(/Calibration sequences/);
    expect(lab.of('unitScores')).toEqual([]);
  });
});
