import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRunControl } from '../../experiment/control';
import type { RunEvent } from '../../experiment/events';
import { runSteps, runTokens } from '../../experiment/run-size';
import { metricsJson } from '../../experiment/metrics-export';
import { checkExperiment, runExperiment } from '../../experiment/run';
import { parseExperiment } from '../../experiment/schema';
import { VERSION } from '../../experiment/version';
import { writeModelFolder } from '../../formats/hugging-face';
import { parameterLayout, unpackParameters } from '../../llama/parameters';
import { makeOutputFolder, openCorpusFor, openModel, readJson } from '../files';
import { openCommandGpu } from '../gpu';
import type { Answer, CommandInput } from '../command';

export async function prune({ positionals, options }: CommandInput): Promise<Answer> {
  const { out } = options;
  if (typeof out !== 'string' || out === '')
    throw new Error('--out DIR is needed: where the pruned model goes.');
  const experiment = parseExperiment(await readJson(positionals[0]!), positionals[0]);
  const model = typeof options['model'] === 'string' ? options['model'] : experiment.source;
  const opened = await openModel(model);
  const { source, tokenizerJson, tokenizerConfigJson } = opened;
  const corpus = await openCorpusFor(opened, runTokens(experiment));
  checkExperiment(experiment, source.config, corpus);
  const folder = await makeOutputFolder(out);
  const gpu = await openCommandGpu();

  const events: RunEvent[] = [];
  const control = createRunControl();
  const totalSteps = runSteps(experiment);
  const say = (line: string) => process.stderr.write(`\r${line.padEnd(78)}`);
  const pruned = await runExperiment(experiment, {
    gpu,
    source,
    corpus,
    turn: control,
    version: VERSION,
    emit(event) {
      events.push(event);
      if (event.type === 'step') {
        const left = (control.elapsedMs() / event.step) * (totalSteps - event.step);
        say(
          `${event.stage} step ${event.step} of ${totalSteps}, loss ${event.loss.toFixed(3)}, ${Math.ceil(left / 1000)} s left`,
        );
      } else if (event.type === 'surgery') {
        say(`cut: logits differ by at most ${event.maskedVersusPruned.toExponential(1)}`);
        process.stderr.write('\n');
      }
    },
    activity: (what, done, total) => say(`${what}: ${done} of ${total}`),
  });
  process.stderr.write('\n');
  gpu.throwOnError();
  const finished = events.at(-1);
  if (finished?.type !== 'finished') throw new Error('The run ended without a summary.');

  const layout = parameterLayout(pruned.config);
  const json = (name: string, value: unknown) => ({
    name,
    bytes: new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`),
  });
  const files = writeModelFolder(pruned.config, unpackParameters(layout, pruned.parameters), [
    ...(tokenizerJson === null ? [] : [json('tokenizer.json', tokenizerJson)]),
    ...(tokenizerConfigJson === null ? [] : [json('tokenizer_config.json', tokenizerConfigJson)]),
    json('summary.json', finished.summary),
    { name: 'run.json', bytes: new TextEncoder().encode(metricsJson(events)) },
    {
      name: 'metrics.jsonl',
      bytes: new TextEncoder().encode(events.map((e) => `${JSON.stringify(e)}\n`).join('')),
    },
  ]);
  for (const { name, bytes } of files) await writeFile(join(folder, name), bytes);

  const { summary } = finished;
  const rows = summary.domains.map((name, i) => {
    const at = (losses: number[] | null) => (losses ? losses[i]!.toFixed(3) : '–').padStart(9);
    const { loss } = summary;
    return `${name.padEnd(14)}${at(loss.source)}${at(loss.masked)}${at(loss.pruned)}${at(loss.retrained)}`;
  });
  const shape = summary.achieved;
  return {
    json: summary,
    text: [
      `${shape.numHiddenLayers} layers, hidden size ${shape.hiddenSize}, ${shape.numAttentionHeads} heads, MLP width ${shape.intermediateSize}: ${summary.parameters.pruned.toLocaleString('en')} of ${summary.parameters.source.toLocaleString('en')} parameters`,
      `${'loss'.padEnd(14)}   source   masked   pruned  retrained`,
      ...rows,
      `masked against pruned logits: at most ${summary.maskedVersusPruned.toExponential(2)} apart`,
      `Written to ${out}`,
    ].join('\n'),
  };
}
