import type { Estimate, TaskResult } from './result';
import { pairedDifference } from './statistics';

/** Two models on the same items. */
export interface PairedComparison {
  /** Accuracy of `second` minus that of `first`, by the task's metric. */
  difference: Estimate;
  /** Items that only one of the two answered right: what the difference rests on (McNemar 1947). */
  onlyFirst: number;
  onlySecond: number;
}

/** Whether two results are of the same items of the same task: what a comparison needs. */
export function sameItems(first: TaskResult, second: TaskResult): boolean {
  return (
    first.task.sha256 === second.task.sha256 &&
    first.outcomes.length === second.outcomes.length &&
    first.outcomes.every(({ id }, i) => id === second.outcomes[i]!.id)
  );
}

/**
 * Compares two models item by item, which is sharper than two intervals side by side: what is hard about an
 * item is hard for both, and drops out.
 *
 * @throws Error when the results are not of the same items of the same task.
 */
export function compareResults(first: TaskResult, second: TaskResult): PairedComparison {
  if (!sameItems(first, second)) {
    throw new Error(`${first.task.name} and ${second.task.name} were not scored on the same items`);
  }
  const right = ({ task, outcomes }: TaskResult) =>
    outcomes.map(({ acc, accNorm }) => Number(task.metric === 'acc_norm' ? (accNorm ?? acc) : acc));
  const before = right(first);
  const differences = right(second).map((value, i) => value - before[i]!);
  const onlyFirst = differences.filter((d) => d < 0).length;
  const onlySecond = differences.filter((d) => d > 0).length;
  return {
    difference: pairedDifference(onlyFirst, onlySecond, differences.length),
    onlyFirst,
    onlySecond,
  };
}
