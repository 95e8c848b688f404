import { turnsStream } from '../pruning/basis/fields';
import type { Experiment } from '../experiment/schema';
import { prunedConfig, type LlamaConfig } from '../llama/config';
import { foldedConfig } from '../pruning/basis/turn';
import { compensates } from '../pruning/scores/compensation';

/** The configuration of what is pruned: in another basis embedding and head are no longer one matrix. */
export function subjectConfig(source: LlamaConfig, experiment: Experiment): LlamaConfig {
  return turnsStream(experiment) ? foldedConfig(source) : source;
}

/** The configuration of what the cut leaves of `source`: the target's shape, with biases where they compensate. */
export function cutConfig(source: LlamaConfig, experiment: Experiment): LlamaConfig {
  const biases = compensates(experiment) ? { attentionBias: true, mlpBias: true } : {};
  return prunedConfig({ ...subjectConfig(source, experiment), ...biases }, experiment.target);
}
