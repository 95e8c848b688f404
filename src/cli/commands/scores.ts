import { defaultExperiment } from '../../experiment/schema';
import { csvText } from '../../formats/csv';
import { GATE_SETS, gateLayout, type GateSet } from '../../llama/gates';
import { uploadModel } from '../../llama/inference';
import { CRITERIA } from '../../pruning/scores';
import { removalOrder } from '../../pruning/scores/mask';
import { scoreRows } from '../../pruning/scores/table';
import { calibrationSequences } from '../../run/calibration';
import { neededTokens } from '../../run/run-size';
import { scoreBy } from '../../run/score-units';
import { textOption, UsageError, type Answer, type Command, type CommandInput } from '../command';
import { openCorpusFor, openModel, type OpenedModel } from '../files';
import { openCommandGpu } from '../gpu';
import { checkOutputFile, writeOutputFile } from '../output-folder';
import { createProgress } from '../progress';
import { readSequences } from '../sequences';

export const scores: Command = {
  name: 'scores',
  argument: { name: 'MODEL' },
  summary: 'how important layers, heads, MLP units and hidden dimensions are, by one score',
  options: {
    method: { value: 'ID', help: CRITERIA.map(({ id }) => id).join(', '), required: true },
    calibration: {
      value: 'FILE',
      help: 'a JSON array of token sequences, one batch (the default experiment’s, of the bundled corpus)',
    },
    'protect-ends': { help: 'the first and last layers go last (the “+” of Shortened LLaMA)' },
    csv: { value: 'FILE', help: 'also writes every score as a table' },
  },
  run: scoreModel,
};

async function scoreModel({ positionals, options }: CommandInput): Promise<Answer> {
  const id = textOption(options, 'method')!;
  const found = CRITERIA.find((one) => one.id === id);
  if (!found) {
    throw new UsageError(`--method must be one of ${CRITERIA.map((one) => one.id).join(', ')}, not ${id}.`);
  }
  const protectEnds = options['protect-ends'] === true;
  if (protectEnds && !(found.sets as readonly GateSet[]).includes('layer')) {
    throw new UsageError(`--protect-ends is about layers, which ${id} does not score: leave it out.`);
  }
  const csv = textOption(options, 'csv');
  if (csv !== undefined) await checkOutputFile('--csv', csv);
  const opened = await openModel(positionals[0]!);
  const { source } = opened;
  const { config } = source;
  const { sequences, seed } = await calibrationOf(opened, textOption(options, 'calibration'));
  const gpu = await openCommandGpu();
  const progress = createProgress();
  const view = uploadModel(gpu, source.name, source);
  const on = {
    sequences,
    seed,
    between: (what: string, done: number, total: number) => progress.say(`${what}: ${done} of ${total}`),
  };
  const taken = await scoreBy(gpu, { ...source, view }, on, [found.id]).finally(() => view.destroy());
  const result = taken[found.id];
  progress.end();
  gpu.throwOnError();

  const layout = gateLayout(config);
  const values = Object.fromEntries(
    GATE_SETS.flatMap((set) => {
      const list = result.values[set];
      if (!list) return [];
      const numbers = Array.from(list);
      const { rows, length } = layout[set];
      const nested = Array.from({ length: rows }, (_, row) =>
        numbers.slice(row * length, (row + 1) * length),
      );
      return [[set, set === 'hidden' || set === 'layer' ? numbers : nested]];
    }),
  );
  const { layer, ...units } = values;
  const order = layer && removalOrder(result, protectEnds);
  const tokens = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  if (csv !== undefined) await writeOutputFile('--csv', csv, csvText(scoreRows(config, result)));
  const json = {
    method: id,
    model: source.name,
    sequences: sequences.length,
    tokens,
    // Of blocks, where the method scores blocks; of the other units otherwise.
    scores: layer ?? units,
    ...(order && { order }),
    ...(layer && Object.keys(units).length > 0 && { units }),
    adapter: gpu.adapter,
  };
  return { json, text: textOf(found.label, result.values, order) };
}

async function calibrationOf(opened: OpenedModel, file: string | undefined) {
  const experiment = defaultExperiment();
  const { seed } = experiment.calibration;
  const { config } = opened.source;
  if (file !== undefined) {
    const given = await readSequences('--calibration', file, config);
    return { sequences: given.map((sequence) => Uint32Array.from(sequence)), seed };
  }
  const corpus = await openCorpusFor(opened, neededTokens(experiment));
  const contextLength = Math.min(experiment.contextLength, config.maxPositionEmbeddings);
  return { sequences: calibrationSequences({ ...experiment, contextLength }, corpus), seed };
}

function textOf(
  label: string,
  { layer, ...units }: Partial<Record<GateSet, Float64Array>>,
  order: number[] | undefined,
): string {
  const lines = [label];
  if (layer && order) {
    layer.forEach((score, l) => lines.push(`layer ${String(l + 1).padStart(3)}  ${score.toPrecision(6)}`));
    lines.push(`least important first: ${order.map((l) => l + 1).join(', ')}`);
  }
  for (const [set, list] of Object.entries(units)) {
    const sorted = list.slice().sort();
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!.toPrecision(4);
    lines.push(`${set.padEnd(12)} ${list.length} units, from ${at(0)} over ${at(0.5)} (median) to ${at(1)}`);
  }
  return lines.join('\n');
}
