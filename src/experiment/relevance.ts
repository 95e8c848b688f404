import { turnsStream } from '../pruning/basis/fields';
import { methodOf, trainingBeforeCut } from '../pruning/methods';
import { criterion } from '../pruning/scores';
import { compensates } from '../pruning/scores/compensation';
import { adapterSteps, trains } from '../retraining';
import type { Experiment } from './schema';

type Rule = (settings: Experiment) => boolean;

const learnsMasks: Rule = ({ method }) => methodOf(method).kind === 'learnt';
const decidesByScores: Rule = (settings) => !learnsMasks(settings);
const scoresUnits: Rule = (settings) => decidesByScores(settings) || settings.prune.warmStart;
const turns: Rule = turnsStream;
const scoresText: Rule = ({ scores }) =>
  [scores.layers, scores.widths].some((id) => criterion(id).reads !== undefined);
const races: Rule = (settings) => decidesByScores(settings) && settings.race.candidates > 1;

/** Whether a run with these settings looks at calibration text. */
export const readsCalibration: Rule = (settings) =>
  turns(settings) || (scoresUnits(settings) && (scoresText(settings) || races(settings)));

const trainsBefore: Rule = (settings) => trainingBeforeCut(settings.method, settings).steps > 0;
const trainsAfter: Rule = ({ retraining }) => trains(retraining);
const trainsAtAll: Rule = (settings) => trainsBefore(settings) || trainsAfter(settings);
const adapts: Rule = (settings) => settings.mixture.mode === 'dynamic' && trainsAtAll(settings);

/**
 * When a field has an effect, by its key or by the group that it is in. Every rule on the way to a field must hold:
 * `scores` and `scores.compensate`. A field without a rule always matters.
 */
const RULES: Readonly<Record<string, Rule>> = {
  basis: ({ gates }) => gates.hidden,
  scores: scoresUnits,
  'scores.layers': ({ gates }) => gates.layer,
  'scores.protectEnds': ({ gates }) => gates.layer,
  // Along axes hidden dimensions go in the order of the axes.
  'scores.widths': (settings) =>
    (settings.gates.hidden && !turns(settings)) || settings.gates.head || settings.gates.intermediate,
  'scores.steps': decidesByScores,
  race: decidesByScores,
  'race.steps': races,
  'race.rounds': races,
  'scores.compensate': ({ method, scores }) =>
    compensates({ method, scores: { ...scores, compensate: true } }),
  calibration: (settings) => scoresUnits(settings) || turns(settings),
  'calibration.sequences': readsCalibration,
  'calibration.length': readsCalibration,
  'calibration.mixture': readsCalibration,
  prune: learnsMasks,
  // A mask that closes over some steps trains with the rates and batches of retraining.
  retrain: (settings) => trainsAfter(settings) || (decidesByScores(settings) && trainsBefore(settings)),
  'retrain.steps': trainsAfter,
  lora: ({ retraining, lora }) => adapterSteps(retraining, 1, { ...lora, share: 1 }) > 0,
  'lora.share': ({ retraining, lora }) => adapterSteps(retraining, 1, { ...lora, share: 0 }) === 0,
  distillation: trainsAtAll,
  'distillation.temperature': ({ distillation }) => distillation.weight > 0,
  'distillation.pruning': (settings) => settings.distillation.weight > 0 && trainsBefore(settings),
  'mixture.retraining': (settings) => settings.mixture.mode !== 'manual' && trainsAfter(settings),
  'mixture.weights': ({ mixture }) => mixture.mode !== 'constant',
  'mixture.referenceLosses': adapts,
  'mixture.clamp': adapts,
  'mixture.smoothing': adapts,
  clipNorm: trainsAtAll,
  'evaluation.interval': trainsAtAll,
  'checkpoint.interval': trainsAtAll,
};

/** Whether the field with this key has an effect on a run with these settings. */
export function isRelevant(key: string, settings: Experiment): boolean {
  const parts = key.split('.');
  return parts.every((_, i) => RULES[parts.slice(0, i + 1).join('.')]?.(settings) ?? true);
}

/** The keys and groups that have a rule: for the test that each of them is in the table of fields. */
export const RULED_KEYS: readonly string[] = Object.keys(RULES);
