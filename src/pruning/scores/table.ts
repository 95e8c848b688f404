import type { Cell } from '../../formats/csv';
import type { LlamaConfig } from '../../llama/config';
import { GATE_SETS, gateLayout } from '../../llama/gates';
import type { Scores } from './criterion';

/** Scores as a table: a line for each unit, with the place it has in the gate layout. */
export function scoreRows(config: LlamaConfig, { values }: Scores): Cell[][] {
  const layout = gateLayout(config);
  return [
    ['set', 'row', 'unit', 'score'],
    ...GATE_SETS.flatMap((set) =>
      Array.from(values[set] ?? [], (score, i) => [
        set,
        Math.floor(i / layout[set].length),
        i % layout[set].length,
        score,
      ]),
    ),
  ];
}
