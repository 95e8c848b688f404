import { createStorage, uploadStorage, type Slice } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { recordProgram, type Recorder } from '../gpu/program';
import { createGpuTimer, type GpuTimer } from '../gpu/timing';
import { uniform } from '../data/random';

/** One way to compute something, as a sweep tries it. */
export interface Candidate {
  name: string;
  record(recorder: Recorder): void;
}

/** One shape with all ways to compute it. */
export interface SweepCase {
  operator: string;
  /** As in `1024×384×128 nt`. */
  shape: string;
  /** Where the shape occurs: `nano 8×128 gate-up`. */
  usedBy: string[];
  /** The name of the candidate that the engine takes by itself. */
  chosen: string;
  candidates: Candidate[];
}

export interface SweepResult {
  operator: string;
  shape: string;
  usedBy: string[];
  flops: number;
  bytes: number;
  chosen: string;
  best: string;
  /** Time of the chosen candidate over that of the best. */
  chosenOverBest: number;
  nanoseconds: Record<string, number>;
}

/** Repeats in one pass until it takes about this long, so that one dispatch's start does not show. */
const PASS_NANOSECONDS = 2e6;
const MAX_REPEATS = 200;
const SAMPLES = 3;

/** Times every candidate of every case until `deadline` (performance.now()); what is not reached is missing. */
export async function sweep(
  gpu: Gpu,
  cases: readonly SweepCase[],
  deadline: number,
): Promise<{ results: SweepResult[]; complete: boolean }> {
  const timer = createGpuTimer(gpu);
  const results: SweepResult[] = [];
  try {
    for (const one of cases) {
      if (performance.now() > deadline) break;
      results.push(await sweepCase(gpu, timer, one));
    }
  } finally {
    timer.destroy();
  }
  return { results, complete: results.length === cases.length };
}

async function sweepCase(gpu: Gpu, timer: GpuTimer, one: SweepCase): Promise<SweepResult> {
  const nanoseconds: Record<string, number> = {};
  let work = { flops: 0, bytes: 0 };
  for (const { name, record } of one.candidates) {
    const program = await recordProgram(gpu, `${one.operator} ${one.shape} ${name}`, record);
    if (name === one.chosen) {
      // Of the dispatches that compute it; the sum over slices of k is not work that the shape asks for.
      work = { flops: 0, bytes: 0 };
      for (const dispatch of program.dispatches) {
        work.flops += dispatch.work?.flops ?? 0;
        work.bytes += dispatch.work?.bytes ?? 0;
      }
    }
    await timer.span(program);
    const once = await timer.span(program);
    const repeats = Math.max(1, Math.min(MAX_REPEATS, Math.round(PASS_NANOSECONDS / Math.max(1, once))));
    let best = Infinity;
    for (let i = 0; i < SAMPLES; i++) best = Math.min(best, (await timer.span(program, repeats)) / repeats);
    nanoseconds[name] = best;
    program.destroy();
  }
  const [best, least] = Object.entries(nanoseconds).sort((a, b) => a[1] - b[1])[0]!;
  const { operator, shape, usedBy, chosen } = one;
  const chosenOverBest = (nanoseconds[chosen] ?? NaN) / least;
  return { operator, shape, usedBy, ...work, chosen, best, chosenOverBest, nanoseconds };
}

/** Buffers by name for the operands of all cases: made once, as large as the largest, with values in [−1, 1). */
export function createOperands(gpu: Gpu) {
  const slices = new Map<string, Slice>();
  return {
    get(name: string, elements: number): Slice {
      const held = slices.get(name);
      if (held && held.size >= elements * 4) return { ...held, size: elements * 4 };
      if (held) gpu.destroyBuffer(held.buffer);
      const slice =
        name === 'scratch'
          ? createStorage(gpu, name, elements)
          : uploadStorage(
              gpu,
              name,
              Float32Array.from({ length: elements }, (_, i) => 2 * uniform(23, i & 0xffff) - 1),
            );
      slices.set(name, slice);
      return { ...slice, size: elements * 4 };
    },
    destroy() {
      for (const { buffer } of slices.values()) gpu.destroyBuffer(buffer);
      slices.clear();
    },
  };
}

export type Operands = ReturnType<typeof createOperands>;
