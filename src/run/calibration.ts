import type { Corpus } from '../data/corpus';
import { startMixture } from '../data/mixture';
import { hashWords } from '../data/random';
import { nextBatch, startSampler } from '../data/sampler';
import type { Experiment } from '../experiment/schema';
import type { LlamaConfig } from '../llama/config';

/** Tokens in a calibration sequence. */
export function calibrationLength({ calibration, contextLength }: Experiment): number {
  return calibration.length || contextLength;
}

/** Key of the random stream that calibration sequences are drawn from. */
const CALIBRATION_STREAM = 4;

/** @throws one sentence when the model cannot read, or learn from, sequences of this length */
export function checkCalibration({ calibration }: Experiment, { maxPositionEmbeddings }: LlamaConfig): void {
  const is = `Calibration length (calibration.length) is ${calibration.length}`;
  if (calibration.length === 1) {
    throw new Error(
      `${is}, which leaves nothing to predict: choose 2 or more, or 0 for the length of a training window.`,
    );
  }
  if (calibration.length > maxPositionEmbeddings) {
    throw new Error(`${is}, more than the ${maxPositionEmbeddings} positions of the source model.`);
  }
}

/** Calibration sequences of an experiment: windows of training text, each of one domain. */
export function calibrationSequences(experiment: Experiment, corpus: Corpus): Uint32Array[] {
  const { calibration, mixture } = experiment;
  const { sequences, seed } = calibration;
  const length = calibrationLength(experiment);
  const short = corpus.domains.find(({ train }) => train.length < length);
  if (short) {
    throw new Error(
      `Calibration length (calibration.length) is ${length}, but the domain ${short.name} has ${short.train.length} training tokens: choose no more than that.`,
    );
  }
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
