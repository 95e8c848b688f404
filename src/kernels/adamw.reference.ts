import type { ParameterGroups } from './adamw';
import type { StepInputs } from './step-inputs';

export interface AdamwState {
  parameters: Float64Array;
  firstMoment: Float64Array;
  secondMoment: Float64Array;
}

/**
 * One step of AdamW in float64, in place. Source: Loshchilov & Hutter, "Decoupled Weight Decay Regularization"
 * (2019), algorithm 2 with the decay lr·wd that PyTorch's AdamW uses. `squares`, where given, stand for g² of the
 * gates before clipping.
 */
export function adamwReference(
  { parameters, firstMoment, secondMoment }: AdamwState,
  gradient: ArrayLike<number>,
  clipScale: number,
  groups: ParameterGroups,
  inputs: StepInputs,
  squares?: ArrayLike<number>,
): void {
  const { beta1, beta2, epsilon, step } = inputs;
  for (let i = 0; i < groups.elements; i++) {
    const g = gradient[i]! * clipScale;
    const m = beta1 * firstMoment[i]! + (1 - beta1) * g;
    const isGate = i >= groups.weightEnd && i < groups.gateEnd;
    const square = squares && isGate ? squares[i - groups.weightEnd]! * clipScale ** 2 : g * g;
    const v = beta2 * secondMoment[i]! + (1 - beta2) * square;
    firstMoment[i] = m;
    secondMoment[i] = v;
    const rate =
      i < groups.weightEnd
        ? inputs.learningRate
        : i < groups.gateEnd
          ? inputs.gateLearningRate
          : inputs.multiplierLearningRate;
    if (i < groups.decayEnd) parameters[i]! *= 1 - rate * inputs.weightDecay;
    const corrected = m / (1 - beta1 ** (step + 1));
    parameters[i]! -= (rate * corrected) / (Math.sqrt(v / (1 - beta2 ** (step + 1))) + epsilon);
  }
}
