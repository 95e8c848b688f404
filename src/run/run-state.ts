import { z } from 'zod';
import { interventionsSchema } from '../experiment/interventions';
import { keptExperimentSchema } from '../experiment/schema';
import { checked, wholeNumber } from '../formats/refusal';
import { layerCriteria, widthCriteria } from '../pruning/scores';
import { adapterSchema, scalingLawSchema, surgerySchema } from './events';

const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const numbers = z.array(z.number());

/** What a race decided for (src/pruning/race/pool.ts). */
const choice = z.strictObject({
  layers: z.enum(layerCriteria.map(({ id }) => id)),
  widths: z.enum(widthCriteria.map(({ id }) => id)),
  swaps: z.array(z.string().regex(/^l\d{1,6}[!-]$/)).max(4),
});

/**
 * All that moves while a run goes, apart from its tensors: plain JSON. What stands here can be stopped, changed,
 * sent, and taken up again; with the tensors of `trainer.state()` it goes on with the same bits.
 */
const runStateSchema = z.strictObject({
  version: z.literal(1),
  experiment: keptExperimentSchema,
  interventions: interventionsSchema,
  /** Interventions that are in force. */
  applied: count,
  source: z.strictObject({ name: z.string(), weightsSha256: z.string().nullable(), parameters: count }),
  adapter: adapterSchema,
  /** `adapt`: after the cut, with the weights frozen and adapters in training. */
  stage: z.enum(['prune', 'retrain', 'adapt']),
  /** Optimiser steps and tokens done through the whole run, and the steps before this stage. */
  step: count,
  stageStart: count,
  tokens: count,
  elapsedMs: z.number(),
  sampler: z.strictObject({ seed: count, contextLength: count, drawn: count, drawnByDomain: z.array(count) }),
  /** Sampling weights of the next batch. */
  mixture: numbers,
  /** The source's own loss by domain on the run's windows. */
  referenceLoss: numbers,
  /** What each domain's loss should reach on them; null: what the source does. */
  scalingLaw: scalingLawSchema.nullable(),
  /** Held-out losses of the newest evaluation; null before the first. */
  loss: numbers.nullable(),
  /** The winner of the race; null before, or where there is none. */
  race: choice.nullable().default(null),
  /** What the cut came to; null before it. */
  surgery: surgerySchema.nullable(),
});

export type RunState = z.infer<typeof runStateSchema>;

/** Checks a state that was kept. @throws InputError */
export function parseRunState(json: unknown): RunState {
  return checked(runStateSchema, json, 'checkpoint');
}
