import type { MeasuredLimits } from './limits';
import { shareOfLimit } from './profile';
import type { StepProfile } from './step';

/** A table in Markdown, columns padded; numbers come as text. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, i) => Math.max(name.length, 3, ...rows.map((row) => row[i]!.length)));
  const numeric = header.map((_, i) => i > 0 && rows.every((row) => /^[–\d.,%× ]*$/.test(row[i]!)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (numeric[i] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const giga = (perSecond: number) => (perSecond / 1e9).toFixed(1);

export function limitsText(limits: MeasuredLimits): string {
  return `measured limits: ${giga(limits.flopsPerSecond)} GFLOP/s of f32, ${giga(limits.streamBytesPerSecond)} GB/s by a kernel (${giga(limits.cachedBytesPerSecond)} from cache), ${giga(limits.copyBytesPerSecond)} GB/s by a copy, ${(limits.nanosecondsPerDispatch / 1e3).toFixed(2)} µs an empty dispatch`;
}

/** Kernels of a step, the slowest first, and what of the step's time none of them accounts for. */
export function profileTable(
  profile: StepProfile,
  limits: MeasuredLimits,
  millisecondsPerStep: number,
): string {
  const { rows, passMilliseconds, dispatchesMilliseconds, exact } = profile;
  if (!exact) return 'This adapter has no timestamp queries: no times by kernel.';
  const sorted = [...rows].sort((a, b) => b.nanoseconds - a.nanoseconds);
  const table = markdownTable(
    ['kernel', 'dispatches', 'µs', 'GFLOP/s', 'GB/s', 'of limit', 'of step'],
    sorted.map((row) => [
      row.label,
      String(row.dispatches),
      (row.nanoseconds / 1e3).toFixed(1),
      (row.flops / row.nanoseconds).toFixed(1),
      (row.bytes / row.nanoseconds).toFixed(1),
      percent(shareOfLimit(row, limits)),
      percent(row.nanoseconds / 1e6 / dispatchesMilliseconds),
    ]),
  );
  return [
    table,
    '',
    `A step takes ${millisecondsPerStep.toFixed(2)} ms; in one pass the GPU is ${passMilliseconds.toFixed(2)} ms at it, its dispatches add up to ${dispatchesMilliseconds.toFixed(2)} ms. Outside the GPU’s pass: ${percent(Math.max(0, 1 - passMilliseconds / millisecondsPerStep))} of the step.`,
  ].join('\n');
}
