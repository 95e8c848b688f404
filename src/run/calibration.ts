import type { Corpus } from '../data/corpus';
import { startMixture } from '../data/mixture';
import { hashWords } from '../data/random';
import { nextBatch, startSampler } from '../data/sampler';
import type { Experiment } from '../experiment/schema';
import type { LlamaConfig } from '../llama/config';
import { methodOf } from '../pruning/methods';

/** Whether a run of this experiment looks at its calibration set. */
export function calibrates({ method, basis }: Experiment): boolean {
  return methodOf(method).kind !== 'learnt' || basis !== 'own';
}

/** Key of the random stream that calibration sequences are drawn from. */
const CALIBRATION_STREAM = 4;

/** @throws one sentence when the model cannot read sequences of this length. */
export function checkCalibration({ calibration }: Experiment, { maxPositionEmbeddings }: LlamaConfig): void {
  if (calibration.length <= maxPositionEmbeddings) return;
  throw new Error(
    `Calibration length (calibration.length) is ${calibration.length}, more than the ${maxPositionEmbeddings} positions of the source model.`,
  );
}

/** Calibration sequences of an experiment: windows of training text, each of one domain. */
export function calibrationSequences({ calibration, mixture }: Experiment, corpus: Corpus): Uint32Array[] {
  const { sequences, length, seed } = calibration;
  const own = corpus.domains.map(({ weight }) => weight);
  const weights = {
    corpus: own,
    start: startMixture(mixture.mode, mixture.weights, own),
    uniform: own.map(() => 1),
  }[calibration.mixture];
  const sampler = startSampler(hashWords(seed, CALIBRATION_STREAM), length, own.length);
  const { tokens } = nextBatch(sampler, corpus, weights, sequences).batch;
  return Array.from({ length: sequences }, (_, i) => tokens.slice(i * length, (i + 1) * length));
}
