import { experimentSchema } from '../experiment/schema';
import type { Intervention, Plan } from '../experiment/interventions';
import type { Gpu } from '../gpu/device';
import { testGpu } from '../kernels/testing';
import { openMemoryStore } from '../storage/memory-store';
import type { RunFiles, RunFolder, RunStore } from '../storage/run-store';
import { Died } from '../storage/testing';
import type { RunEvent } from './events';
import { createKeeper, findRun, readEvents, readKeptModel } from './keeper';
import { resumeRun, runExperiment } from './run';
import type { RunContext } from './run-context';
import { createRunControl, isCancellation, type RunTransport } from './run-control';
import { toyCorpus, toySource } from './testing';

/** For tests: runs of the toy model that are kept, killed, changed and taken up again. */

/** Thirty steps of each stage, kept every ten. */
export const KEPT_EXPERIMENT = experimentSchema.parse({
  target: { numHiddenLayers: 2, hiddenSize: 10, numAttentionHeads: 2, intermediateSize: 13 },
  prune: { steps: 30, batchSize: 2 },
  retrain: { steps: 30, batchSize: 2 },
  contextLength: 8,
  evaluation: { interval: 7, windows: 3 },
  checkpoint: { interval: 10 },
});

export const store: RunStore = openMemoryStore('for a test');

export async function newFolder(): Promise<RunFolder> {
  return store.create({
    name: 'test',
    note: '',
    colour: null,
    version: 'test',
    status: 'running',
    experiment: {},
    interventions: [],
    adapter: '',
    seed: 1,
    source: { name: 'toy', hash: null, parameters: 1 },
    step: 0,
    totalSteps: 60,
    meanLoss: null,
  });
}

/** What a run works with, where a test wants another than usual. */
export interface Place {
  /** Wraps the run's folder: one that dies, say. */
  wrap?(folder: RunFolder): RunFolder;
  gpu?: Gpu;
  activity?(what: string): void;
}

/** Called with every event; may pause, change or cancel the run. */
export type Hand = (event: RunEvent, control: RunTransport) => void;

async function contextOf(
  { wrap = (folder) => folder, gpu, activity = () => undefined }: Place,
  folder: RunFolder,
  hand: Hand,
  position?: { lines: number; frames: number },
  elapsedBefore = 0,
) {
  const control: RunTransport = createRunControl({
    elapsedBefore,
    onHold: () => setTimeout(() => control.resume()),
  });
  const keeper = await createKeeper(wrap(folder), position);
  const refused: string[] = [];
  const context: RunContext = {
    gpu: gpu ?? (await testGpu()),
    source: toySource(),
    corpus: toyCorpus(),
    control,
    version: 'test',
    activity,
    refuseChange: (message) => refused.push(message),
    keeper,
    emit(event) {
      keeper.add(event);
      hand(event, control);
    },
  };
  return { context, keeper, refused, control };
}

/** Runs a plan into a folder; a cancelled run leaves what a killed one does. */
export async function run(plan: Plan, hand: Hand = () => undefined, place: Place = {}) {
  const folder = await newFolder();
  let refused: string[] = [];
  try {
    const { context, keeper, ...made } = await contextOf(place, folder, hand);
    refused = made.refused;
    const models = await runExperiment(plan, context);
    if (models.retrained) await keeper.keepModel('retrained', models.retrained);
    await keeper.flush();
  } catch (error) {
    if (!isCancellation(error) && !(error instanceof Died)) throw error;
  }
  await folder.close();
  return { id: folder.id, refused };
}

export async function goOn(
  id: string,
  hand: Hand = () => undefined,
  changes: Intervention['changes'] = {},
  place: Place = {},
) {
  const folder = await store.open(id);
  const found = await findRun(folder);
  if (!found) {
    await folder.close();
    return null;
  }
  let refused: string[] = [];
  try {
    const { context, keeper, control, ...made } = await contextOf(place, folder, hand, found.position);
    refused = made.refused;
    if (Object.keys(changes).length) control.change(changes);
    const models = await resumeRun(found.saved, context);
    if (models.retrained) await keeper.keepModel('retrained', models.retrained);
    await keeper.flush();
  } catch (error) {
    if (!isCancellation(error) && !(error instanceof Died)) throw error;
  }
  await folder.close();
  return { id, refused };
}

/** The log without the times, and the weights that came out. */
export async function outcome(id: string) {
  const files: RunFiles = await store.files(id);
  const log: object[] = [];
  for await (const event of readEvents(files)) log.push({ ...event, elapsedMs: 0 });
  const models = {
    pruned: await readKeptModel(files, 'pruned'),
    retrained: await readKeptModel(files, 'retrained'),
  };
  return { log, models };
}

export const cancelAt =
  (step: number): Hand =>
  (event, control) => {
    if (event.type === 'step' && event.step === step) control.cancel();
  };
