import { z } from 'zod';
import { checked, numberWithin, quoted, refuse, wholeNumber } from '../formats/refusal';

/** A file's or a run's name as it stands on the disk: nothing that a file system could read otherwise. */
const FILE_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/;

const fileName = z.string().regex(FILE_NAME);
const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);
/** JSON of a floor above, which parses it with its own schema. */
const json = z.unknown();

/** What is noted of a run beside its files. Parsed whenever it is read back. */
const recordSchema = z.strictObject({
  id: fileName,
  name: z.string().max(200),
  note: z.string().max(10_000),
  /** As the page draws it, or null for the page's own choice. */
  colour: z.string().max(40).nullable(),
  /** Milliseconds since 1970. */
  createdAt: count,
  updatedAt: count,
  /** The lab's version that made it. */
  version: z.string().max(40),
  status: z.enum(['running', 'paused', 'stopped', 'finished', 'failed']),
  experiment: json,
  interventions: json,
  /** Only on the same adapter does a run go on bit for bit. */
  adapter: z.string().max(500),
  seed: count,
  source: z.strictObject({
    name: z.string().max(200),
    /** SHA-256 of the weights, or null where it could not be computed. */
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
    parameters: count,
  }),
  step: count,
  totalSteps: count,
  /** Nats a token, or null before the first evaluation. */
  meanLoss: numberWithin(-1e6, 1e6).nullable(),
});

/** What is stored of a run. */
export type RunRecord = z.infer<typeof recordSchema>;

/** A run in the list: its record, and what was seen when it was listed. */
export interface KeptRun extends RunRecord {
  /** Of all its files. */
  bytes: number;
  /** Somebody works on it, here or elsewhere: a run that is `running` but not in use was interrupted. */
  inUse: boolean;
}

/** A run whose record cannot be read: it can only be removed. */
export interface DamagedRun {
  id: string;
  /** One sentence. */
  problem: string;
  bytes: number;
}

/** What `create` is told. */
export type NewRun = Omit<RunRecord, 'id' | 'createdAt' | 'updatedAt'>;

/** What `update` may change. */
export type RunChange = Partial<Omit<RunRecord, 'id' | 'createdAt' | 'updatedAt'>>;

/** @throws InputError that names the field. */
export function parseRecord(value: unknown): RunRecord {
  return checked(recordSchema, value, 'run record');
}

/** A new run's record. Identifiers are unique, and in the order of time. */
export function newRecord(run: NewRun): RunRecord {
  const now = Date.now();
  return parseRecord({ ...run, id: newRunId(now), createdAt: now, updatedAt: now });
}

/** A record with a change made now. */
export function changedRecord(record: RunRecord, change: RunChange): RunRecord {
  const { id, createdAt } = record;
  return parseRecord({ ...record, ...change, id, createdAt, updatedAt: Date.now() });
}

/** Such as `20261128-035821-4f09c2d1`: the time in UTC, then random digits. */
function newRunId(now: number): string {
  const [date, time] = new Date(now).toISOString().split('T') as [string, string];
  const random = Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${random.join('')}`;
}

/** Whether a name can stand on every file system as it is. */
export function isFileName(name: string): boolean {
  return FILE_NAME.test(name);
}

/** @throws InputError unless `isFileName`. */
export function checkFileName(name: string): string {
  if (!isFileName(name)) {
    refuse('file name', `must be of at most 100 characters a-z, 0-9, ".", "_", "-", not ${quoted(name)}`);
  }
  return name;
}

/** Newest first; of one time, the later identifier first. */
export function newestFirst(a: RunRecord, b: RunRecord): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}
