import type { Experiment } from '../../experiment/schema';
import type { KeptRun } from './kept-runs';
import { meanOf } from './run-record';

export interface SeedSpread {
  /** The runs' names, as "A, B and C". */
  settings: string;
  runs: number;
  /** Of the perplexities (exp of the mean loss over domains). */
  mean: number;
  /** Sample standard deviation. */
  deviation: number;
}

const withoutSeed = (experiment: Experiment) => JSON.stringify({ ...experiment, seed: 0 });

/** Finished runs that differ in nothing but the seed, and how far their results lie apart. */
export function seedSpread(runs: readonly KeptRun[]): SeedSpread[] {
  const groups = new Map<string, KeptRun[]>();
  for (const run of runs) {
    if (run.status !== 'finished' || run.meanLoss === null || !run.settings) continue;
    const key = `${run.source.hash ?? run.source.name} ${withoutSeed(run.settings)}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].flatMap((group) => {
    // The same seed twice gives the same numbers and says nothing about spread.
    const seeds = new Map(group.map((run) => [run.seed, run]));
    if (seeds.size < 2) return [];
    const values = [...seeds.values()].map((run) => Math.exp(run.meanLoss!));
    const mean = meanOf(values);
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    const names = [...seeds.values()].map((run) => run.name);
    const settings = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
    return [{ settings, runs: values.length, mean, deviation: Math.sqrt(variance) }];
  });
}
