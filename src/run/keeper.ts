import { z } from 'zod';
import { parseJson, refuse } from '../formats/refusal';
import { readModelFolder, writeModelFolder } from '../formats/hugging-face';
import { packParameters, parameterLayout, unpackParameters, type FlatModel } from '../llama/parameters';
import { readCheckpoint, resumeCheckpoint, writeCheckpoint } from '../storage/checkpoint';
import { logPositionSchema, openLog, readFrame, readLines, type Log, type LogPosition } from '../storage/log';
import type { RunFiles, RunFolder } from '../storage/run-store';
import type { RunEvent } from './events';
import type { SavedRun } from './run';
import type { RunKeeper } from './run-context';
import { eventLine, parseEvent } from './run-log';
import { parseRunState, type RunState } from './run-state';

/** The models that a run's folder may hold, each as the two files of a Hugging Face folder. */
const KEPT_MODELS = ['pruned', 'retrained'] as const;
export type KeptModel = (typeof KEPT_MODELS)[number];

/** Events are written at once when so many wait, else when the run is kept. */
const LINES_AT_ONCE = 64;

/** What a checkpoint's state holds besides the run's own: how far the log went. */
const savedStateSchema = z.looseObject({ log: logPositionSchema });

/** Writes a run into its folder: the log as it happens, checkpoints, and the models that come out. */
export interface FolderKeeper extends RunKeeper {
  add(event: RunEvent): void;
  keepModel(which: KeptModel, model: FlatModel): Promise<void>;
  /** Waits until everything so far is written. @throws StorageError, in one sentence */
  flush(): Promise<void>;
}

/**
 * @param position of the log from which a run goes on; without one the log begins anew
 * @param onKept after each checkpoint
 */
export async function createKeeper(
  folder: RunFolder,
  position: LogPosition = { lines: 0, frames: 0 },
  onKept: (state: RunState) => Promise<void> | void = () => undefined,
): Promise<FolderKeeper> {
  const log = await openLog(folder, position);
  let waiting: RunEvent[] = [];
  let writing = Promise.resolve();
  let failure: unknown = null;

  const write = () => {
    const events = waiting;
    waiting = [];
    writing = writing
      .then(() => appendEvents(log, events))
      .catch((error: unknown) => {
        failure ??= error;
      });
    return writing;
  };
  const flush = async () => {
    await write();
    if (failure) throw failure as Error;
  };
  const keepModel = (which: KeptModel, model: FlatModel) => writeKeptModel(folder, which, model);
  return {
    add(event) {
      waiting.push(event);
      if (waiting.length >= LINES_AT_ONCE) void write();
    },
    flush,
    keepModel,
    keepPruned: (model) => keepModel('pruned', model),
    async checkpoint(state, tensors) {
      await flush();
      await writeCheckpoint(folder, { state: { ...state, log: await log.flush() }, tensors });
      await onKept(state);
    },
  };
}

async function appendEvents(log: Log, events: readonly RunEvent[]): Promise<void> {
  const lines: string[] = [];
  for (const event of events) {
    lines.push(eventLine(event, event.type === 'gates' ? await log.appendFrame(event.values) : 'inside'));
  }
  await log.append(lines);
}

/** The events of a kept run, one after the other, gate values included. @throws InputError */
export async function* readEvents(files: RunFiles): AsyncGenerator<RunEvent> {
  for await (const line of readLines(files)) {
    const json = parseJson(line, 'run log') as Record<string, unknown>;
    if (typeof json['frame'] !== 'number') {
      yield parseEvent(json);
      continue;
    }
    const { frame, ...rest } = json;
    const values = await readFrame(files, frame);
    // A frame that is torn off with a killed process is worth no more than its picture.
    if (values) yield parseEvent({ ...rest, values });
  }
}

/** Where a run can be taken up again, and how far its log goes there; null where it was never kept. */
export interface FoundRun {
  saved: SavedRun;
  position: LogPosition;
  /** One sentence for each newer checkpoint that is damaged. */
  problems: string[];
}

/**
 * Reads a run to go on with it; damaged checkpoints are deleted.
 *
 * @throws InputError when what was kept is not a run's
 */
export async function findRun(folder: RunFolder): Promise<FoundRun | null> {
  return foundRun(folder, await resumeCheckpoint(folder));
}

/** The same for a run that somebody else may hold, which is only looked at. */
export async function peekRun(files: RunFiles): Promise<FoundRun | null> {
  return foundRun(files, await readCheckpoint(files));
}

async function foundRun(
  files: RunFiles,
  { checkpoint, problems }: Awaited<ReturnType<typeof readCheckpoint>>,
): Promise<FoundRun | null> {
  if (!checkpoint) return null;
  const parsed = savedStateSchema.safeParse(checkpoint.state);
  if (!parsed.success) return refuse('checkpoint', 'it does not say how far the log went');
  const { log, ...state } = parsed.data;
  return {
    saved: {
      state: parseRunState(state),
      tensors: checkpoint.tensors,
      pruned: await readKeptModel(files, 'pruned'),
    },
    position: log,
    problems,
  };
}

const modelFiles = (which: KeptModel) => ({
  config: `${which}.config.json`,
  tensors: `${which}.safetensors`,
});

async function writeKeptModel(folder: RunFolder, which: KeptModel, { config, parameters }: FlatModel) {
  const names = modelFiles(which);
  for (const { name, bytes } of writeModelFolder(
    config,
    unpackParameters(parameterLayout(config), parameters),
  )) {
    if (name === 'model.safetensors') await folder.write(names.tensors, bytes);
    if (name === 'config.json') await folder.write(names.config, bytes);
  }
}

/** A model of a run, or null where there is none. @throws InputError when it is damaged */
export async function readKeptModel(files: RunFiles, which: KeptModel): Promise<FlatModel | null> {
  const names = modelFiles(which);
  const [config, tensors] = [await files.read(names.config), await files.read(names.tensors)];
  if (!config || !tensors) return null;
  const folder = readModelFolder([
    { name: 'config.json', bytes: config },
    { name: 'model.safetensors', bytes: tensors },
  ]);
  return {
    config: folder.config,
    parameters: packParameters(parameterLayout(folder.config), folder.tensors),
  };
}
