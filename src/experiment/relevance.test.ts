import { describe, expect, it } from 'vitest';
import { isRelevant, RULED_KEYS } from './relevance';
import { EXPERIMENT_FIELDS } from './schema';
import { plainExperiment } from './testing';

const keysOf = (settings: Parameters<typeof plainExperiment>[0]): string[] => {
  const experiment = plainExperiment(settings);
  return EXPERIMENT_FIELDS.map(({ key }) => key).filter((key) => isRelevant(key, experiment));
};
const group = (keys: string[], name: string) => keys.filter((key) => key.split('.')[0] === name);

describe('what has an effect', () => {
  it('with learnt masks: their fields and retraining, nothing of scores', () => {
    const keys = keysOf({});
    expect(group(keys, 'scores')).toEqual([]);
    expect(group(keys, 'calibration')).toEqual([]);
    expect(group(keys, 'prune')).toContain('prune.gateLearningRate');
    expect(group(keys, 'retrain')).toContain('retrain.steps');
  });

  it('with scores: how and on what they are taken, nothing of learnt masks', () => {
    const keys = keysOf({ method: 'one-shot' });
    expect(group(keys, 'prune')).toEqual([]);
    expect(group(keys, 'calibration')).toHaveLength(4);
    expect(group(keys, 'scores')).toEqual([
      'scores.layers',
      'scores.widths',
      'scores.protectEnds',
      'scores.steps',
    ]);
  });

  it('scores too, where learnt masks start from them', () => {
    const keys = keysOf({ prune: { warmStart: true } });
    expect(group(keys, 'scores')).toEqual(['scores.layers', 'scores.widths', 'scores.protectEnds']);
    expect(group(keys, 'calibration')).toHaveLength(4);
    expect(group(keys, 'race')).toEqual([]);
    expect(group(keysOf({ method: 'one-shot' }), 'race')).toEqual(['race.candidates']);
    expect(group(keysOf({ method: 'one-shot', race: { candidates: 2 } }), 'race')).toHaveLength(3);
  });

  it('calibration text, where a score reads any', () => {
    const with_ = (scores: object) => group(keysOf({ method: 'one-shot', scores }), 'calibration');
    expect(with_({ layers: 'random', widths: 'magnitude' })).toEqual(['calibration.seed']);
    expect(with_({ layers: 'sleb', widths: 'magnitude' })).toHaveLength(4);
  });

  it('compensation, where the score has it and the mask closes at once', () => {
    const with_ = (scores: object) => keysOf({ method: 'one-shot', scores }).includes('scores.compensate');
    expect(with_({ widths: 'flap' })).toBe(true);
    expect(with_({ widths: 'flap', steps: 10 })).toBe(false);
    expect(with_({ widths: 'minitron' })).toBe(false);
    expect(keysOf({ scores: { widths: 'flap' } })).not.toContain('scores.compensate');
  });

  it('scores of sets that are cut alone', () => {
    const keys = keysOf({ method: 'one-shot', gates: { layer: false } });
    expect(group(keys, 'scores')).toEqual(['scores.widths', 'scores.steps']);
    const layers = { hidden: false, head: false, intermediate: false };
    expect(keysOf({ method: 'one-shot', gates: layers })).not.toContain('scores.widths');
  });

  it('rates of training, where anything trains', () => {
    expect(group(keysOf({ retraining: 'none' }), 'retrain')).toEqual([]);
    const gradual = keysOf({ method: 'one-shot', retraining: 'none', scores: { steps: 20 } });
    expect(group(gradual, 'retrain')).toContain('retrain.learningRate');
    expect(gradual).not.toContain('retrain.steps');
    const nothing = keysOf({ method: 'one-shot', retraining: 'none' });
    for (const key of ['clipNorm', 'checkpoint.interval', 'evaluation.interval', 'mixture.clamp']) {
      expect(nothing).not.toContain(key);
      expect(gradual).toContain(key);
    }
  });

  it('adapters and a teacher, where there are any', () => {
    expect(group(keysOf({}), 'lora')).toEqual([]);
    expect(group(keysOf({ retraining: 'lora' }), 'lora')).toContain('lora.rank');
    expect(keysOf({ retraining: 'lora' })).not.toContain('lora.share');
    expect(keysOf({ retraining: 'continued-lora', lora: { share: 0 } })).toContain('lora.share');
    expect(group(keysOf({}), 'distillation')).toEqual(['distillation.weight']);
    expect(group(keysOf({ distillation: { weight: 0.5 } }), 'distillation')).toHaveLength(3);
    const after = { method: 'one-shot', distillation: { weight: 0.5 } };
    expect(keysOf(after)).not.toContain('distillation.pruning');
    expect(group(keysOf({ method: 'one-shot', retraining: 'none' }), 'distillation')).toEqual([]);
  });

  it('calibration text, where the stream is turned by it', () => {
    expect(group(keysOf({ basis: 'principal' }), 'calibration')).toHaveLength(4);
    const gates = { head: false, intermediate: false };
    expect(keysOf({ method: 'one-shot', gates })).toContain('scores.widths');
    expect(keysOf({ method: 'one-shot', gates, basis: 'principal' })).not.toContain('scores.widths');
  });

  it('the basis, where hidden dimensions may go', () => {
    expect(keysOf({})).toContain('basis');
    const keys = keysOf({ basis: 'sensitive', gates: { hidden: false } });
    expect(keys).not.toContain('basis');
    expect(group(keys, 'calibration')).toEqual([]);
  });

  it('what moves the mixture, only while it moves', () => {
    expect(keysOf({})).toContain('mixture.smoothing');
    expect(keysOf({ mixture: { mode: 'manual' } })).not.toContain('mixture.smoothing');
    expect(keysOf({ mixture: { mode: 'manual' } })).toContain('mixture.weights');
    expect(keysOf({ mixture: { mode: 'constant' } })).not.toContain('mixture.weights');
  });

  it('is ruled for fields and groups that there are', () => {
    for (const ruled of RULED_KEYS) {
      expect(EXPERIMENT_FIELDS.some(({ key }) => key === ruled || key.startsWith(`${ruled}.`))).toBe(true);
    }
  });
});
