import type { Tokenizer } from '../data/tokenizer';
import { headline, type TaskResult } from '../evaluation/result';
import { scoreTasks } from '../evaluation/score-tasks';
import { measureSpeed, type Speed } from '../evaluation/speed';
import type { Task } from '../evaluation/task';
import type { Gpu } from '../gpu/device';
import { shapeOf, type LlamaConfig } from '../llama/config';
import { evaluateSets, evaluationBatch, meanLoss } from '../llama/evaluate';
import { withModel } from '../llama/inference';
import type { FlatModel } from '../llama/parameters';
import { inferencePlan, planBytes } from '../llama/workspace';
import { blockParameterCount, forwardFlopsPerToken, parameterCount, weightBytes } from '../pruning/cost';
import type { Arm, ArmReport } from './report';
import type { Spent } from './cost';
import type { TestText } from './text';

/** What every model of a report is measured on. */
export interface HeldOutData {
  /** Tokens in a window. */
  context: number;
  /** Held-out text, by domain. */
  test: readonly TestText[];
  tasks: readonly Task[];
  /** Of the source model, whose family shares it; null: there are no tasks to score. */
  tokenizer: Tokenizer | null;
}

export interface ReportedModel extends FlatModel {
  arm: Arm;
  /** The model's own name, where it has one. */
  name: string;
  spent: Spent | null;
}

/** Called with the share that is done; may wait or throw (cancel). */
export type Between = (what: string, share: number) => Promise<void>;

/** Tokens of the lab's tokenizer are between two and three characters long: good enough for the time left. */
const CHARACTERS_A_TOKEN = 2.5;

function taskTokens(task: Task): number {
  const requests =
    task.form === 'choice'
      ? task.items.flatMap(({ context, choices }) => choices.map((choice) => context + choice))
      : task.items.map(({ context, word }) => context + word);
  return requests.reduce((sum, text) => sum + text.length, 0) / CHARACTERS_A_TOKEN;
}

/** Tokens that a model reads while it is measured: those of the held-out text, and roughly those of the tasks. */
function materialTokens({ context, test, tasks }: HeldOutData): { text: number; tasks: number } {
  return {
    text: test.reduce((sum, { windows }) => sum + windows.windows * context, 0),
    tasks: tasks.reduce((sum, task) => sum + taskTokens(task), 0),
  };
}

/** Rough floating-point operations of measuring a model. */
export function measuringFlops(config: LlamaConfig, heldOut: HeldOutData): number {
  const { text, tasks } = materialTokens(heldOut);
  return (text + tasks) * forwardFlopsPerToken(config, heldOut.context);
}

/**
 * Measures one model: held-out loss by domain, tasks, speed.
 *
 * @param speeds by configuration: models of one shape run the same program, so it is timed once, and a busy machine
 *   cannot tell them apart
 * @returns what stands in the report, and the tasks' results with every item, for comparisons.
 * @throws GpuError; whatever `between` throws.
 */
export async function measureModel(
  gpu: Gpu,
  { arm, name, config, parameters, spent }: ReportedModel,
  heldOut: HeldOutData,
  speeds: Map<string, Speed>,
  between: Between,
): Promise<{ report: ArmReport; results: TaskResult[] }> {
  const { context, test, tasks, tokenizer } = heldOut;
  const windows = test.map((domain) => domain.windows);
  const model = { config, parameters };
  const tokens = materialTokens(heldOut);
  const textShare = tokens.text / (tokens.text + tokens.tasks);

  const shapeKey = JSON.stringify(config);
  const speed = speeds.get(shapeKey) ?? (await measureSpeed(gpu, model, context, () => between('timing', 0)));
  speeds.set(shapeKey, speed);
  const shape = { batch: evaluationBatch(context), context };
  const sums = await withModel(gpu, 'test split', model, shape, (inference) =>
    evaluateSets(inference, windows, (done, total) =>
      between(`${done} of ${total} windows`, (textShare * done) / total),
    ),
  );
  const results = tokenizer
    ? await scoreTasks(gpu, model, tokenizer, tasks, {
        between: ({ task, items, totalItems, share }) =>
          between(`${task}, ${items} of ${totalItems} items`, textShare + (1 - textShare) * share),
      })
    : [];
  gpu.throwOnError();
  const weights = weightBytes(config);
  return {
    results,
    report: {
      arm,
      model: name,
      shape: shapeOf(config),
      parameters: { all: parameterCount(config), blocks: blockParameterCount(config) },
      flopsPerToken: forwardFlopsPerToken(config, context),
      spent,
      memory: { weights, running: weights + planBytes(inferencePlan(config, { batch: 1, context })) },
      speed,
      loss: sums.map(meanLoss),
      tasks: results.map((result) => ({ accuracy: headline(result), perplexity: result.perplexity })),
    },
  };
}
