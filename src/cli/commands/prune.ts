import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFamily } from '../../data/model-family';
import { createRunControl } from '../../experiment/control';
import type { RunEvent, RunSummary } from '../../experiment/events';
import { runSteps, runTokens } from '../../experiment/run-size';
import { metricsJson } from '../../experiment/metrics-export';
import { runLogHeader } from '../../experiment/run-log';
import { usesScalingLaw } from '../../experiment/reference-losses';
import { checkExperiment, finalModel, runExperiment } from '../../experiment/run';
import { parseExperiment } from '../../experiment/schema';
import { VERSION } from '../../experiment/version';
import { tokenizerFiles, writeModelFolder } from '../../formats/hugging-face';
import { parameterLayout, unpackParameters } from '../../llama/parameters';
import { makeOutputFolder, openCorpusFor, openModel, readJson, readSiteFile } from '../files';
import { openCommandGpu } from '../gpu';
import type { Answer, CommandInput } from '../command';
import { createProgress, secondsLeft } from '../progress';

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
  const family = usesScalingLaw(experiment) ? await readFamily(readSiteFile, source.name) : [];
  const folder = await makeOutputFolder(out);
  const gpu = await openCommandGpu();

  const events: RunEvent[] = [];
  const control = createRunControl();
  const totalSteps = runSteps(experiment);
  const progress = createProgress();
  const models = await runExperiment(experiment, {
    gpu,
    source,
    corpus,
    family,
    turn: control,
    version: VERSION,
    emit(event) {
      events.push(event);
      if (event.type !== 'step') return;
      const left = secondsLeft(control.elapsedMs(), event.step, totalSteps);
      progress.say(
        `${event.stage} step ${event.step} of ${totalSteps}, loss ${event.loss.toFixed(3)}, ${left}`,
      );
    },
    activity: (what, done, total) => progress.say(`${what}: ${done} of ${total}`),
  });
  progress.end();
  gpu.throwOnError();
  const finished = events.at(-1);
  if (finished?.type !== 'finished') throw new Error('The run ended without a summary.');

  const summary = { ...runLogHeader(events), ...namedSummary(finished.summary) };
  const { config, parameters } = finalModel(models);
  const files = writeModelFolder(config, unpackParameters(parameterLayout(config), parameters), [
    ...tokenizerFiles(opened),
    file('summary.json', `${JSON.stringify(summary, null, 1)}\n`),
    file('run.json', metricsJson(events)),
    file('metrics.jsonl', events.map((event) => `${JSON.stringify(event)}\n`).join('')),
  ]);
  for (const { name, bytes } of files) await writeFile(join(folder, name), bytes);
  return { json: summary, text: `${describe(finished.summary)}\nWritten to ${out}` };
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
