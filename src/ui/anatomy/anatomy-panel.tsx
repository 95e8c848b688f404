import { useState } from 'react';
import type { LlamaConfig } from '../../llama/config';
import { pinProblem } from '../../pruning/pins';
import { Panel } from '../controls/panel';
import { Segmented } from '../controls/segmented';
import { findRun, followedRun, settingsShown } from '../core/lab-state';
import { fixedBecause } from '../core/live-fields';
import { type PinState, type Place, withPinned } from '../core/pinned-units';
import { useLab, useLabState } from '../lab-context';
import { useNarrow, useTall } from '../use-theme';
import { GatesView } from './gates-view';
import { ImportanceView } from './importance-view';

type View = 'gates' | 'importance';

const VIEWS: readonly { value: View; label: string }[] = [
  { value: 'gates', label: 'Gates' },
  { value: 'importance', label: 'Importance' },
];

/** Every unit of the model: how far its gate is open, or how important it is by the scores. */
export function AnatomyPanel() {
  const run = useLabState((state) => findRun(state, state.shownRun));
  const source = useLabState((state) => state.source);
  const narrow = useNarrow();
  const tall = useTall();
  const [table, setTable] = useState(false);
  const [view, setView] = useState<View>('gates');
  // Scores are of what the form is about; the gates are those of the shown run, also of the recorded one.
  const followed = useLabState((state) => followedRun(state)?.started.source ?? null);
  const shown = run?.started.source ?? source;
  const model = view === 'importance' ? (followed ?? source ?? shown) : shown;
  const config = model?.config ?? null;
  const { pins, onPin } = usePins(config, model?.name ?? null);
  const height = narrow
    ? 300
    : Math.min(340, Math.max(190, 40 + (config?.numHiddenLayers ?? 0) * 27)) * (tall ? 1.35 : 1);

  return (
    <Panel
      title="Anatomy"
      className="anatomy"
      actions={
        <>
          <Legend view={view} cut={Boolean(run?.surgery)} />
          <Segmented name="Show" value={view} options={VIEWS} onChange={(value) => setView(value)} />
          <button type="button" className="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
            Table
          </button>
        </>
      }
    >
      {model && view === 'importance' ? (
        <ImportanceView model={model} pins={pins} onPin={onPin} table={table} height={height} />
      ) : (
        <GatesView config={config} run={run} pins={pins} onPin={onPin} table={table} height={height} />
      )}
      {pins.length > 0 && onPin && <Pinned count={pins.length} />}
    </Panel>
  );
}

/** The pins that stand in the form, where it is about the model that is drawn, and how one is set. */
function usePins(config: LlamaConfig | null, name: string | null) {
  const lab = useLab();
  const { pins, target, gates, source } = useLabState(settingsShown);
  const fixed = useLabState((state) => fixedBecause(state, 'pins'));
  // The settings may be for another model than the one that is shown, as beside the recorded run.
  if (!config || name !== source) return { pins: [], onPin: null };
  const onPin = (place: Place, state: PinState) => {
    const next = withPinned(pins, place, state);
    const problem = pinProblem(config, next, target, gates);
    if (problem) lab.notify({ kind: 'information', text: problem });
    else lab.setField('pins', next);
  };
  return { pins, onPin: fixed === null ? onPin : null };
}

/** With many pins nobody wants to let go of one after the other. */
function Pinned({ count }: { count: number }) {
  const lab = useLab();
  return (
    <p className="anatomy-caption">
      {count.toLocaleString('en')} pinned by hand{' '}
      <button type="button" className="quiet" onClick={() => lab.setField('pins', [])}>
        Let all go
      </button>
    </p>
  );
}

function Legend({ view, cut }: { view: View; cut: boolean }) {
  return (
    <span className="anatomy-legend" aria-hidden="true">
      <span>residual · heads · MLP</span>
      {view === 'importance' ? (
        <>
          least <i className="ramp" /> most
        </>
      ) : cut ? (
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
