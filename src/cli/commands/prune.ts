import { cutConfig } from '../../run/cut-config';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Corpus } from '../../data/corpus';
import { publishedJson } from '../../fields/finite';
import { parsePlan, type Plan } from '../../experiment/interventions';
import type { Experiment } from '../../experiment/schema';
import { tokenizerFiles, writeModelFolder, type OutputFile } from '../../formats/hugging-face';
import { refuse } from '../../formats/refusal';
import { type LlamaConfig } from '../../llama/config';
import { parameterLayout, unpackParameters, type FlatModel } from '../../llama/parameters';
import { weightBytes } from '../../pruning/cost';
import { trains } from '../../retraining';
import { checkExperiment } from '../../run/check-experiment';
import { isRelevant } from '../../experiment/relevance';
import type { RunEvent, RunSummary, SurgeryEvent } from '../../run/events';
import { createKeeper, findRun, readEvents, type FoundRun } from '../../run/keeper';
import { logText } from '../../run/metrics-export';
import { finalModel } from '../../run/run';
import { eventLine, runLogHeader } from '../../run/run-log';
import { neededTokens } from '../../run/run-size';
import { importRun } from '../../storage/archive';
import { openMemoryStore } from '../../storage/memory-store';
import { openRunFolder } from '../../storage/node-folder';
import type { RunFolder } from '../../storage/run-store';
import {
  numberOption,
  textOption,
  UsageError,
  type Answer,
  type Command,
  type CommandInput,
} from '../command';
import { isFolder, openCorpusFor, openModel, readJson, userPath, type OpenedModel } from '../files';
import { openCommandGpu } from '../gpu';
import { prepareOutputFolder, reopenOutputFolder, type OutputFolder } from '../output-folder';
import { runInTerminal } from '../run';

/** In the folder of a run: its log, and the model as it was cut, before retraining. The report reads both. */
export const RUN_LOG = 'run.json';
const METRICS = 'metrics.jsonl';
const SUMMARY = 'summary.json';
export const BEFORE_RETRAINING = 'before-retraining';
/** The run as the page keeps it, too: log, checkpoints, models (docs/reliability.md). */
export const KEPT = 'run';
/** In there: which model was pruned, as it was named on the command line. */
const SOURCE_NAME = 'source.json';

export const prune: Command = {
  name: 'prune',
  argument: { name: 'EXPERIMENT.json', optional: true },
  summary:
    'run an experiment; writes a Hugging Face folder, metrics.jsonl, run.json (the log that the page replays) and summary.json',
  options: {
    out: { value: 'DIR', help: 'where the pruned model and its log go' },
    resume: {
      value: 'DIR|FILE',
      help: 'go on from the last checkpoint of the run in DIR, or of one that the page exported (with --out)',
    },
    'checkpoint-every': { value: 'N', help: 'steps between two checkpoints (those of the experiment)' },
    model: { value: 'MODEL', help: 'the source model (that of the experiment)' },
    force: { help: 'write into a folder that is not empty, over an earlier run' },
  },
  run: (input) => (textOption(input.options, 'resume') === undefined ? runAndWrite(input) : resume(input)),
};

async function runAndWrite({ positionals, options }: CommandInput): Promise<Answer> {
  const out = textOption(options, 'out');
  if (positionals[0] === undefined) {
    throw new UsageError('prune needs EXPERIMENT.json, or --resume DIR: see prune --help.');
  }
  if (!out) throw new UsageError('--out DIR is needed: see prune --help.');
  const plan = parsePlan(await readJson(positionals[0]), positionals[0]);
  const { experiment } = plan;
  const model = textOption(options, 'model') ?? experiment.source;
  const opened = await openModel(model);
  const { source } = opened;
  const corpus = await openCorpusFor(opened, neededTokens(experiment));
  checkExperiment(experiment, source.config);
  const output = await prepareOutputFolder(out, {
    force: options['force'] === true,
    sources: [opened.folder],
    bytes: writtenBytes(source.config, experiment),
  });
  await output.remove(KEPT);
  const folder = await openRunFolder(join(output.path, KEPT));
  await folder.write(SOURCE_NAME, encoded(JSON.stringify({ model })));
  return carryOut({ out, output, folder, opened, corpus, plan, found: null, options });
}

