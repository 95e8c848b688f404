import { finite } from '../fields/finite';
import { GATE_SETS } from '../llama/gates';
import type { StepMetrics } from '../kernels/step-metrics';
import type { Stage } from './events';

/** Steps in a row whose gradient may be NaN or infinite (their update is skipped) before a run gives up. */
const BROKEN_STEPS_ALLOWED = 5;

/**
 * Watches the steps of a stage as they come back, in order: the check of each throws one sentence that names the
 * stage, the step and the value when training has broken down. `domains` are the corpus' names in its order.
 *
 * A gradient that overflows once is skipped and may pass; a loss or a multiplier that is not finite stays so.
 */
export function createStepCheck(stage: Stage, domains: readonly string[]) {
  const advice = `Lower the learning rate (${stage}.learningRate).`;
  let brokenSince: number | null = null;
  return (step: number, metrics: StepMetrics): void => {
    const at = (what: string) => `Stage ${stage}, step ${step}: the ${what}`;
    domains.forEach((name, d) =>
      finite(metrics.domains[d]!.meanLoss, at(`training loss on ${name}`), advice),
    );
    finite(metrics.meanLoss, at('training loss'), advice);
    if (metrics.divergence !== null) finite(metrics.divergence, at('divergence from the source'), advice);
    if (metrics.constraint) {
      const { lagrangian, ...bySet } = metrics.constraint;
      for (const [what, values] of Object.entries(bySet)) {
        GATE_SETS.forEach((set, k) =>
          finite(
            values[k]!,
            at(`${NAMES[what as keyof typeof bySet]} of the gate set ${set}`),
            CONSTRAINT_ADVICE,
          ),
        );
      }
      finite(lagrangian, at('Lagrangian'), CONSTRAINT_ADVICE);
    }
    if (!metrics.nonFinite) {
      brokenSince = null;
      return;
    }
    brokenSince ??= step;
    if (step - brokenSince + 1 >= BROKEN_STEPS_ALLOWED) {
      throw new Error(
        `Training broke down at step ${step} of stage ${stage}: its gradients are not finite since step ${brokenSince}. ${advice}`,
      );
    }
  };
}

const CONSTRAINT_ADVICE =
  'Lower the rates of gates and multipliers (prune.gateLearningRate, prune.multiplierLearningRate).';
const NAMES = {
  expectedSparsity: 'expected sparsity',
  targetSparsity: 'target sparsity',
  lambda1: 'multiplier λ1',
  lambda2: 'multiplier λ2',
} as const;
