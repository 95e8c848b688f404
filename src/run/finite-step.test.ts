import { describe, expect, it } from 'vitest';
import { MOST_DOMAINS } from '../fields/domains';
import type { StepMetrics } from '../kernels/step-metrics';
import { createStepCheck } from './finite-step';

const sets = (value: number) => [value, value, value, value];

function metrics(changes: Partial<StepMetrics> = {}): StepMetrics {
  return {
    step: 0,
    meanLoss: 3,
    gradientNorm: 1,
    nonFinite: false,
    learningRate: 1e-3,
    clipScale: 1,
    constraint: {
      lagrangian: 0,
      expectedSparsity: sets(0.1),
      targetSparsity: sets(0.2),
      lambda1: sets(0),
      lambda2: sets(1),
    },
    divergence: null,
    domains: Array.from({ length: MOST_DOMAINS }, () => ({ meanLoss: 3, windows: 1 })),
    ...changes,
  };
}

describe('the check of a step', () => {
  it('names stage, step, domain and what to do when a loss is not finite', () => {
    const check = createStepCheck('prune', ['books', 'code']);
    check(1, metrics());
    const domains = metrics().domains.with(1, { meanLoss: NaN, windows: 2 });
    expect(() => check(2, metrics({ domains, meanLoss: NaN }))).toThrow(
      'Stage prune, step 2: the training loss on code is NaN, not a finite number. Lower the learning rate (prune.learningRate).',
    );
    expect(() => check(2, metrics({ meanLoss: Infinity }))).toThrow('step 2: the training loss is Infinity');
  });

  it('names the multiplier and the gate set', () => {
    const constraint = { ...metrics().constraint!, lambda2: sets(1).with(1, Infinity) };
    expect(() => createStepCheck('prune', [])(9, metrics({ constraint }))).toThrow(
      'Stage prune, step 9: the multiplier λ2 of the gate set head is Infinity',
    );
  });

  it('lets a gradient pass that overflows now and then, and says since when it does not end', () => {
    const check = createStepCheck('retrain', ['code']);
    const broken = metrics({ nonFinite: true, gradientNorm: 0, constraint: null });
    for (const step of [1, 2, 3, 4]) check(step, broken);
    check(5, metrics({ constraint: null }));
    for (const step of [6, 7, 8, 9]) check(step, broken);
    expect(() => check(10, broken)).toThrow(
      'Training broke down at step 10 of stage retrain: its gradients are not finite since step 6. Lower the learning rate (retrain.learningRate).',
    );
  });
});
