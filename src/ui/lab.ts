import { createStore, type StoreApi } from 'zustand/vanilla';
import { ALL_WINDOWS } from '../run/run-size';
import type { ReportRequest } from '../report/run-report';
import type { Experiment } from '../experiment/schema';
import type { TargetShape } from '../llama/config';
import { createSessionClient, type WorkerLike } from '../session/client';
import { nearestLegalTarget, usualTarget } from '../pruning/target-shape';
import type { Report, ScoredModel } from '../session/protocol';
import { type FieldValue, setField } from './core/field-value';
import { createFrameQueue } from './core/frame-queue';
import {
  type FullEvaluation,
  initialState,
  isMeasuring,
  type LabState,
  type Notice,
  type TaskScores,
  withNotice,
  withSilence,
} from './core/lab-state';
import { reduceReport } from './core/reduce-report';

export interface GenerationSettings {
  prompt: string;
  maxTokens: number;
  temperature: number;
  seed: number;
}

/** One store that mirrors what the worker reports, and what the page can ask of the worker. */
export interface Lab {
  store: StoreApi<LabState>;
  /** Opens the experiment's source model. */
  openSource(): void;
  /** Opens another one, with the target that is usual for it; null: the one that suits the device. */
  chooseSource(name: string | null): void;
  /** Says that this browser cannot compute; the recorded run plays all the same. */
  withoutGpu(): void;
  openFiles(files: readonly File[]): Promise<void>;
  prune(): void;
  pause(): void;
  resume(): void;
  step(): void;
  reset(): void;
  setField(key: string, value: FieldValue): void;
  setTarget(target: TargetShape): void;
  setExperiment(experiment: Experiment): void;
  generate(settings: GenerationSettings): void;
  cancelGeneration(): void;
  evaluate(): void;
  cancelEvaluation(): void;
  /** Measures the models of the finished run side by side. */
  compare(request: ReportRequest): void;
  cancelComparison(): void;
  /** Scores a model on the first `limit` items of every task, in place of a scoring that goes on. */
  scoreTasks(which: ScoredModel, limit: number): void;
  cancelScoring(): void;
  exportModel(): void;
  notify(notice: Omit<Notice, 'id'>): void;
  dismiss(id: number): void;
  showRun(id: number): void;
  overlayRun(id: number | null): void;
}

/** Bytes that a visitor may open at once: a page holds them twice while the worker takes them over. */
const LARGEST_FOLDER = 2 ** 31;

