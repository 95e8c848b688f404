import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createRunControl } from '../../run/control';
import { ARMS, type Arm } from '../../report/report';
import { reportCsv, reportMarkdown } from '../../report/export';
import { makeReport } from '../../report/run-report';
import { checkExperiment, type RunModels } from '../../run/run';
import type { RunEvent, StartedEvent } from '../../run/events';
import { checkRunModels, checkRunSource } from '../../run/run-identity';
import { parseRunLog } from '../../run/run-log';
import { ALL_WINDOWS, runTokens } from '../../run/run-size';
import { parseExperiment, type Experiment } from '../../experiment/schema';
import { VERSION } from '../../run/version';
import { InputError, plain } from '../../formats/refusal';
import { numberOption, type Answer, type CommandInput } from '../command';
import { isFolder, openCorpusFor, openModel, readJson, readSiteFile, tokenizerOf, userPath } from '../files';
import { openCommandGpu } from '../gpu';
import { createProgress, secondsLeft } from '../progress';
import { runInTerminal } from '../run';
import { BEFORE_RETRAINING, RUN_LOG } from './prune';

const ALL_ITEMS = 10_000;

/** Runs an experiment (or takes a run of `prune`), trains its control, and measures all models side by side. */
export async function report({ positionals, options }: CommandInput): Promise<Answer> {
  const wanted = positionals[0]!;
  const folder = (await isFolder(userPath(wanted))) ? userPath(wanted) : null;
  const log = folder ? await readLog(folder) : null;
  const experiment = log ? log.started.experiment : await readExperiment(wanted);
  const opened = await openModel(textOption(options, 'model') ?? experiment.source);
  const { source } = opened;
  if (log) checkRunSource(log.started, source);
  const finished = folder && log ? await readModels(folder, log.events, experiment) : null;
  checkExperiment(experiment, source.config);
  const request = {
    arms: chooseArms(textOption(options, 'arms')),
    tasks: chooseTaskNames(textOption(options, 'tasks')),
    items: numberOption(options, 'limit', ALL_ITEMS, [1, ALL_ITEMS]),
    windows: numberOption(options, 'windows', ALL_WINDOWS, [1, ALL_WINDOWS]),
  };
  const files = { csv: textOption(options, 'csv'), markdown: textOption(options, 'markdown') };
  const corpus = await openCorpusFor(opened, runTokens(experiment));
  const gpu = await openCommandGpu();

  const models = finished ?? (await runInTerminal(experiment, opened, corpus, gpu)).models;
  const progress = createProgress();
  const started = performance.now();
  const made = await makeReport(request, {
    gpu,
    source,
    tokenizer: tokenizerOf(opened),
    finished: { experiment, ...models },
    corpus,
    read: readSiteFile,
    turn: createRunControl(),
    version: VERSION,
    progress(what, share) {
      if (share > 0) progress.say(`${what}, ${secondsLeft(performance.now() - started, share, 1)}`);
    },
    partial: () => undefined,
  });
  progress.end();
  const markdown = reportMarkdown(made);
  if (files.csv) await writeFile(userPath(files.csv), reportCsv(made));
  if (files.markdown) await writeFile(userPath(files.markdown), markdown);
  return { json: made, text: markdown };
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
  const models =
    retraining === 'none'
      ? { pruned: final, retrained: null }
      : { pruned: (await openModel(join(folder, BEFORE_RETRAINING))).source, retrained: final };
  await checkRunModels(events, models);
  return models;
}

function textOption(options: CommandInput['options'], name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws InputError for an unknown one. */
function chooseArms(names: string | undefined): readonly Arm[] {
  if (names === undefined) return ARMS;
  const unknown = names.split(',').find((name) => !ARMS.some((arm) => arm === name));
  if (unknown !== undefined) {
    throw new InputError(`--arms has no ${plain(unknown)}: choose among ${ARMS.join(', ')}.`);
  }
  return ARMS.filter((arm) => names.split(',').includes(arm));
}

function chooseTaskNames(names = 'all'): 'all' | string[] {
  if (names === 'all') return 'all';
  return names === 'none' ? [] : names.split(',');
}
