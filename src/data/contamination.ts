import { z } from 'zod';
import { wholeNumber } from '../formats/refusal';

const share = z.number().min(0).max(1);

/** public/corpus/contamination.json: how much of the held-out text stands in training text, too. */
export const contaminationSchema = z.looseObject({
  version: z.literal(1),
  manifest_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  splits: z
    .array(
      z.looseObject({
        domain: z.string().max(32),
        split: z.literal(['validation', 'test']),
        /** In tokens. */
        run: wholeNumber(1, 1000),
        /** Share of positions that open a run which the domain's own training text holds; `any` domain's. */
        own: share,
        any: share,
      }),
    )
    .max(1000),
  /** In words. */
  word_run: wholeNumber(1, 1000),
  tasks: z
    .array(
      z.looseObject({
        name: z.string().max(60),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        items: wholeNumber(0, 1e6),
        /** Items of at least `word_run` words; the others hold no run to look for. */
        compared: wholeNumber(0, 1e6),
        shared: wholeNumber(0, 1e6),
      }),
    )
    .max(100),
});

export type Contamination = z.infer<typeof contaminationSchema>;
