import { z } from 'zod';
import { checked, numberWithin, wholeNumber } from '../formats/refusal';

const text = (max: number) => z.string().max(max);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' });
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, { error: 'must be a short lower-case name' });
const MAX_ITEMS = 10_000;

const infoSchema = z.looseObject({
  name,
  title: text(100),
  description: text(2000),
  /** Choose among continuations, or give a passage's last word exactly. */
  form: z.literal(['choice', 'last_word']),
  /** The domain of the corpus that the items are from; null when they are from several. */
  domain: text(32).nullable(),
  /** The accuracy that the task is reported by; `acc_norm` is there for choices only. */
  metric: z.literal(['acc', 'acc_norm']),
  /** Accuracy of an answer that has not read the item. */
  chance: numberWithin(0, 1),
  items: wholeNumber(1, MAX_ITEMS),
  file: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, { error: 'must be a plain file name without folders' }),
  sha256,
});

const indexSchema = z
  .looseObject({
    version: z.literal(1),
    corpus_manifest_sha256: sha256,
    tasks: z.array(infoSchema).min(1).max(64),
  })
  .refine(({ tasks }) => new Set(tasks.map((task) => task.name)).size === tasks.length, {
    path: ['tasks'],
    error: 'must not name a task twice',
  });

const itemSchema = z.looseObject({
  id: text(200).min(1),
  /** What stands before the answer; empty when the answer is a whole text. */
  context: text(20_000),
  /** What results are also given by: a phenomenon, a source. */
  group: text(100).optional(),
});
const choiceItemSchema = itemSchema
  .extend({
    /** Each continues the context as it stands, so it carries its own leading space. */
    choices: z.array(text(5000).min(1)).min(2).max(16),
    answer: wholeNumber(0, 15),
  })
  .refine((item) => item.answer < item.choices.length, {
    path: ['answer'],
    error: 'must be the place of one of the choices',
  });
const lastWordItemSchema = itemSchema.extend({ word: text(200).min(1) });

const uniqueIds = (items: readonly { id: string }[]) =>
  new Set(items.map(({ id }) => id)).size === items.length;
const fileOf = <T extends z.ZodType<{ id: string }>>(item: T) =>
  z.looseObject({
    name,
    items: z.array(item).min(1).max(MAX_ITEMS).refine(uniqueIds, { error: 'must not have an id twice' }),
  });
const choiceFileSchema = fileOf(choiceItemSchema);
const lastWordFileSchema = fileOf(lastWordItemSchema);

/** A task's entry in public/tasks/index.json. */
export type TaskInfo = z.infer<typeof infoSchema>;
export type TaskIndex = z.infer<typeof indexSchema>;
export type ChoiceItem = z.infer<typeof choiceItemSchema>;
export type LastWordItem = z.infer<typeof lastWordItemSchema>;

/** A task with its items, as it is scored. */
export type Task =
  | { form: 'choice'; info: TaskInfo; items: ChoiceItem[] }
  | { form: 'last_word'; info: TaskInfo; items: LastWordItem[] };

/** Checks public/tasks/index.json. @throws InputError in one sentence that names the field. */
export function parseTaskIndex(json: unknown): TaskIndex {
  return checked(indexSchema, json, 'tasks/index.json');
}

/** Checks the file of a task. @throws InputError in one sentence that names the field. */
export function parseTask(info: TaskInfo, json: unknown): Task {
  const subject = `tasks/${info.file}`;
  return info.form === 'choice'
    ? { form: 'choice', info, items: checked(choiceFileSchema, json, subject).items }
    : { form: 'last_word', info, items: checked(lastWordFileSchema, json, subject).items };
}
