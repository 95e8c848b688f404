import type { Program } from '../gpu/program';
import type { GpuTimer } from '../gpu/timing';
import type { MeasuredLimits } from './limits';
import { spreadOf } from './spread';

/** The dispatches of a program that do the same thing in every layer. */
export interface ProfileRow {
  label: string;
  kernel: string;
  dispatches: number;
  /** Of one replay, all dispatches of the row together. */
  nanoseconds: number;
  flops: number;
  bytes: number;
}

/** A label without its layer: `layer 3 qkv` and `layer 0 qkv` are one row. */
const withoutLayer = (label: string) => label.replace(/^layer \d+ /, '');

/** Operations and bytes of a program's rows, in the order of their first dispatch; times are 0. */
export function countWork(program: Program): ProfileRow[] {
  return groupRows(
    program,
    program.dispatches.map(() => 0),
  );
}

/** Times that a dispatch is repeated in its pass, beyond the first. */
const REPEATS = { software: 1, hardware: 8 };

/**
 * Time of each dispatch where it follows another in one pass, its share of a pass's beginning and end left out: the
 * median of `replays` in which it runs several times, less that of as many in which it runs once. Added up by row.
 *
 * @throws when the timer is not exact
 */
export async function profileProgram(
  timer: GpuTimer,
  program: Program,
  replays: number,
  software: boolean,
): Promise<ProfileRow[]> {
  const repeats = REPEATS[software ? 'software' : 'hardware'];
  const medians = async (times: number) => {
    const measured: number[][] = [];
    for (let i = 0; i < replays; i++) measured.push(await timer.each(program, times));
    return program.dispatches.map((_, d) => spreadOf(measured.map((replay) => replay[d]!)).median);
  };
  const once = await medians(1);
  const several = await medians(1 + repeats);
  return groupRows(
    program,
    several.map((time, d) => Math.max(0, time - once[d]!) / repeats),
  );
}

function groupRows({ dispatches }: Program, nanoseconds: readonly number[]): ProfileRow[] {
  const rows = new Map<string, ProfileRow>();
  dispatches.forEach(({ label, kernel, work }, i) => {
    const name = withoutLayer(label);
    let row = rows.get(`${name}\n${kernel}`);
    if (!row) {
      row = { label: name, kernel, dispatches: 0, nanoseconds: 0, flops: 0, bytes: 0 };
      rows.set(`${name}\n${kernel}`, row);
    }
    row.dispatches++;
    row.nanoseconds += nanoseconds[i]!;
    row.flops += work?.flops ?? 0;
    row.bytes += work?.bytes ?? 0;
  });
  return [...rows.values()];
}

export function totalWork(rows: readonly ProfileRow[]) {
  const sum = (of: (row: ProfileRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    dispatches: sum((row) => row.dispatches),
    nanoseconds: sum((row) => row.nanoseconds),
    flops: sum((row) => row.flops),
    bytes: sum((row) => row.bytes),
  };
}

/**
 * Share of what the adapter can do: the larger of operations against the measured peak and bytes against the
 * measured bandwidth. Bytes are counted as if nothing were cached, so a cache can lift it above 1.
 */
export function shareOfLimit(
  { flops, bytes, nanoseconds }: Pick<ProfileRow, 'flops' | 'bytes' | 'nanoseconds'>,
  limits: MeasuredLimits,
): number {
  const seconds = nanoseconds * 1e-9;
  return Math.max(flops / limits.flopsPerSecond, bytes / limits.streamBytesPerSecond) / seconds;
}
