import { expect } from 'vitest';
import type { Trainer } from './trainer';

/** Inputs of a step that trains the weights alone. */
export const plainStepInputs = {
  seed: 7,
  learningRate: 1e-2,
  gateLearningRate: 0,
  multiplierLearningRate: 0,
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  clipNorm: 1,
  temperature: 2 / 3,
  activeSets: 0,
  targetSparsity: [0, 0, 0, 0] as const,
};

const STEPS_BEFORE = 2;
const STEPS_AFTER = 3;

/**
 * Trains one trainer without a break, and a second one up to a point where its state is read and written into a third:
 * the metrics and the whole state at the end must have the same bits. `other` makes one with other start values.
 */
export async function expectSameAfterRestore(
  make: () => Promise<Trainer>,
  other: () => Promise<Trainer>,
  step: (trainer: Trainer, step: number) => ReturnType<Trainer['step']>,
): Promise<void> {
  const run = async (trainer: Trainer, from: number, to: number) => {
    const metrics = [];
    for (let s = from; s < to; s++) metrics.push(await step(trainer, s));
    return metrics;
  };
  const stateOf = async (trainer: Trainer) => {
    const values = new Map<string, Uint32Array>();
    for (const { name } of trainer.state()) {
      values.set(name, new Uint32Array((await trainer.read(name)).buffer));
    }
    return values;
  };
  const total = STEPS_BEFORE + STEPS_AFTER;
  const straight = await make();
  const expected = await run(straight, 0, total);
  const expectedState = await stateOf(straight);
  straight.destroy();

  const stopped = await make();
  await run(stopped, 0, STEPS_BEFORE);
  const state = await stateOf(stopped);
  stopped.destroy();
  expect(state).not.toEqual(expectedState);

  const resumed = await other();
  for (const [name, bits] of state) resumed.write(name, new Float32Array(bits.buffer));
  expect(await stateOf(resumed)).toEqual(state);
  expect(await run(resumed, STEPS_BEFORE, total)).toEqual(expected.slice(STEPS_BEFORE));
  expect(await stateOf(resumed)).toEqual(expectedState);
  resumed.destroy();
}
