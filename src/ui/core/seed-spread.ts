import type { Experiment } from '../../experiment/schema';
import { latestLoss, meanOf, type RunRecord } from './run-record';

export interface SeedSpread {
  /** "runs 1, 3 and 4" */
  settings: string;
  runs: number;
  /** Of the perplexities (exp of the mean loss over domains). */
  mean: number;
  /** Sample standard deviation. */
  deviation: number;
}

const withoutSeed = (experiment: Experiment) => JSON.stringify({ ...experiment, seed: 0 });

/** Finished runs that differ in nothing but the seed, and how far their results lie apart. */
export function seedSpread(runs: readonly RunRecord[]): SeedSpread[] {
  const groups = new Map<string, RunRecord[]>();
  for (const run of runs) {
    if (!run.finished) continue;
    const key = `${run.started.source.weightsSha256 ?? run.started.source.name} ${withoutSeed(run.started.experiment)}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].flatMap((group) => {
    // The same seed twice gives the same numbers and says nothing about spread.
    const seeds = new Map(group.map((run) => [run.started.experiment.seed, run]));
    if (seeds.size < 2) return [];
    const values = [...seeds.values()].map((run) => Math.exp(meanOf(latestLoss(run)?.loss ?? [])));
    const mean = meanOf(values);
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    const names = [...seeds.values()].map((run) => run.id);
    const settings = `runs ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
    return [{ settings, runs: values.length, mean, deviation: Math.sqrt(variance) }];
  });
}
