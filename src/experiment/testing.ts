import { asItWas, experimentSchema, type Experiment } from './schema';

/**
 * For tests: an experiment without what the lab's defaults add to the published method, with changes on top, so that a
 * test has what it names and no more.
 */
export function plainExperiment(changes: Readonly<Record<string, unknown>> = {}): Experiment {
  return experimentSchema.parse(asItWas(changes));
}
