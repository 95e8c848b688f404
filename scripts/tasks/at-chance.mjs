/**
 * @typedef {import('./files.mjs').TaskEntry} TaskEntry
 * @typedef {import('./files.mjs').Item} Item
 * @typedef {{ n: number, acc: number, acc_interval: [number, number], acc_norm?: number, acc_norm_interval?: [number, number] }} Scores
 * as `npm run cli -- tasks --json` gives them
 * @typedef {Scores & { name: string, file_sha256: string, groups: Record<string, Scores> }} TaskScores
 * @typedef {{ group?: string, n: number, accuracy: number, interval: [number, number] }} Measured by the task's metric
 */

/**
 * Parts a task's items by what a model is measured at: a group, or a task without groups as a whole, stays where
 * the lower end of the 95 % interval is above chance. Single items are never dropped: without those that the
 * model misses its score would be a product of the choice.
 * @param {TaskEntry} entry
 * @param {Item[]} items
 * @param {TaskScores} scores of all these items
 * @returns {{ kept: Item[], whole: Measured, atChance: Measured[] }}
 * @throws {Error} if the scores are of other items
 */
export function partAtChance(entry, items, scores) {
  if (scores.file_sha256 !== entry.sha256 || scores.n !== items.length) {
    throw new Error(
      `${entry.name}: the results are of another file or of a part of it; evaluate the model again`,
    );
  }
  const whole = measured(entry, scores);
  const parts = Object.entries(scores.groups).map(([group, own]) => ({ group, ...measured(entry, own) }));
  const atChance = (parts.length ? parts : [whole]).filter(({ interval }) => interval[0] <= entry.chance);
  const kept = atChance.includes(whole)
    ? []
    : items.filter(({ group }) => atChance.every((part) => part.group !== group));
  return { kept, whole, atChance };
}

/** @param {TaskEntry} entry @param {Scores} scores @returns {Measured} */
function measured({ name, metric }, { n, ...scores }) {
  const [accuracy, interval] =
    metric === 'acc' ? [scores.acc, scores.acc_interval] : [scores.acc_norm, scores.acc_norm_interval];
  if (accuracy === undefined || !interval) throw new Error(`${name}: the results have no ${metric}`);
  return { n, accuracy, interval };
}