export function createLab(createWorker: () => WorkerLike, baseUrl: string, experiment?: Experiment): Lab {
  const store = createStore<LabState>(() => initialState(experiment));
  const receive = createFrameQueue<Report>((reports) => {
    store.setState((state) => reports.reduce(reduceReport, state), true);
  });
  const client = createSessionClient(createWorker, {
    onReport: receive,
    onSilence: (silent) => store.setState((state) => withSilence(state, silent), true),
    onEnded() {
      // What it hung at while it loaded a model it would hang at again.
      const { status } = store.getState();
      store.setState((state) => withSilence(state, false), true);
      lab.notify({
        kind: 'warning',
        text: 'The engine did not answer Reset, so it was ended; a fresh one opens a source model.',
      });
      if (status === 'loading') open(null);
      else lab.openSource();
    },
  });
  const set = (change: Partial<LabState>) => store.setState(change);
  let lastId = 0;
  let localFiles: readonly File[] = [];
  /** What the visitor pressed before the engine was ready. */
  let wanted: 'prune' | 'step' | null = null;
  /** A model was chosen, not an experiment: the target follows from it. */
  let targetFollows = false;

  const begin = (first: 'prune' | 'step'): void => {
    const { experiment, source, engine, status } = store.getState();
    if (engine.state === 'missing') return;
    set({
      recorded: { ...store.getState().recorded, state: 'ended' },
      shownRun: null,
      currentRun: null,
      generation: null,
      evaluation: null,
      activity: null,
      memory: null,
    });
    if (!source || status === 'loading' || engine.state !== 'open') {
      wanted = first;
      if (engine.state !== 'opening') lab.openSource();
      return;
    }
    wanted = null;
    client.send({ type: 'start', experiment });
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
    const target = nearestLegalTarget(source.config, usualTarget(source.config), experiment.gates);
    set({ experiment: { ...experiment, target } });
  });

  const cancelScoring = (of: (scores: TaskScores) => boolean): void => {
    for (const scores of store.getState().taskScores) {
      if (scores.progress && of(scores)) client.send({ type: 'cancelScoring', id: scores.id });
    }
  };

  // The scoring of a model that is dropped is cancelled.
  store.subscribe(({ status, currentRun }, before) => {
    if (status === 'loading' && before.status !== 'loading') cancelScoring(() => true);
    if (currentRun !== before.currentRun) cancelScoring(({ run }) => run !== null && run !== currentRun);
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
  };

  const lab: Lab = {
    store,
    openSource() {
      targetFollows = false;
      const { source } = store.getState().experiment;
      if (source !== 'local') open(source);
      else if (localFiles.length) void lab.openFiles(localFiles);
    },
    chooseSource(name) {
      if (name !== null) lab.setField('source', name);
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
      set({
        status: 'loading',
        currentRun: null,
        engine: { ...store.getState().engine, state: 'opening' },
      });
      localFiles = files;
      targetFollows = false;
      client.send({ type: 'openFiles', files: read, baseUrl });
    },
    prune: () => begin('prune'),
    pause() {
      set({ pausing: true });
      client.send({ type: 'pause' });
    },
    resume: () => client.send({ type: 'resume' }),
    step() {
      const { status } = store.getState();
      if (status === 'running' || status === 'paused') client.send({ type: 'step' });
      else begin('step');
    },
    reset() {
      set({
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
      const { experiment, source } = store.getState();
      let changed = setField(experiment, key, value);
      // A set that is not learnt keeps the source's size: the target follows its switch.
      if (key.startsWith('gates.') && source) {
        changed = { ...changed, target: nearestLegalTarget(source.config, changed.target, changed.gates) };
      }
      set({ experiment: changed });
    },
    setTarget: (target) => set({ experiment: { ...store.getState().experiment, target } }),
    setExperiment(experiment) {
      const { source } = store.getState();
      set({ experiment });
      if (experiment.source !== source?.name) lab.openSource();
    },
    generate(settings) {
      lab.cancelGeneration();
      const id = ++lastId;
      set({ generation: { id, prompt: settings.prompt, source: null, pruned: null } });
      client.send({ type: 'generate', id, ...settings });
    },
    cancelGeneration() {
      const { generation } = store.getState();
      if (generation && !isWritten(generation)) client.send({ type: 'cancelGeneration', id: generation.id });
    },
    evaluate() {
      const { experiment, currentRun } = store.getState();
      const id = ++lastId;
      const evaluation: FullEvaluation = { id, run: currentRun, source: null, pruned: null };
      set({ evaluation });
      client.send({ type: 'evaluate', id, windows: ALL_WINDOWS, contextLength: experiment.contextLength });
    },
    cancelEvaluation() {
      const { evaluation } = store.getState();
      if (!evaluation || !isMeasuring(evaluation)) return;
      client.send({ type: 'cancelEvaluation', id: evaluation.id });
      set({ evaluation: null, activity: null });
    },
    compare(request) {
      const { currentRun } = store.getState();
      if (currentRun === null) return;
      const id = ++lastId;
      const progress = { what: 'starting', share: 0, secondsLeft: null };
      set({ comparison: { id, run: currentRun, progress, report: null } });
      client.send({ type: 'compare', id, request });
    },
    cancelComparison: () => client.send({ type: 'cancelComparison' }),
    scoreTasks(which, limit) {
      lab.cancelScoring();
      const { currentRun, taskScores } = store.getState();
      const run = which === 'source' ? null : currentRun;
      const id = ++lastId;
      const progress = { task: 'Starting', items: 0, totalItems: 0, share: 0, secondsLeft: null };
      const others = taskScores.filter((scores) => scores.which !== which || scores.run !== run);
      set({ taskScores: [...others, { id, which, run, progress, results: [] }] });
      client.send({ type: 'scoreTasks', id, which, limit });
    },
    cancelScoring: () => cancelScoring(() => true),
    exportModel: () => client.send({ type: 'exportModel' }),
    notify: (notice) => store.setState((state) => withNotice(state, notice), true),
    dismiss: (id) => set({ notices: store.getState().notices.filter((notice) => notice.id !== id) }),
    showRun: (id) => set({ shownRun: id, overlaidRun: null }),
    overlayRun: (id) => set({ overlaidRun: id }),
  };
  return lab;
}

function isWritten(generation: NonNullable<LabState['generation']>): boolean {
  const { source, pruned } = generation;
  return source?.done === true && (pruned === null || pruned.done);
}
