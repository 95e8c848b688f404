import type { Estimate } from '../evaluation/result';
import type { Arm, ArmReport, EvaluationReport } from './report';

/** A report as people read it: the same cells in the page, in Markdown and in the README. */
export interface ReportTable {
  /** Titles of the columns of models, and their names where they have one. */
  columns: { title: string; model: string }[];
  sections: { title: string; rows: ReportRow[] }[];
  /** What a reader has to know of the rows, a sentence each. */
  notes: string[];
}

export interface ReportRow {
  title: string;
  /** One a column. */
  cells: string[];
}

export const ARM_TITLES: Record<Arm, string> = {
  source: 'Source',
  pruned: 'Pruned',
  retrained: 'Retrained',
  scratch: 'From scratch',
  rewarmed: 'Source, trained on',
  family: 'Family member',
};

const NONE = '–';

/** 12,345 */
const whole = (value: number) => value.toLocaleString('en');
/** 1.23e14 */
const scientific = (value: number) => value.toExponential(2).replace('e+', 'e');
const percent = (share: number) => (100 * share).toFixed(1);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Digits that stay comparable in a row. */
function decimal(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (value >= 1e5) return scientific(value);
  return value >= 1000 ? whole(Math.round(value)) : value.toFixed(value < 100 ? 2 : 1);
}

/** "41.2 (38.1–44.3)" */
function interval({ value, low, high }: Estimate, show: (value: number) => string): string {
  return `${show(value)} (${show(low)}–${show(high)})`;
}

export function reportTable(report: EvaluationReport): ReportTable {
  const { arms, domains, tasks } = report;
  const row = (title: string, cell: (arm: ArmReport) => string): ReportRow => ({
    title,
    cells: arms.map(cell),
  });
  const spent = (title: string, cell: (of: NonNullable<ArmReport['spent']>) => string) =>
    row(title, (arm) => (arm.spent ? cell(arm.spent) : NONE));

  const size = [
    row('Layers', ({ shape }) => whole(shape.numHiddenLayers)),
    row('Hidden size', ({ shape }) => whole(shape.hiddenSize)),
    row('Attention heads', ({ shape }) => whole(shape.numAttentionHeads)),
    row('MLP width', ({ shape }) => whole(shape.intermediateSize)),
    row('Parameters', ({ parameters }) => whole(parameters.all)),
    row('Parameters in blocks', ({ parameters }) => whole(parameters.blocks)),
  ];
  const cost = [
    row('FLOPs a token, forward', ({ flopsPerToken }) => scientific(flopsPerToken)),
    spent('Training tokens', ({ tokens }) => whole(tokens)),
    spent('FLOPs of training', ({ training }) => scientific(training)),
    spent('FLOPs of evaluations on the way', ({ evaluation }) =>
      evaluation === 0 ? NONE : scientific(evaluation),
    ),
    row('Weights, MiB', ({ memory }) => decimal(memory.weights / 2 ** 20)),
    row('GPU memory, MiB', ({ memory }) => decimal(memory.running / 2 ** 20)),
    row('Milliseconds a window', ({ speed }) => decimal(speed.milliseconds)),
    row('Tokens a second', ({ speed }) => whole(Math.round(speed.tokensPerSecond))),
  ];
  const perplexity = [
    ...domains.map(({ title }, d) => row(title, ({ loss }) => decimal(Math.exp(loss[d]!)))),
    row('Mean of domains', ({ loss }) => decimal(Math.exp(mean(loss)))),
  ];
  const accuracy = tasks.map(({ title, chance, items }, t) =>
    row(`${title}, ${whole(items)} items (chance ${percent(chance)})`, (arm) =>
      interval(arm.tasks[t]!.accuracy, percent),
    ),
  );
  const words = tasks.flatMap(({ title }, t) =>
    arms.some((arm) => arm.tasks[t]!.perplexity)
      ? [
          row(`${title}, perplexity`, ({ tasks }) => {
            const { perplexity } = tasks[t]!;
            return perplexity ? interval(perplexity, decimal) : NONE;
          }),
        ]
      : [],
  );
  const average =
    tasks.length > 1
      ? [row('Mean of tasks', (arm) => percent(mean(arm.tasks.map(({ accuracy }) => accuracy.value))))]
      : [];

  return {
    columns: arms.map(({ arm, model }) => ({ title: ARM_TITLES[arm], model })),
    sections: [
      { title: 'Perplexity on the test split', rows: perplexity },
      ...(tasks.length ? [{ title: 'Tasks, accuracy in %', rows: [...accuracy, ...average, ...words] }] : []),
      { title: 'Cost', rows: cost },
      { title: 'Shape', rows: size },
    ],
    notes: notesOf(report),
  };
}

function notesOf(report: EvaluationReport): string[] {
  const { experiment, adapter, source, scratch, closestMember, arms, tasks, overScratch, domains } = report;
  const has = (arm: Arm) => arms.some((other) => other.arm === arm);
  const predictions = domains.reduce((sum, domain) => sum + domain.predictions, 0);
  const notes = [
    `Perplexity: ${whole(predictions)} predictions in windows of ${experiment.contextLength} tokens, on text that no training and no mixture has seen.`,
    `Milliseconds: the median from a window of ${experiment.contextLength} tokens to the logits of its last position, read back; tokens a second: over full batches. Memory: weights as f32, and weights with what the forward pass of one window holds.`,
  ];
  if (adapter.software) notes.push('Times are a software adapter’s: they say nothing about a GPU.');
  if (has('pruned') || has('retrained')) {
    notes.push('Tokens and FLOPs of the pruned and the retrained model count from the source model on.');
  }
  if (scratch) {
    notes.push(
      `From scratch: the same shape from random weights, ${whole(scratch.steps)} steps of ${scratch.batchSize} windows, learning rate ${scratch.learningRate} with a warm-up over ${percent(scratch.learningRateWarmup)} % of the steps and a cosine to ${percent(scratch.learningRateFloor)} %, weight decay ${scratch.weightDecay}; mixture, context, clipping and seed as in the run.`,
    );
  }
  if (has('rewarmed')) {
    notes.push(
      'Source, trained on: the uncut source for as many tokens as the run, at its rates of retraining; what warming up an annealed model costs or gains by itself.',
    );
  }
  if (closestMember === source) {
    notes.push(
      'The family member that is closest to the target in block parameters is the source model itself.',
    );
  }
  if (tasks.length) {
    notes.push(
      'Tasks: accuracy and its 95 % interval (Wilson). Chance is what an answer gets that has not read the item.',
    );
  }
  if (overScratch?.length) {
    const ahead = overScratch.filter(({ low }) => low > 0).length;
    const behind = overScratch.filter(({ high }) => high < 0).length;
    notes.push(
      `Retrained against from scratch, item by item: ahead in ${ahead} of ${tasks.length} tasks and behind in ${behind} beyond the 95 % interval of the paired difference; mean difference ${percent(mean(overScratch.map(({ value }) => value)))} points.`,
    );
  }
  return notes;
}
