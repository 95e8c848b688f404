import { readModelList } from '../data/model-family';
import { defaultExperiment } from '../experiment/schema';
import { millisecondsPerStep } from '../run/step-speed';
import { parseLlamaConfig } from '../formats/llama-config';
import { parseJson } from '../formats/refusal';
import type { LlamaConfig } from '../llama/config';
import { trainingFlopsPerToken } from '../pruning/cost';
import { device, post, type LabState } from './environment';

/** A default experiment of 600 steps then takes two minutes. */
const STEPS_A_SECOND = 5;

export interface Candidate {
  name: string;
  config: LlamaConfig;
}

/**
 * The source model for a visitor who names none: on a software adapter the default, else the largest of the
 * site's models that makes five steps a second here. Only lists and configurations are read.
 */
export async function chooseSource(state: LabState, signal: AbortSignal): Promise<string> {
  const defaults = defaultExperiment().source;
  const gpu = await device(state);
  if (gpu.adapter.software) return defaults;
  const read = (path: string) => state.environment.read(path, { signal });
  // A site without its list still has its default model; the page says what is wrong with the list.
  const list = await readModelList(read).catch(() => []);
  if (list.length < 2) return defaults;
  const candidates = await Promise.all(
    list.map(async ({ name }) => {
      const path = `models/${name}/config.json`;
      return { name, config: parseLlamaConfig(parseJson(await read(path), path)) };
    }),
  );
  return largestInTime(candidates, 1000 / STEPS_A_SECOND, ({ name, config }) => {
    signal.throwIfAborted();
    post(state, { type: 'loading', what: `${name} on trial`, loaded: 0, total: 0 });
    return millisecondsPerStep(gpu, config);
  });
}

/**
 * The name of the largest candidate whose step takes at most `limit` milliseconds; the first when none does. A
 * larger model keeps a GPU at least as busy, so its step takes at most as much longer as it has more to
 * compute: a model is timed only where that leaves it open.
 *
 * @param candidates smallest first
 * @param time milliseconds of one step
 */
export async function largestInTime(
  candidates: readonly Candidate[],
  limit: number,
  time: (candidate: Candidate) => Promise<number>,
): Promise<string> {
  const { contextLength } = defaultExperiment();
  const flops = ({ config }: Candidate) => trainingFlopsPerToken(config, contextLength);
  let [chosen] = candidates as [Candidate];
  let timed = { flops: flops(chosen), milliseconds: await time(chosen) };
  for (const candidate of candidates.slice(1)) {
    if (timed.milliseconds > limit) break;
    const atMost = (timed.milliseconds * flops(candidate)) / timed.flops;
    if (atMost > limit) {
      timed = { flops: flops(candidate), milliseconds: await time(candidate) };
      if (timed.milliseconds > limit) break;
    }
    chosen = candidate;
  }
  return chosen.name;
}
