import { publishedJson } from '../../fields/finite';
import type { RunEvent, RunSummary } from '../../run/events';
import { runTokens } from '../../run/run-size';
import { metricsJson } from '../../run/metrics-export';
import { eventLine, runLogHeader } from '../../run/run-log';
import { checkExperiment } from '../../run/check-experiment';
import { finalModel } from '../../run/run';
import { parseExperiment, type Experiment } from '../../experiment/schema';
import { tokenizerFiles, writeModelFolder, type OutputFile } from '../../formats/hugging-face';
import { prunedConfig, type LlamaConfig } from '../../llama/config';
import { parameterLayout, unpackParameters, type FlatModel } from '../../llama/parameters';
import { weightBytes } from '../../pruning/cost';
import { openCorpusFor, openModel, readJson, type OpenedModel } from '../files';
import { openCommandGpu } from '../gpu';
import { textOption, type Answer, type Command, type CommandInput } from '../command';
import { prepareOutputFolder } from '../output-folder';
import { runInTerminal } from '../run';

/** In the folder of a run: its log, and the model as it was cut, before retraining. The report reads both. */
export const RUN_LOG = 'run.json';
const SUMMARY = 'summary.json';
export const BEFORE_RETRAINING = 'before-retraining';

export const prune: Command = {
  name: 'prune',
  argument: { name: 'EXPERIMENT.json' },
  summary:
    'run an experiment; writes a Hugging Face folder, metrics.jsonl, run.json (the log that the page replays) and summary.json',
  options: {
    out: { value: 'DIR', help: 'where the pruned model and its log go', required: true },
    model: { value: 'MODEL', help: 'the source model (that of the experiment)' },
    force: { help: 'write into a folder that is not empty, over an earlier run' },
  },
  run: runAndWrite,
};

async function runAndWrite({ positionals, options }: CommandInput): Promise<Answer> {
  const out = textOption(options, 'out')!;
  const experiment = parseExperiment(await readJson(positionals[0]!), positionals[0]);
  const opened = await openModel(textOption(options, 'model') ?? experiment.source);
  const { source } = opened;
  const corpus = await openCorpusFor(opened, runTokens(experiment));
  checkExperiment(experiment, source.config);
  const output = await prepareOutputFolder(out, {
    force: options['force'] === true,
    sources: [opened.folder],
    bytes: writtenBytes(source.config, experiment),
  });
  const events: RunEvent[] = [];
  const log = () => [
    file('metrics.jsonl', events.map((event) => `${eventLine(event, 'inside')}\n`).join('')),
    file(RUN_LOG, [...metricsJson(events, runLogHeader(events))].join('')),
  ];
  const models = await runInTerminal(experiment, opened, corpus, await openCommandGpu(), (event) =>
    events.push(event),
  ).catch(async (error: unknown) => {
    // What a run that breaks down has told up to there is kept.
    if (events.length > 0) await output.write(log());
    else await output.giveBack();
    throw error;
  });
  const finished = events.at(-1);
  if (finished?.type !== 'finished') throw new Error('The run ended without a summary.');

  const summary = { ...runLogHeader(events), ...namedSummary(finished.summary) };
  // The model before anything else; the summary, which says that all is there, last.
  await output.remove(SUMMARY);
  await output.remove(BEFORE_RETRAINING);
  await output.write(modelFiles(finalModel(models), opened));
  if (models.retrained) await output.write(modelFiles(models.pruned, opened), BEFORE_RETRAINING);
  await output.write(log());
  await output.write([file(SUMMARY, `${publishedJson(summary, SUMMARY, 1)}\n`)]);
  return { json: summary, text: `${describe(finished.summary)}\nWritten to ${out}` };
}

function modelFiles({ config, parameters }: FlatModel, source: OpenedModel): OutputFile[] {
  const tensors = unpackParameters(parameterLayout(config), parameters);
  return writeModelFolder(config, tensors, tokenizerFiles(source));
}

/** Bytes of the weights that a run writes. */
function writtenBytes(source: LlamaConfig, { target, retraining }: Experiment): number {
  return weightBytes(prunedConfig(source, target)) * (retraining === 'none' ? 1 : 2);
}

function file(name: string, text: string) {
  return { name, bytes: new TextEncoder().encode(text) };
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

function describe({ achieved, parameters, domains, loss, maskedVersusPruned }: RunSummary): string {
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
  ].join('\n');
}