/** Goes on with a run that was interrupted, as if it had never stopped. */
async function resume({ positionals, options }: CommandInput): Promise<Answer> {
  const given = textOption(options, 'resume')!;
  const exported = !(await isFolder(userPath(given)));
  const out = exported ? textOption(options, 'out') : given;
  if (positionals[0] !== undefined || (!exported && options['out'] !== undefined)) {
    throw new UsageError('--resume DIR goes on with the run in DIR: name no experiment and no --out.');
  }
  if (!out) throw new UsageError('--resume FILE needs --out DIR: where the run goes on.');
  const output = exported
    ? await takeIn(given, out, options['force'] === true)
    : await reopenOutputFolder(out, KEPT);
  const folder = await openRunFolder(join(output.path, KEPT));
  const found = await findRun(folder);
  if (!found) {
    await folder.close();
    return refuse(`--resume ${out}`, 'it holds no run that reached a checkpoint; run prune again');
  }
  for (const problem of found.problems) process.stderr.write(`${problem}; the checkpoint before is used.\n`);
  const { state } = found.saved;
  const opened = await openModel(
    textOption(options, 'model') ?? (await sourceName(folder, state.source.name)),
  );
  if (opened.source.weightsSha256 !== state.source.weightsSha256) {
    await folder.close();
    return refuse(
      `--resume ${out}`,
      `the run prunes ${state.source.name}, and ${opened.source.name} has other weights: give the model that was pruned (--model)`,
    );
  }
  const corpus = await openCorpusFor(opened, neededTokens(state.experiment));
  return carryOut({ out, output, folder, opened, corpus, plan: state, found, options });
}

/** Unpacks a run that the page exported into the folder of --out. @throws InputError */
async function takeIn(file: string, out: string, force: boolean): Promise<OutputFolder> {
  const bytes = await readFile(userPath(file)).catch(() =>
    refuse(`--resume ${file}`, 'there is no such folder or file'),
  );
  const store = openMemoryStore('on its way to a folder');
  const files = await store.files(await importRun(store, bytes));
  const output = await prepareOutputFolder(out, { force, sources: [], bytes: bytes.length });
  await output.remove(KEPT);
  const folder = await openRunFolder(join(output.path, KEPT));
  for (const { name } of await files.list()) await folder.write(name, (await files.read(name))!);
  await folder.close();
  return output;
}

async function sourceName(folder: RunFolder, fallback: string): Promise<string> {
  const bytes = await folder.read(SOURCE_NAME);
  if (!bytes) return fallback;
  const { model } = JSON.parse(new TextDecoder().decode(bytes)) as { model?: unknown };
  return typeof model === 'string' ? model : fallback;
}

interface Work {
  out: string;
  output: OutputFolder;
  folder: RunFolder;
  opened: OpenedModel;
  corpus: Corpus;
  plan: Plan;
  found: FoundRun | null;
  options: CommandInput['options'];
}

async function carryOut(work: Work): Promise<Answer> {
  const { out, output, folder, opened, corpus, plan, found, options } = work;
  const every = options['checkpoint-every'];
  const keeper = await createKeeper(folder, found?.position);
  const last: { event: RunEvent | null } = { event: null };
  let surgery = found?.saved.state.surgery ?? null;
  let models;
  try {
    models = await runInTerminal(
      { plan, saved: found?.saved ?? null },
      {
        opened,
        corpus,
        gpu: await openCommandGpu(),
        keeper,
        checkpointEvery:
          every === undefined ? undefined : numberOption(options, 'checkpoint-every', 1, [1, 1_000_000]),
        hear(event) {
          keeper.add(event);
          last.event = event;
          if (event.type === 'surgery') surgery = event;
        },
        goOn: `prune --resume ${out}`,
      },
    );
    await keeper.flush();
  } catch (error) {
    // What a run that was stopped or broke down has told up to there is kept.
    await keeper.flush().catch(() => undefined);
    const header = await writeLog(output, folder);
    await folder.close();
    if (!header) {
      // Nothing has happened yet that anybody could go on from.
      await output.remove(KEPT);
      await output.giveBack();
    }
    throw error;
  }
  if (last.event?.type !== 'finished') throw new Error('The run ended without a summary.');
  const { summary } = last.event;

  // The model before anything else; the summary, which says that all is there, last.
  await output.remove(SUMMARY);
  await output.remove(BEFORE_RETRAINING);
  await output.write(modelFiles(finalModel(models), opened));
  if (models.retrained) {
    await keeper.keepModel('retrained', models.retrained);
    await output.write(modelFiles(models.pruned, opened), BEFORE_RETRAINING);
  }
  const header = await writeLog(output, folder);
  await folder.close();
  const published = { ...header, ...howItWasMade(plan.experiment, surgery), ...namedSummary(summary) };
  await output.write([{ name: SUMMARY, bytes: encoded(`${publishedJson(published, SUMMARY, 1)}\n`) }]);
  return { json: published, text: `${describe(summary, surgery)}\nWritten to ${out}` };
}

