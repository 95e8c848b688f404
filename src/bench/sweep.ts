import { createStorage, uploadStorage, type Slice } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { recordProgram, type Recorder } from '../gpu/program';
import { createGpuTimer, type GpuTimer } from '../gpu/timing';
import { uniform } from '../data/random';
import { createClockProbe } from './limits';

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
  /** Clock of the GPU meanwhile, as a share of the fastest in the sweep: below 1, the times are too long. */
  clock: number;
}

type ClockProbe = Awaited<ReturnType<typeof createClockProbe>>;

/** A measurement whose clock is below this is taken again, so often at most. */
const STEADY_CLOCK = 0.93;
const ATTEMPTS = { software: 1, hardware: 4 };

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
  const probe = await createClockProbe(gpu, timer);
  const results: SweepResult[] = [];
  const fastest = { probe: Infinity };
  try {
    for (const one of cases) {
      if (performance.now() > deadline) break;
      results.push(await sweepCase(gpu, timer, probe, fastest, one));
    }
  } finally {
    probe.destroy();
    timer.destroy();
  }
  return { results, complete: results.length === cases.length };
}

async function sweepCase(
  gpu: Gpu,
  timer: GpuTimer,
  probe: ClockProbe,
  fastest: { probe: number },
  one: SweepCase,
): Promise<SweepResult> {
  let clock = Infinity;
  const attempts = ATTEMPTS[gpu.adapter.software ? 'software' : 'hardware'];
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
    let ownClock = 0;
    for (let attempt = 0; attempt < attempts && ownClock < STEADY_CLOCK; attempt++) {
      const before = await probe.time();
      for (let i = 0; i < SAMPLES; i++) best = Math.min(best, (await timer.span(program, repeats)) / repeats);
      const after = await probe.time();
      fastest.probe = Math.min(fastest.probe, before, after);
      ownClock = Math.max(ownClock, fastest.probe / Math.max(before, after));
    }
    clock = Math.min(clock, ownClock);
    nanoseconds[name] = best;
    program.destroy();
  }
  const [best, least] = Object.entries(nanoseconds).sort((a, b) => a[1] - b[1])[0]!;
  const { operator, shape, usedBy, chosen } = one;
  const chosenOverBest = (nanoseconds[chosen] ?? NaN) / least;
  return { operator, shape, usedBy, ...work, chosen, best, chosenOverBest, nanoseconds, clock };
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
