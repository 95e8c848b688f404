import type { Gpu } from '../gpu/device';
import type { LlamaConfig } from '../llama/config';
import type { BatchShape } from '../llama/workspace';
import { countWork, totalWork, type ProfileRow } from './profile';
import { createBenchTrainer } from './step';
import { markdownTable } from './table';

/** What a pruning step of a model does, by kernel: the same on every adapter that runs these kernels. */
export interface StepCounts {
  name: string;
  shape: BatchShape;
  /** Rows of one operator each: `matmul`, `attention`, … */
  operators: Map<string, ProfileRow>;
}

/** Counts the recorded step with the kernels for GPUs; nothing is run. */
export async function countStep(
  gpu: Gpu,
  { name, config }: { name: string; config: LlamaConfig },
  shape: BatchShape,
): Promise<StepCounts> {
  const trainer = await createBenchTrainer({ ...gpu, profile: 'gpu' }, config, shape);
  const byOperator = new Map<string, ProfileRow[]>();
  for (const row of countWork(trainer.program)) {
    const operator = row.kernel.split(' ')[0]!;
    byOperator.set(operator, [...(byOperator.get(operator) ?? []), row]);
  }
  trainer.destroy();
  const operators = new Map(
    [...byOperator].map(([operator, rows]) => [
      operator,
      { label: operator, kernel: operator, ...totalWork(rows) },
    ]),
  );
  return { name, shape, operators };
}

/** Dispatches, MiB and operations of several models side by side, the most bytes first. */
export function countsTable(counts: readonly StepCounts[]): string {
  const names = [...new Set(counts.flatMap(({ operators }) => [...operators.keys()]))];
  const bytesOf = (name: string) => counts.at(-1)!.operators.get(name)?.bytes ?? 0;
  names.sort((a, b) => bytesOf(b) - bytesOf(a));
  const cells = (row: Pick<ProfileRow, 'dispatches' | 'bytes' | 'flops'> | undefined) =>
    row
      ? [String(row.dispatches), (row.bytes / 2 ** 20).toFixed(1), (row.flops / 1e9).toFixed(2)]
      : ['–', '–', '–'];
  return markdownTable(
    ['kernel', ...counts.flatMap(({ name }) => [name, 'MiB', 'G op'])],
    [
      ...names.map((name) => [name, ...counts.flatMap(({ operators }) => cells(operators.get(name)))]),
      ['all', ...counts.flatMap(({ operators }) => cells(totalWork([...operators.values()])))],
    ],
  );
}
