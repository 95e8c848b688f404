import { experimentSchema, type Experiment } from './schema';

/** What the lab's defaults add to the published method. */
const PUBLISHED = {
  basis: 'own',
  prune: { warmStart: false, reachable: false, foldAtOne: false },
  distillation: { weight: 0 },
};

/** For tests: an experiment without these, with changes on top, so that a test has what it names and no more. */
export function plainExperiment(
  changes: { prune?: object; distillation?: object; [group: string]: unknown } = {},
): Experiment {
  return experimentSchema.parse({
    ...PUBLISHED,
    ...changes,
    prune: { ...PUBLISHED.prune, ...changes.prune },
    distillation: { ...PUBLISHED.distillation, ...changes.distillation },
  });
}
