import { createRunControl, isCancellation } from '../run/run-control';
import type { EvaluationReport } from '../report/report';
import { makeReport, type FinishedRun } from '../report/run-report';
import { runTokens } from '../run/run-size';
import { createThrottle } from '../run/throttle';
import { createShareTimeLeft } from '../run/time-left';
import { VERSION } from '../run/version';
import { loadCorpus } from './corpus';
import {
  device,
  needSource,
  post,
  stopWork,
  untilAborted,
  type ActiveRun,
  type LabState,
  type OpenSource,
} from './environment';
import type { Command } from './protocol';

type CompareCommand = Extract<Command, { type: 'compare' }>;

/** More often than this nobody reads what it is at. */
const PROGRESS_MS = 100;

/**
 * Measures the models of the finished run side by side, in place of a comparison that still goes on. Ends with a
 * `compared` that is done, also when it was cancelled.
 *
 * @throws one sentence, such as when there is no finished run
 */
export async function compareModels(state: LabState, command: CompareCommand): Promise<void> {
  const { finished } = state;
  if (!finished) throw new Error('There is nothing to compare yet: press Prune and let the run finish.');
  const source = needSource(state);
  const before = state.comparison;
  const work: ActiveRun = {
    control: createRunControl(),
    abort: new AbortController(),
    done: Promise.resolve(),
  };
  state.comparison = work;
  const report = stopWork(before).then(() => compare(state, work, command, finished, source));
  // Whoever stops the work waits for its end, and hears of a failure here.
  work.done = report.then(
    () => undefined,
    () => undefined,
  );
  try {
    await report;
  } finally {
    if (state.comparison === work) state.comparison = null;
  }
}

async function compare(
  state: LabState,
  { control, abort }: ActiveRun,
  { id, request }: CompareCommand,
  finished: FinishedRun,
  source: OpenSource,
): Promise<void> {
  let latest: EvaluationReport | null = null;
  const due = createThrottle(PROGRESS_MS);
  const secondsLeft = createShareTimeLeft();
  try {
    const gpu = await device(state);
    const trainTokens = request.arms.includes('scratch') ? runTokens(finished.experiment) : 0;
    const corpus = await untilAborted(loadCorpus(state, source, trainTokens), abort.signal);
    latest = await makeReport(request, {
      gpu,
      source,
      tokenizer: source.tokenizer,
      finished,
      corpus,
      read: (path) => state.environment.read(path, { signal: abort.signal }),
      turn: control,
      version: VERSION,
      progress(what, share) {
        if (due()) post(state, { type: 'comparing', id, what, share, secondsLeft: secondsLeft(share) });
      },
      partial(report) {
        latest = report;
        post(state, { type: 'compared', id, report, done: false });
      },
    });
  } catch (error) {
    if (!(isCancellation(error) || abort.signal.aborted)) throw error;
  }
  post(state, { type: 'compared', id, report: latest, done: true });
}
