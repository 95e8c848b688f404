import { finalModel, type RunModels } from '../run/run';
import { peekRun, readEvents, readKeptModel } from '../run/keeper';
import type { Experiment } from '../experiment/schema';
import { settingsAt } from '../experiment/interventions';
import { trains } from '../retraining';
import type { FinishedRun } from '../report/run-report';
import type { FlatModel } from '../llama/parameters';
import { exportRun, importRun } from '../storage/archive';
import type { RunFiles } from '../storage/run-store';
import { needSource, post, storeOf, type LabState } from './environment';
import type { Job } from './jobs';
import type { RunEvent, StartedEvent } from '../run/events';
import { logText } from '../run/metrics-export';
import type { Command } from './protocol';

/** Events of a kept run in one message: a long run comes in pieces that the page can take between two frames. */
const EVENTS_AT_ONCE = 2000;

/** Tells the page which runs are kept. */
export async function postRuns(state: LabState): Promise<void> {
  const store = await storeOf(state);
  const [list, used] = [await store.list(), await store.usage()];
  post(state, { type: 'runs', list, used, notice: store.notice });
}

/** Every event of a kept run, in order. @throws one sentence */
export async function showRun(state: LabState, run: string): Promise<void> {
  const store = await storeOf(state);
  // What goes on is told up to here, so that nothing is missing before the events that follow.
  if (state.run?.id === run) await state.run.flush();
  await postLog(state, await store.files(run));
}

/** Posts a log from its beginning. */
export async function postLog(state: LabState, files: RunFiles): Promise<void> {
  let events: RunEvent[] = [];
  const send = () => {
    if (events.length) post(state, { type: 'events', run: files.id, events });
    events = [];
  };
  for await (const event of readEvents(files)) {
    events.push(event);
    if (events.length >= EVENTS_AT_ONCE) send();
  }
  send();
}

/** What a run pruned. */
interface PrunedSource {
  weightsSha256: string | null;
  sourceName: string;
}

/** The models of a finished run, and the settings that it ended with. @throws one sentence */
export async function finishedRun(state: LabState, run: string): Promise<FinishedRun & PrunedSource> {
  const files = await (await storeOf(state)).files(run);
  const found = await peekRun(files);
  const pruned = found?.saved.pruned;
  if (!found || !pruned) {
    throw new Error('This run was not cut to shape yet: let it go on first.');
  }
  const { state: saved } = found.saved;
  const experiment: Experiment = settingsAt(saved, saved.step);
  const models: RunModels = {
    pruned,
    retrained: trains(experiment.retraining) ? await readKeptModel(files, 'retrained') : null,
  };
  return { experiment, weightsSha256: saved.source.weightsSha256, sourceName: saved.source.name, ...models };
}

export type Which = 'source' | 'pruned';

/** The models that there are to compare: the source and, where a run is named, what came out of it. */
export async function comparedModels(
  state: LabState,
  run: string | null,
): Promise<{ which: Which; model: FlatModel }[]> {
  const source = needSource(state);
  if (run === null) return [{ which: 'source', model: source }];
  const finished = await finishedRun(state, run);
  checkSameSource(state, finished);
  return [
    { which: 'source', model: source },
    { which: 'pruned', model: finalModel(finished) },
  ];
}

/** @throws one sentence when the run pruned another model than the one that is open */
export function checkSameSource(state: LabState, { weightsSha256, sourceName }: PrunedSource): void {
  const source = needSource(state);
  if (weightsSha256 === source.weightsSha256 && (weightsSha256 !== null || sourceName === source.name))
    return;
  throw new Error(
    `This run pruned ${sourceName}, and ${source.name === sourceName ? 'another model of that name' : source.name} is open: open its source model first.`,
  );
}

/** A run as one file. */
export async function exportKeptRun(state: LabState, run: string, job: Job): Promise<void> {
  const store = await storeOf(state);
  const record = (await store.list()).runs.find(({ id }) => id === run);
  if (!record) throw new Error('This run is not kept any more.');
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let written = 0;
  for await (const piece of exportRun(record, await store.files(run))) {
    pieces.push(piece);
    written += piece.length;
    job.progress('Packing the run', Math.min(1, written / Math.max(1, record.bytes)));
  }
  const bytes = await new Blob(pieces).arrayBuffer();
  const name = record.name.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '') || 'run';
  post(state, { type: 'exported', fileName: `${name}.shear-run.zip`, bytes }, [bytes]);
}

/** A run's log as text, read and written a piece at a time. */
export async function exportLog(
  state: LabState,
  { run, format }: Extract<Command, { type: 'exportLog' }>,
  job: Job,
): Promise<void> {
  if (state.run?.id === run) await state.run.flush();
  const files = await (await storeOf(state)).files(run);
  let started: StartedEvent | null = null;
  const events = async function* () {
    for await (const event of readEvents(files)) {
      if (event.type === 'started') started = event;
      job.progress('Writing the log', 0);
      yield event;
    }
  };
  const pieces: Blob[] = [];
  let text: string[] = [];
  const pack = () => {
    pieces.push(new Blob(text));
    text = [];
  };
  for await (const piece of logText(events(), format)) {
    text.push(piece);
    if (text.length >= EVENTS_AT_ONCE) pack();
  }
  pack();
  const { source, experiment } = started!;
  const bytes = await new Blob(pieces).arrayBuffer();
  const fileName = `shear-lab-${source.name}-seed${experiment.seed}.${format}`;
  post(state, { type: 'exported', fileName, bytes }, [bytes]);
}

/** Takes in such a file. @throws InputError */
export async function importKeptRun(state: LabState, bytes: ArrayBuffer): Promise<void> {
  await importRun(await storeOf(state), new Uint8Array(bytes));
  await postRuns(state);
}
