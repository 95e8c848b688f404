import { normalised, updateMixture } from '../data/mixture';
import { createInference, type Inference } from '../llama/inference';
import { createTrainer, type Trainer, type TrainerOptions } from '../training/trainer';
import { maskShape } from '../pruning/masks';
import { domainLosses } from './losses';
import { evaluationShape } from './memory';
import { currentSettings, type Run } from './run-context';
import type { ScoredFor } from './score-units';

/** A trainer, and an inference over the weights it trains. */
export interface Training {
  trainer: Trainer;
  inference: Inference;
}

/** Makes both, restores what the trainer kept, and gives everything back whatever happens. */
export async function withTraining<T>(
  run: Run,
  options: TrainerOptions,
  saved: ReadonlyMap<string, Float32Array>,
  use: (training: Training) => Promise<T>,
): Promise<T> {
  const trainer = await createTrainer(run.gpu, options);
  try {
    for (const [name, values] of saved) trainer.write(name, values);
    const shape = evaluationShape(run.state.experiment);
    const inference = await createInference(run.gpu, 'model in training', trainer.model, shape);
    try {
      return await use({ trainer, inference });
    } finally {
      inference.destroy();
    }
  } finally {
    trainer.destroy();
  }
}

/** Where and when an event happens. */
export function where({ state, control }: Run) {
  return { step: state.step, tokens: state.tokens, elapsedMs: control.elapsedMs() };
}

/** What a run scores its units on, with its own progress, pauses and end. */
export function scoredFor({ state, corpus, activity, control }: Run): ScoredFor {
  return {
    experiment: state.experiment,
    corpus,
    async between(what, done, total) {
      activity(what, done, total);
      await control.work();
    },
  };
}

/** The mixture that retraining begins with: as pruning left it, or anew. Manual weights stay. */
export function mixtureAfterCut(run: Run): number[] {
  const { mode, retraining } = currentSettings(run).mixture;
  const own = run.corpus.domains.map(({ weight }) => weight);
  if (mode === 'manual' || retraining === 'carried') return run.state.mixture;
  return normalised(retraining === 'corpus' ? own : own.map(() => 1));
}

/** The mixture that follows from held-out losses. */
export function adaptMixture(run: Run, loss: number[]): void {
  const { state } = run;
  const { mode, clamp, smoothing } = currentSettings(run).mixture;
  const reference = state.scalingLaw?.loss ?? state.referenceLoss;
  state.loss = loss;
  state.mixture = updateMixture({ mode, weights: state.mixture, loss, reference, clamp, smoothing });
}

/** Held-out losses of the model before the cut with these gates: they move the mixture, and the log hears of them. */
export async function evaluateMasked(run: Run, masked: Inference, gates: Float32Array): Promise<void> {
  masked.setGates(gates);
  const loss = await domainLosses(run, masked, 'Evaluating the masked model');
  adaptMixture(run, loss);
  const shape = maskShape(masked.config, gates);
  run.emit({ type: 'evaluation', stage: 'prune', ...where(run), loss, mixture: run.state.mixture, shape });
}
