import { join, resolve } from 'node:path';
import { createRunControl } from '../../run/run-control';
import { ARMS, USUAL_ARMS, type Arm } from '../../report/report';
import { reportCsv, reportJson, reportMarkdown } from '../../report/export';
import { trains } from '../../retraining';
import { makeReport } from '../../report/run-report';
import { checkExperiment } from '../../run/check-experiment';
import type { RunModels } from '../../run/run';
import type { RunEvent, StartedEvent } from '../../run/events';
import { checkRunModels, checkRunSource } from '../../run/run-identity';
import { parseRunLog, settingsOf } from '../../run/run-log';
import { ALL_WINDOWS, neededTokens } from '../../run/run-size';
import { parseExperiment, type Experiment } from '../../experiment/schema';
import { VERSION } from '../../run/version';
import { InputError, plain } from '../../formats/refusal';
import {
  numberOption,
  textOption,
  UsageError,
  type Answer,
  type Command,
  type CommandInput,
} from '../command';
import { isFolder, openCorpusFor, openModel, readJson, readSiteFile, tokenizerOf, userPath } from '../files';
import { openCommandGpu } from '../gpu';
import { checkOutputFile, writeOutputFile } from '../output-folder';
import { createProgress, secondsLeft } from '../progress';
import { runInTerminal } from '../run';
import { BEFORE_RETRAINING, RUN_LOG } from './prune';

const ALL_ITEMS = 10_000;

export const report: Command = {
  name: 'report',
  argument: { name: 'EXPERIMENT.json|NAME|DIR' },
  summary:
    'run an experiment (or take the run that prune left in DIR), train the same shape from scratch, and measure all models side by side',
  options: {
    model: { value: 'MODEL', help: 'the source model (that of the experiment)' },
    arms: { value: 'NAME,NAME', help: `which models, of ${ARMS.join(', ')} (all but rewarmed)` },
    tasks: { value: 'all|none|NAME,NAME', help: 'which tasks (all)' },
    limit: { value: 'N', help: 'the first N items of each task (all)' },
    windows: { value: 'N', help: 'at most so many test windows of each domain (all)' },
    csv: { value: 'FILE', help: 'write the numbers as CSV, too' },
    markdown: { value: 'FILE', help: 'write the table as Markdown, too' },
  },
  run: measureSideBySide,
};

/** Runs an experiment (or takes a run of `prune`), trains its control, and measures all models side by side. */
async function measureSideBySide({ positionals, options }: CommandInput): Promise<Answer> {
  const wanted = positionals[0]!;
  const folder = (await isFolder(userPath(wanted))) ? userPath(wanted) : null;
  const log = folder ? await readLog(folder) : null;
  const experiment = log ? settingsOf(log.events) : await readExperiment(wanted);
  const opened = await openModel(textOption(options, 'model') ?? experiment.source);
  const { source } = opened;
  if (log) checkRunSource(log.started, source);
  const finished = folder && log ? await readModels(folder, log.events, experiment) : null;
  // A run that has finished may have been changed on its way to what no run could begin with.
  if (!finished) checkExperiment(experiment, source.config);
  const request = {
    arms: chooseArms(textOption(options, 'arms')),
    tasks: chooseTaskNames(textOption(options, 'tasks')),
    items: numberOption(options, 'limit', ALL_ITEMS, [1, ALL_ITEMS]),
    windows: numberOption(options, 'windows', ALL_WINDOWS, [1, ALL_WINDOWS]),
  };
  const files = { csv: textOption(options, 'csv'), markdown: textOption(options, 'markdown') };
  if (files.csv) await checkOutputFile('--csv', files.csv);
  if (files.markdown) await checkOutputFile('--markdown', files.markdown);
  const corpus = await openCorpusFor(opened, neededTokens(experiment));
  const gpu = await openCommandGpu();

  const models =
    finished ??
    (await runInTerminal({ plan: { experiment, interventions: [] }, saved: null }, { opened, corpus, gpu }));
  const progress = createProgress();
  const started = performance.now();
  const made = await makeReport(request, {
    gpu,
    source,
    tokenizer: tokenizerOf(opened),
    finished: { experiment, ...models },
    corpus,
    read: readSiteFile,
    control: createRunControl(),
    version: VERSION,
    progress(what, share) {
      if (share > 0) progress.say(`${what}, ${secondsLeft(performance.now() - started, share, 1)}`);
    },
    partial: () => undefined,
  });
  progress.end();
  const markdown = reportMarkdown(made);
  if (files.csv) await writeOutputFile('--csv', files.csv, reportCsv(made));
  if (files.markdown) await writeOutputFile('--markdown', files.markdown, markdown);
  // As it is written elsewhere: what a single item does not have, such as a standard error, is null.
  return { json: JSON.parse(reportJson(made)) as unknown, text: markdown };
}

/** An experiment's file, or the name of one of those in public/experiments. */
async function readExperiment(wanted: string): Promise<Experiment> {
  const preset = /^[a-z0-9-]+$/.test(wanted) ? resolve('public/experiments', `${wanted}.json`) : wanted;
  return parseExperiment(await readJson(preset), wanted);
}

/** The log of a finished run that `prune` left in `folder`. */
async function readLog(folder: string): Promise<{ started: StartedEvent; events: RunEvent[] }> {
  const { events } = parseRunLog(await readJson(join(folder, RUN_LOG)));
  const [started] = events;
  if (started?.type !== 'started' || events.at(-1)?.type !== 'finished') {
    throw new InputError(`${RUN_LOG}: the run has not finished; run it again with prune.`);
  }
  return { started, events };
}

/** The models of such a run. @throws InputError when they are not those that the log names */
async function readModels(
  folder: string,
  events: RunEvent[],
  { retraining }: Experiment,
): Promise<RunModels> {
  const final = (await openModel(folder)).source;
  const models = !trains(retraining)
    ? { pruned: final, retrained: null }
    : { pruned: (await openModel(join(folder, BEFORE_RETRAINING))).source, retrained: final };
  await checkRunModels(events, models);
  return models;
}

/** @throws InputError for an unknown one. */
function chooseArms(names: string | undefined): readonly Arm[] {
  if (names === undefined) return USUAL_ARMS;
  const unknown = names.split(',').find((name) => !ARMS.some((arm) => arm === name));
  if (unknown !== undefined) {
    throw new UsageError(`--arms has no ${plain(unknown)}: choose among ${ARMS.join(', ')}.`);
  }
  return ARMS.filter((arm) => names.split(',').includes(arm));
}

function chooseTaskNames(names = 'all'): 'all' | string[] {
  if (names === 'all') return 'all';
  return names === 'none' ? [] : names.split(',');
}
