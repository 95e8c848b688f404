import { createStore, type StoreApi } from 'zustand/vanilla';
import { ALL_WINDOWS } from '../run/run-size';
import type { ReportRequest } from '../report/run-report';
import type { Intervention, Plan } from '../experiment/interventions';
import type { TargetShape } from '../llama/config';
import { createSessionClient, type WorkerLike } from '../session/client';
import { nearestLegalTarget, defaultTarget } from '../pruning/target-shape';
import type { Command, Report, ScoredModel } from '../session/protocol';
import type { RunChange } from '../storage/kept-run';
import { type FieldValue, setField } from './core/field-value';
import { createFrameQueue } from './core/frame-queue';
import {
  findJob,
  findKept,
  findRun,
  followedRun,
  initialState,
  isGoing,
  type JobKind,
  type LabState,
  type Notice,
  planShown,
  settingsShown,
  withNotice,
  withSilence,
} from './core/lab-state';
import { actsOnRun, differences } from './core/live-fields';
import { hasModels, RECORDED_RUN } from './core/run-record';
import { reduceReport } from './core/reduce-report';
import { createChangeSender } from './change-sender';
import { readScoreFile } from './score-files';

export interface GenerationSettings {
  prompt: string;
  maxTokens: number;
  temperature: number;
  seed: number;
}

/** One store that mirrors what the worker reports, and what the page can ask of the worker. */
export interface Lab {
  store: StoreApi<LabState>;
  /** Opens the source model of the settings. */
  openSource(): void;
  /** Opens another one, with the target that is usual for it; null: the one that suits the device. */
  chooseSource(name: string | null): void;
  /** Says that this browser cannot compute; the recorded run plays all the same. */
  withoutGpu(): void;
  openFiles(files: readonly File[]): Promise<void>;
  /** Starts a run with what the form shows. */
  prune(): void;
  pause(): void;
  resume(): void;
  step(): void;
  /** Stops the run, which stays kept. */
  reset(): void;
  /** Changes the run that goes on where the form acts on it, else the draft. */
  setField(key: string, value: FieldValue): void;
  setTarget(target: TargetShape): void;
  /** Takes a plan as the draft, and opens its source model. */
  setPlan(plan: Plan): void;
  /** The settings in the form become a draft, with `false` those of the shown run again. */
  setDrafting(drafting: boolean): void;
  /** Takes back an intervention of the run that goes on from its next step on. */
  undo(before: Intervention['changes']): void;
  /** Goes on with a kept run from its last checkpoint; opens its source model where that is not open. */
  continueRun(run: string, changes?: Intervention['changes']): void;
  generate(settings: GenerationSettings): void;
  evaluate(): void;
  /** Measures the models of the shown run side by side. */
  compare(request: ReportRequest): void;
  /** Scores a model on the first `limit` items of every task, in place of a scoring that goes on. */
  scoreTasks(which: ScoredModel, limit: number): void;
  /** Scores the units of the open source as the settings in the form say. */
  scoreUnits(): void;
  /** Takes scores of the open source from a CSV file. */
  loadScores(file: File): Promise<void>;
  exportModel(): void;
  exportLog(run: string, format: 'csv' | 'json'): void;
  exportRun(run: string): void;
  importRun(file: File): Promise<void>;
  /** Cancels the job of this kind that goes on. */
  cancel(kind: JobKind): void;
  listRuns(): void;
  updateRun(run: string, change: Pick<RunChange, 'name' | 'note' | 'colour'>): void;
  removeRun(run: string): void;
  notify(notice: Omit<Notice, 'id'>): void;
  dismiss(id: number): void;
  showRun(id: string): void;
  overlayRun(id: string | null): void;
}

/** Bytes that a visitor may open at once: a page holds them twice while the worker takes them over. */
const LARGEST_FOLDER = 2 ** 31;

type JobCommand = Extract<Command, { type: JobKind }>;
/** What is asked for, without its number. */
type Asked<C = JobCommand> = C extends JobCommand ? Omit<C, 'id'> : never;

