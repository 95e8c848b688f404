import { useMemo, useState } from 'react';
import type { SurgeryEvent } from '../../run/events';
import type { GateRows } from '../../run/gate-rows';
import { keptPlace } from '../core/anatomy-layout';
import { formatNumber } from '../core/format';
import { findRun, settingsShown } from '../core/lab-state';
import { fixedBecause } from '../core/live-fields';
import { describePins, withPinned } from '../core/pinned-units';
import { pinProblem } from '../../pruning/pins';
import { describeShape } from '../core/run-record';
import { shapeOf } from '../../llama/config';
import { Panel } from '../controls/panel';
import { useLab, useLabState } from '../lab-context';
import { useNarrow, useTall, useTheme } from '../use-theme';
import { AnatomyCanvas } from './anatomy-canvas';

export function AnatomyPanel() {
  const run = useLabState((state) => findRun(state, state.shownRun));
  const source = useLabState((state) => state.source);
  const lab = useLab();
  const { pins, target, gates: learnt, source: wanted } = useLabState(settingsShown);
  const fixed = useLabState((state) => fixedBecause(state, 'pins'));
  const theme = useTheme();
  const narrow = useNarrow();
  const tall = useTall();
  const [table, setTable] = useState(false);
  const config = run?.started.source.config ?? source?.config ?? null;
  const gates = run?.gates ?? null;
  const surgery = run?.surgery ?? null;
  const rows = useMemo(
    () => (config ? layerRows(config.numHiddenLayers, gates, surgery) : []),
    [config, gates, surgery],
  );
  // The settings may be for another model than the one that is shown, as beside the recorded run.
  const own = (run?.started.source.name ?? source?.name) === wanted;
  const pinned = own ? pins : [];
  const pin =
    own && config && fixed === null
      ? (place: Parameters<typeof withPinned>[1], state: Parameters<typeof withPinned>[2]) => {
          const next = withPinned(pins, place, state);
          const problem = pinProblem(config, next, target, learnt);
          if (problem) lab.notify({ kind: 'information', text: problem });
          else lab.setField('pins', next);
        }
      : null;

  const caption = surgery
    ? `Cut to ${describeShape(shapeOf(surgery.config))}`
    : gates
      ? `Step ${gates.step}: ${formatNumber(sum(gates.hidden) / 255)} hidden dimensions open, ${formatNumber(sum(gates.layers) / 255)} layers`
      : config
        ? 'Every gate is open'
        : 'No model yet';

  return (
    <Panel
      title="Anatomy"
      className="anatomy"
      actions={
        <>
          <Legend cut={surgery !== null} />
          <button type="button" className="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
            Table
          </button>
        </>
      }
    >
      {config && !table && (
        <AnatomyCanvas
          shape={config}
          gates={gates}
          pins={pinned}
          onPin={pin}
          surgery={surgery}
          theme={theme}
          height={narrow ? 300 : anatomyHeight(config.numHiddenLayers) * (tall ? 1.35 : 1)}
          description={`${caption}. ${config.numHiddenLayers} layers of ${config.numKeyValueHeads} head groups and ${config.intermediateSize} MLP units. The table has the numbers.${pin ? ' Arrow keys choose a unit, Enter closes or keeps it by hand.' : ''}`}
        />
      )}
      {table && <AnatomyTable rows={rows} hidden={gates} pins={pinned} />}
      <p className="anatomy-caption">{caption}</p>
    </Panel>
  );
}

function anatomyHeight(layers: number): number {
  return Math.min(340, Math.max(190, 40 + layers * 27));
}

function Legend({ cut }: { cut: boolean }) {
  return (
    <span className="anatomy-legend" aria-hidden="true">
      <span>residual · heads · MLP</span>
      {cut ? (
        <>
          <i className="kept" /> kept <i className="cut" /> cut
        </>
      ) : (
        <>
          closed <i className="ramp" /> open
        </>
      )}
    </span>
  );
}

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
      list ? `${formatNumber(sum(list) / 255)} of ${list.length}` : 'all';
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

interface AnatomyTableProps {
  rows: readonly LayerNumbers[];
  hidden: GateRows | null;
  pins: readonly string[];
}

function AnatomyTable({ rows, hidden, pins }: AnatomyTableProps) {
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
          {hidden && (
            <tr>
              <th scope="row">Hidden</th>
              <td colSpan={4}>
                {formatNumber(sum(hidden.hidden) / 255)} of {hidden.hidden.length} dimensions open
              </td>
              <td>{describePins(pins, null) || '–'}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

function sum(values: Uint8Array): number {
  return values.reduce((total, value) => total + value, 0);
}
