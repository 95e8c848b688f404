import type { TaskInfo } from './task';

/** A quantity estimated from a task's items. */
export interface Estimate {
  value: number;
  /** NaN for a single item. */
  standardError: number;
  /** 95 % interval. */
  low: number;
  high: number;
}

export interface Scores {
  items: number;
  /** Share of items answered right: by the sum of log-probabilities, or every token of the word exactly. */
  acc: Estimate;
  /** Choices: by the sum divided by the choice's length in characters. Null for last words. */
  accNorm: Estimate | null;
  /** Last words: exp(−mean log-likelihood of a word). Null for choices. */
  perplexity: Estimate | null;
}

/** What a model did with one item. */
export interface ItemOutcome {
  id: string;
  group: string | null;
  acc: boolean;
  accNorm: boolean | null;
  /** ln p in nats of each choice, or of the word alone. */
  logLikelihoods: number[];
}

/** A model's result on a task: plain data that may be posted, stored and compared. */
export interface TaskResult extends Scores {
  task: Pick<TaskInfo, 'name' | 'title' | 'form' | 'domain' | 'metric' | 'chance' | 'sha256'>;
  /** By the items' groups, in the order of their first items; empty when the items have none. */
  groups: ({ group: string } & Scores)[];
  /** Requests whose context lost its beginning, because the model's is shorter. */
  truncated: number;
  /** In the order of the task's file: two models' results compare item by item. */
  outcomes: ItemOutcome[];
}

/** The accuracy that the task is reported by. */
export function headline(result: TaskResult): Estimate {
  return reportedAccuracy(result.task, result);
}

/** The same of a group, or of whatever else was scored by the task's metric. */
export function reportedAccuracy({ metric }: Pick<TaskInfo, 'metric'>, { acc, accNorm }: Scores): Estimate {
  return metric === 'acc_norm' && accNorm ? accNorm : acc;
}