export function createLab(createWorker: () => WorkerLike, baseUrl: string, plan?: Plan): Lab {
  const store = createStore<LabState>(() => initialState(plan));
  const receive = createFrameQueue<Report>((reports) => {
    store.setState((state) => reports.reduce(reduceReport, state), true);
  });
  const client = createSessionClient(createWorker, {
    onReport: receive,
    onSilence: (silent) => store.setState((state) => withSilence(state, silent), true),
    onEnded() {
      // What it hung at while it loaded a model it would hang at again.
      const { status } = store.getState();
      store.setState((state) => ({ ...withSilence(state, false), jobs: [] }), true);
      lab.notify({
        kind: 'warning',
        text: 'The engine did not answer Reset, so it was ended; a fresh one opens a source model.',
      });
      if (status === 'loading') open(null);
      else lab.openSource();
    },
  });
  const set = (change: Partial<LabState>) => store.setState(change);
  const changeSender = createChangeSender(store, (changes) => client.send({ type: 'change', changes }));
  let lastId = 0;
  let localFiles: readonly File[] = [];
  /** What the visitor pressed before the engine was ready. */
  let wanted: 'prune' | 'step' | null = null;
  /** A model was chosen, not an experiment: the target follows from it. */
  let targetFollows = false;

  const begin = (first: 'prune' | 'step'): void => {
    const { source, engine, status } = store.getState();
    if (engine.state === 'missing') return;
    const plan = planShown(store.getState());
    set({
      ...plan,
      drafting: false,
      recorded: { ...store.getState().recorded, state: 'ended' },
      shownRun: null,
      currentRun: null,
      generation: null,
      evaluation: null,
      activity: null,
      memory: null,
    });
    const open = source && status !== 'loading' && engine.state === 'open';
    if (!open || source.name !== plan.experiment.source) {
      wanted = first;
      if (engine.state !== 'opening') lab.openSource();
      return;
    }
    wanted = null;
    client.send({ type: 'start', plan });
    if (first === 'step') client.send({ type: 'step' });
  };

  store.subscribe((state) => {
    if (state.engine.state === 'missing' || state.status === 'failed') wanted = null;
    if (!wanted || state.status !== 'ready' || !state.source) return;
    const first = wanted;
    // Before anything is set: setting the state comes back here.
    wanted = null;
    begin(first);
  });

  store.subscribe(({ source, experiment }, before) => {
    if (!source || source === before.source || !targetFollows) return;
    targetFollows = false;
    const target = nearestLegalTarget(source.config, defaultTarget(source.config), experiment.gates);
    set({ experiment: { ...experiment, target } });
  });

  // A source that is replaced takes its jobs along.
  store.subscribe(({ status, jobs }, before) => {
    if (status !== 'loading' || before.status === 'loading' || !before.source) return;
    for (const { id, kind } of jobs)
      if (kind === 'scoreTasks' || kind === 'scoreUnits') client.send({ type: 'cancel', id });
  });

  const open = (source: string | null): void => {
    const { engine, notices } = store.getState();
    set({
      engine: { ...engine, state: 'opening' },
      status: 'loading',
      currentRun: null,
      notices: notices.filter((notice) => notice.offer !== 'reopen'),
    });
    client.send({ type: 'open', source, baseUrl });
    lab.listRuns();
  };

  /** Asks for a job, in place of one of its kind that goes on; returns its number. */
  const ask = (command: Asked): number => {
    lab.cancel(command.type);
    const id = ++lastId;
    set({ jobs: [...store.getState().jobs, { id, kind: command.type, progress: null }] });
    client.send({ ...command, id });
    return id;
  };

  /** The shown run where its models can be had; its source model is opened first where another is. */
  const shownModels = (): string | null => {
    const run = findRun(store.getState(), store.getState().shownRun);
    if (!hasModels(run)) return null;
    openSourceOf(run.started.source);
    return run.id;
  };

  const openSourceOf = ({
    name,
    weightsSha256,
  }: {
    name: string;
    weightsSha256?: string | null | undefined;
  }) => {
    const { source, engine } = store.getState();
    const same = source?.name === name && (source.weightsSha256 ?? null) === (weightsSha256 ?? null);
    if (same && engine.state === 'open') return;
    if (isGoing(store.getState()) || (same && engine.state === 'opening')) return;
    if (name !== 'local') open(name);
    else if (localFiles.length) void lab.openFiles(localFiles);
  };

  const draft = (change: Partial<LabState>) => {
    const state = store.getState();
    const follows = followedRun(state) !== null;
    set({
      ...(follows && { interventions: [] }),
      experiment: settingsShown(state),
      drafting: state.shownRun !== null && state.shownRun !== RECORDED_RUN,
      ...change,
    });
  };

  const lab: Lab = {
    store,
    openSource() {
      targetFollows = false;
      const { source } = settingsShown(store.getState());
      if (source !== 'local') open(source);
      else if (localFiles.length) void lab.openFiles(localFiles);
    },
    chooseSource(name) {
      if (name !== null) draft({ experiment: setField(settingsShown(store.getState()), 'source', name) });
      targetFollows = true;
      open(name);
    },
    withoutGpu() {
      set({ engine: { state: 'missing', adapter: null }, status: 'failed' });
      lab.notify({
        kind: 'warning',
        text: 'This browser has no WebGPU: to prune, open the lab in a current Chrome, Edge, Safari or Firefox over https. The recorded run plays without it.',
        offer: 'replay',
      });
    },
    async openFiles(files) {
      const size = files.reduce((sum, file) => sum + file.size, 0);
      if (!files.some((file) => file.name === 'config.json')) {
        lab.notify({
          kind: 'error',
          text: 'The folder has no config.json: choose the folder of a Hugging Face model.',
        });
        return;
      }
      if (size > LARGEST_FOLDER) {
        lab.notify({ kind: 'error', text: 'The folder holds more than 2 GiB: choose a smaller model.' });
        return;
      }
      const read = await Promise.all(
        files.map(async (file) => ({ name: file.name, bytes: await file.arrayBuffer() })),
      );
      draft({
        status: 'loading',
        currentRun: null,
        engine: { ...store.getState().engine, state: 'opening' },
      });
      localFiles = files;
      targetFollows = false;
      client.send({ type: 'openFiles', files: read, baseUrl });
      lab.listRuns();
    },
    prune: () => begin('prune'),
    pause() {
      set({ pausing: true });
      client.send({ type: 'pause' });
    },
    resume: () => client.send({ type: 'resume' }),
    step() {
      if (isGoing(store.getState())) client.send({ type: 'step' });
      else begin('step');
    },
    reset() {
      changeSender.forget();
      set({
        ...planShown(store.getState()),
        drafting: false,
        pausing: false,
        currentRun: null,
        shownRun: null,
        generation: null,
        evaluation: null,
        activity: null,
      });
      client.send({ type: 'reset' });
    },
    setField(key, value) {
      const state = store.getState();
      if (actsOnRun(state)) return changeSender.change({ [key]: value });
      let experiment = setField(settingsShown(state), key, value);
      // A set that is not learnt keeps the source's size: the target follows its switch.
      if (key.startsWith('gates.') && state.source) {
        const target = nearestLegalTarget(state.source.config, experiment.target, experiment.gates);
        experiment = { ...experiment, target };
      }
      draft({ experiment });
    },
    setTarget(target) {
      const state = store.getState();
      const settings = settingsShown(state);
      const experiment = { ...settings, target };
      if (actsOnRun(state)) changeSender.change(differences(settings, experiment));
      else draft({ experiment });
    },
    setPlan(plan) {
      const { source, shownRun } = store.getState();
      set({ ...plan, drafting: shownRun !== null && shownRun !== RECORDED_RUN });
      if (plan.experiment.source !== source?.name && !isGoing(store.getState())) lab.openSource();
    },
    setDrafting: (drafting) => (drafting ? draft({}) : set({ drafting: false })),
    undo: (before) => changeSender.change(before),
    continueRun(run, changes = {}) {
      const state = store.getState();
      const source = findKept(state, run)?.source;
      if (!source) return;
      if (source.name === 'local' && state.source?.weightsSha256 !== source.hash && !localFiles.length) {
        lab.notify({
          kind: 'information',
          text: 'This run pruned a model from a folder: open that folder under “Source model”, then go on.',
        });
        return;
      }
      openSourceOf({ name: source.name, weightsSha256: source.hash });
      set({
        currentRun: run,
        shownRun: run,
        drafting: false,
        pending: {},
        activity: null,
        memory: null,
        recorded: { ...state.recorded, state: 'ended' },
        notices: state.notices.filter((notice) => notice.run !== run),
      });
      client.send({ type: 'continue', run, changes });
    },
    generate(settings) {
      const run = shownModels();
      const id = ask({ type: 'generate', run, ...settings });
      set({ generation: { id, run, prompt: settings.prompt, source: null, pruned: null } });
    },
    evaluate() {
      const run = shownModels();
      const { contextLength } = settingsShown(store.getState());
      const id = ask({ type: 'evaluate', run, windows: ALL_WINDOWS, contextLength });
      set({ evaluation: { id, run, source: null, pruned: null } });
    },
    compare(request) {
      const run = shownModels();
      if (run === null) return;
      const id = ask({ type: 'compare', run, request });
      set({ comparison: { id, run, report: null } });
    },
    scoreTasks(which, limit) {
      const run = which === 'source' ? null : shownModels();
      const id = ask({ type: 'scoreTasks', run, which, limit });
      const others = store
        .getState()
        .taskScores.filter((scores) => scores.which !== which || scores.run !== run);
      set({ taskScores: [...others, { id, which, run, results: [] }] });
    },
    scoreUnits() {
      const run = followedRun(store.getState());
      if (run) openSourceOf(run.started.source);
      ask({ type: 'scoreUnits', experiment: settingsShown(store.getState()) });
    },
    async loadScores(file) {
      const { source } = store.getState();
      if (!source) return;
      try {
        const scores = await readScoreFile(file, source.config);
        const { name, weightsSha256 } = source;
        set({ unitScores: { source: name, weightsSha256, scores, origin: { file: file.name } } });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        lab.notify({ kind: 'error', text: error.message });
      }
    },
    exportModel() {
      const run = shownModels();
      if (run !== null) ask({ type: 'exportModel', run });
    },
    exportLog: (run, format) => void ask({ type: 'exportLog', run, format }),
    exportRun: (run) => void ask({ type: 'exportRun', run }),
    async importRun(file) {
      ask({ type: 'importRun', bytes: await file.arrayBuffer() });
    },
    cancel(kind) {
      const job = findJob(store.getState(), kind);
      if (job) client.send({ type: 'cancel', id: job.id });
    },
    listRuns: () => client.send({ type: 'listRuns' }),
    updateRun: (run, change) => client.send({ type: 'updateRun', run, change }),
    removeRun: (run) => client.send({ type: 'removeRun', run }),
    notify: (notice) => store.setState((state) => withNotice(state, notice), true),
    dismiss: (id) => set({ notices: store.getState().notices.filter((notice) => notice.id !== id) }),
    showRun(id) {
      set({ shownRun: id, overlaidRun: null, drafting: false });
      read(id);
    },
    overlayRun(id) {
      set({ overlaidRun: id });
      if (id !== null) read(id);
    },
  };

  /** Asks for a run's events, and lets go of those that are not looked at any more. */
  const read = (id: string): void => {
    const state = store.getState();
    const { currentRun, shownRun, overlaidRun } = state;
    const used = [currentRun, shownRun, overlaidRun];
    set({ records: state.records.filter((run) => used.includes(run.id)) });
    if (id === RECORDED_RUN || findRun(state, id) || state.reading.includes(id)) return;
    set({ reading: [...state.reading, id] });
    client.send({ type: 'showRun', run: id });
  };

  return lab;
}
