import { useMemo } from 'react';
import type { LlamaConfig } from '../../llama/config';
import { shapeOf } from '../../llama/config';
import { comparableRun, describeAgreement } from '../core/agreement';
import { describeAxes } from '../core/axes';
import { formatNumber } from '../core/format';
import { sumOf, unitsName } from '../core/gate-sets';
import { type LabState, runName } from '../core/lab-state';
import type { PinState, Place } from '../core/pinned-units';
import { describeShape, type RunRecord } from '../core/run-record';
import { useLabState } from '../lab-context';
import { AnatomyCanvas } from './anatomy-canvas';
import { describeUnits } from './describe-units';
import { GatesTable } from './gates-table';
import { Race } from './race';

interface GatesViewProps {
  config: LlamaConfig | null;
  run: RunRecord | null;
  pins: readonly string[];
  onPin: ((place: Place, state: PinState) => void) | null;
  table: boolean;
  height: number;
}

/** How far every gate of the shown run is open, and what was kept in the end. */
export function GatesView({ config, run, pins, onPin, table, height }: GatesViewProps) {
  const gates = run?.gates ?? null;
  const surgery = run?.surgery ?? null;
  const axes = run?.axes ?? null;
  const caption = surgery
    ? `Cut to ${describeShape(shapeOf(surgery.config))}`
    : gates
      ? `Step ${gates.step}: ${formatNumber(sumOf(gates.hidden) / 255)} ${unitsName('hidden', 2, axes !== null)} open, ${formatNumber(sumOf(gates.layers) / 255)} layers`
      : config
        ? 'Every gate is open'
        : 'No model yet';
  return (
    <>
      {config && !table && (
        <AnatomyCanvas
          shape={config}
          gates={gates}
          shares={axes?.shares ?? null}
          pins={pins}
          onPin={onPin}
          kept={surgery?.kept ?? null}
          height={height}
          description={`${caption}. ${describeUnits(config, onPin !== null)}`}
        />
      )}
      {table && (
        <GatesTable
          layers={config?.numHiddenLayers ?? 0}
          gates={gates}
          turned={axes !== null}
          surgery={surgery}
          pins={pins}
        />
      )}
      <p className="anatomy-caption">{caption}</p>
      {run && axes && (
        <p className="anatomy-caption">{describeAxes(axes, run.settings, surgery?.kept.hidden ?? null)}</p>
      )}
      {run && <AgreementNote run={run} />}
      {run && <Race run={run} />}
    </>
  );
}

/** Runs of one shape have one name unless somebody gave them others: then the seed tells them apart. */
function nameBeside(state: LabState, run: RunRecord, other: RunRecord): string {
  const name = runName(state, other.id);
  return name === runName(state, run.id) ? `${name}, seed ${other.started.experiment.seed}` : name;
}

/** Which units are learnt differs between runs: how much of a choice another run shares tells it from noise. */
function AgreementNote({ run }: { run: RunRecord }) {
  const other = useLabState(comparableRun);
  const name = useLabState((state) => (other ? nameBeside(state, run, other) : ''));
  const text = useMemo(() => (other ? describeAgreement(run, other, name) : ''), [run, other, name]);
  return text && <p className="anatomy-caption">{text}</p>;
}
