import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../../run/events';
import { runTokens } from '../../run/run-size';
import { metricsJson } from '../../run/metrics-export';
import { eventLine, runLogHeader } from '../../run/run-log';
import { checkExperiment } from '../../run/check-experiment';
import { finalModel } from '../../run/run';
import { parseExperiment } from '../../experiment/schema';
import { tokenizerFiles, writeModelFolder, type OutputFile } from '../../formats/hugging-face';
import { parameterLayout, unpackParameters, type FlatModel } from '../../llama/parameters';
import { makeOutputFolder, openCorpusFor, openModel, readJson } from '../files';
import { openCommandGpu } from '../gpu';
import type { Answer, CommandInput } from '../command';
import { runInTerminal } from '../run';

/** In the folder of a run: its log, and the model as it was cut, before retraining. The report reads both. */
export const RUN_LOG = 'run.json';
export const BEFORE_RETRAINING = 'before-retraining';

export async function prune({ positionals, options }: CommandInput): Promise<Answer> {
  const { out } = options;
  if (typeof out !== 'string' || out === '')
    throw new Error('--out DIR is needed: where the pruned model goes.');
  const experiment = parseExperiment(await readJson(positionals[0]!), positionals[0]);
  const model = typeof options['model'] === 'string' ? options['model'] : experiment.source;
  const opened = await openModel(model);
  const { source } = opened;
  const corpus = await openCorpusFor(opened, runTokens(experiment));
  checkExperiment(experiment, source.config);
  const folder = await makeOutputFolder(out);
  const gpu = await openCommandGpu();

  const { models, events } = await runInTerminal(experiment, opened, corpus, gpu);
  const finished = events.at(-1);
  if (finished?.type !== 'finished') throw new Error('The run ended without a summary.');

  const summary = { ...runLogHeader(events), ...namedSummary(finished.summary) };
  await writeModel(folder, finalModel(models), [
    ...tokenizerFiles(opened),
    file('summary.json', `${JSON.stringify(summary, null, 1)}\n`),
    file(RUN_LOG, [...metricsJson(events, runLogHeader(events))].join('')),
    file('metrics.jsonl', events.map((event) => `${eventLine(event, 'inside')}\n`).join('')),
  ]);
  if (models.retrained) {
    await writeModel(join(folder, BEFORE_RETRAINING), models.pruned, tokenizerFiles(opened));
  }
  return { json: summary, text: `${describe(finished.summary)}\nWritten to ${out}` };
}

async function writeModel(folder: string, { config, parameters }: FlatModel, beside: OutputFile[]) {
  const tensors = unpackParameters(parameterLayout(config), parameters);
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of writeModelFolder(config, tensors, beside)) {
    await writeFile(join(folder, name), bytes);
  }
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
