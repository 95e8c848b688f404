import { useMemo } from 'react';
import { keptUnits } from '../../pruning/masks';
import { maskOfOrders, removalOrders } from '../../pruning/scores/mask';
import { checkTarget } from '../../pruning/target-shape';
import { describeImportance, importanceOf, type Outcome } from '../core/importance';
import { settingsShown } from '../core/lab-state';
import type { PinState, Place } from '../core/pinned-units';
import { describeOrigin, isStale, scoresOf, type ShownModel } from '../core/score-origin';
import { useLabState } from '../lab-context';
import { AnatomyCanvas } from './anatomy-canvas';
import { describeUnits } from './describe-units';
import { ImportanceTable } from './importance-table';
import { ScoreBar } from './score-bar';

interface ImportanceViewProps {
  model: ShownModel;
  pins: readonly string[];
  onPin: ((place: Place, state: PinState) => void) | null;
  table: boolean;
  height: number;
}

/** How important every unit is by the scores, and what the target that is set leaves of them. */
export function ImportanceView({ model, pins, onPin, table, height }: ImportanceViewProps) {
  const { config } = model;
  const found = useLabState((state) => scoresOf(state, model));
  const settings = useLabState(settingsShown);
  const { target, gates, scores: by } = settings;
  const own = settings.source === model.name;
  const orders = useMemo(
    () => found && removalOrders(config, { layers: found.scores, widths: found.scores }, by.protectEnds),
    [config, found, by.protectEnds],
  );
  const importance = useMemo(
    () => importanceOf(config, found?.scores, orders ?? undefined),
    [config, found, orders],
  );
  // Sorted once; a slider that moves only takes other numbers of them.
  const outcome: Outcome = useMemo(
    () =>
      own && orders && checkTarget(config, target, gates).length === 0
        ? maskOfOrders(config, orders, { target, sets: gates, pins })
        : null,
    [own, config, orders, target, gates, pins],
  );
  const kept = useMemo(() => outcome && keptUnits(config, outcome), [config, outcome]);

  const caption =
    found === null
      ? 'Not scored yet'
      : `${describeOrigin(found)}${isStale(found, settings) ? '. The settings have changed since: score again' : ''}`;
  const shades = `Shade: rank in its row, not the distance${outcome ? '. Outlined: goes at the target that is set' : ''}.`;
  return (
    <>
      {!table && (
        <AnatomyCanvas
          shape={config}
          gates={importance.shades}
          pins={pins}
          onPin={onPin}
          kept={kept}
          describe={(place) => describeImportance(importance, outcome, place)}
          height={height}
          description={`${caption}. ${found ? shades : ''} ${describeUnits(config, onPin !== null)}`}
        />
      )}
      {table && <ImportanceTable importance={importance} outcome={outcome} pins={pins} />}
      <p className="anatomy-caption">
        {caption}
        {found && `. ${shades}`}
      </p>
      <ScoreBar model={model} found={found} outcome={outcome} />
    </>
  );
}
