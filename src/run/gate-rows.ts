import type { LlamaConfig } from '../llama/config';
import { gateLayout } from '../llama/gates';
import type { GatesEvent } from './events';

/** A gates event by set: views of its values, 0…255. */
export interface GateRows {
  step: number;
  hidden: Uint8Array;
  /** [layer][key/value group] */
  heads: Uint8Array[];
  /** [layer][unit] */
  intermediate: Uint8Array[];
  layers: Uint8Array;
}

export function gateRows(config: LlamaConfig, { step, values }: GatesEvent): GateRows {
  const layout = gateLayout(config);
  const rows = ({ offset, rows: count, length }: { offset: number; rows: number; length: number }) =>
    Array.from({ length: count }, (_, r) => values.subarray(offset + r * length, offset + (r + 1) * length));
  return {
    step,
    hidden: rows(layout.hidden)[0]!,
    heads: rows(layout.head),
    intermediate: rows(layout.intermediate),
    layers: rows(layout.layer)[0]!,
  };
}
