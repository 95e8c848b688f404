import { useMemo } from 'react';
import type { SurgeryEvent } from '../../run/events';
import type { GateRows } from '../../run/gate-rows';
import { keptPlace } from '../core/anatomy-layout';
import { formatNumber } from '../core/format';
import { sumOf } from '../core/gate-sets';
import { describePins } from '../core/pinned-units';

interface LayerNumbers {
  layer: number;
  gate: number | null;
  heads: string;
  units: string;
  kept: string;
}

function layerRows(layers: number, gates: GateRows | null, surgery: SurgeryEvent | null): LayerNumbers[] {
  return Array.from({ length: layers }, (_, layer) => {
    const place = surgery ? keptPlace(surgery.kept, layer) : -1;
    const open = (list: Uint8Array | undefined) =>
      list ? `${formatNumber(sumOf(list) / 255)} of ${list.length}` : 'all';
    return {
      layer,
      gate: gates ? (gates.layers[layer] ?? 255) / 255 : null,
      heads: open(gates?.heads[layer]),
      units: open(gates?.intermediate[layer]),
      kept: !surgery
        ? '–'
        : place < 0
          ? 'cut'
          : `${surgery.kept.heads[place]?.length ?? 0} heads, ${surgery.kept.intermediate[place]?.length ?? 0} units`,
    };
  });
}

interface GatesTableProps {
  layers: number;
  gates: GateRows | null;
  /** The hidden dimensions are axes of a turned stream. */
  turned: boolean;
  surgery: SurgeryEvent | null;
  pins: readonly string[];
}

/** The same as the drawing of the gates, in numbers. */
export function GatesTable({ layers, gates, turned, surgery, pins }: GatesTableProps) {
  const rows = useMemo(() => layerRows(layers, gates, surgery), [layers, gates, surgery]);
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Gates by layer">
      <table>
        <caption className="visually-hidden">Expected open units of every layer</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Gate</th>
            <th scope="col">Heads open</th>
            <th scope="col">MLP units open</th>
            <th scope="col">Kept</th>
            <th scope="col">By hand</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.layer}>
              <th scope="row">{row.layer + 1}</th>
              <td>{row.gate === null ? 'open' : formatNumber(row.gate, 2)}</td>
              <td>{row.heads}</td>
              <td>{row.units}</td>
              <td>{row.kept}</td>
              <td>{describePins(pins, row.layer) || '–'}</td>
            </tr>
          ))}
          {gates && (
            <tr>
              <th scope="row">{turned ? 'Axes' : 'Hidden'}</th>
              <td colSpan={4}>
                {formatNumber(sumOf(gates.hidden) / 255)} of {gates.hidden.length}{' '}
                {turned ? 'axes' : 'dimensions'} open
              </td>
              <td>{describePins(pins, null, turned) || '–'}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