/** Writes both forms of the log from the run's own, event by event: a long one is larger than a string may be. */
async function writeLog(output: OutputFolder, folder: RunFolder) {
  const events = () => readEvents(folder);
  for await (const started of events()) {
    const header = runLogHeader([started]);
    await output.stream(METRICS, lines(events()));
    await output.stream(RUN_LOG, logText(events(), 'json'));
    return header;
  }
  return null;
}

async function* lines(events: AsyncIterable<RunEvent>): AsyncGenerator<string> {
  for await (const event of events) yield `${eventLine(event, 'inside')}\n`;
}

function modelFiles({ config, parameters }: FlatModel, source: OpenedModel): OutputFile[] {
  const tensors = unpackParameters(parameterLayout(config), parameters);
  return writeModelFolder(config, tensors, tokenizerFiles(source));
}

/** Bytes that a run writes at least: the models, twice, and two checkpoints of weights and moments. */
function writtenBytes(source: LlamaConfig, experiment: Experiment): number {
  const cut = weightBytes(cutConfig(source, experiment));
  return cut * (trains(experiment.retraining) ? 4 : 2) + 2 * 3 * weightBytes(source);
}

const encoded = (text: string) => new TextEncoder().encode(text);

/** Method, basis and retraining of a run, and what its cut kept: indices in the source (in a turned basis, of axes). */
function howItWasMade(experiment: Experiment, surgery: SurgeryEvent | null) {
  const { method, basis, retraining, scores, distillation } = experiment;
  const { layers, widths } = scores;
  return {
    method,
    basis,
    retraining,
    ...(isRelevant('scores', experiment) && { scores: { layers, widths } }),
    distillation: { weight: distillation.weight, temperature: distillation.temperature },
    ...(surgery && { kept: surgery.kept }),
    ...(surgery?.nearlyDead && { nearlyDead: surgery.nearlyDead }),
  };
}

/** The summary with its losses by the domains' names. */
function namedSummary({ loss, domains, mixture, ...rest }: RunSummary) {
  const named = (values: number[]) => Object.fromEntries(domains.map((name, i) => [name, values[i]!]));
  return {
    ...rest,
    loss: {
      source: named(loss.source),
      masked: named(loss.masked),
      pruned: named(loss.pruned),
      retrained: loss.retrained && named(loss.retrained),
    },
    mixture: named(mixture),
  };
}

/** Of logs from before they were counted, too. */
const NONE_NEARLY_DEAD = { hidden: 0, head: 0, intermediate: 0, layer: 0 };

/** Kept units that their gates had nearly closed, in one line; none where there are none. */
function describeNearlyDead(surgery: SurgeryEvent | null): string[] {
  const { hidden, head, intermediate, layer } = surgery?.nearlyDead ?? NONE_NEARLY_DEAD;
  if (hidden + head + intermediate + layer === 0) return [];
  return [
    `kept although their gates had nearly closed: ${layer} layers, ${hidden} hidden dimensions, ${head} key/value groups, ${intermediate} MLP units`,
  ];
}

function describe(
  { achieved, parameters, domains, loss, maskedVersusPruned }: RunSummary,
  surgery: SurgeryEvent | null,
): string {
  const count = (value: number) => value.toLocaleString('en');
  const at = (values: number[] | null, i: number) => (values ? values[i]!.toFixed(3) : '–').padStart(11);
  return [
    `${achieved.numHiddenLayers} layers, hidden size ${achieved.hiddenSize}, ${achieved.numAttentionHeads} heads, MLP width ${achieved.intermediateSize}: ${count(parameters.pruned)} of ${count(parameters.source)} parameters`,
    ['loss'.padEnd(14), ...['source', 'masked', 'pruned', 'retrained'].map((s) => s.padStart(11))].join(''),
    ...domains.map((name, i) =>
      [
        name.padEnd(14),
        at(loss.source, i),
        at(loss.masked, i),
        at(loss.pruned, i),
        at(loss.retrained, i),
      ].join(''),
    ),
    `masked against pruned logits: at most ${maskedVersusPruned.toExponential(2)} apart`,
    ...describeNearlyDead(surgery),
  ].join('\n');
}
