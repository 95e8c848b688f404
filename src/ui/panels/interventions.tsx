import type { InterventionEvent } from '../../run/events';
import { findRun } from '../core/lab-state';
import { actsOnRun, fixedBecause } from '../core/live-fields';
import { describeIntervention } from '../core/intervention-text';
import { useLab, useLabState } from '../lab-context';

/** What was changed while the shown run went on: the marks of the charts as a list, each of which can be taken back. */
export function Interventions() {
  const events = useLabState((state) => findRun(state, state.shownRun)?.interventions);
  // The list grows in place.
  const count = useLabState((state) => findRun(state, state.shownRun)?.interventions.length ?? 0);
  if (!events || count === 0) return null;
  return (
    <section className="interventions" aria-label="Changes on the way">
      <ol>
        {Array.from({ length: count }, (_, i) => (
          <Item key={i} event={events[i]!} />
        ))}
      </ol>
    </section>
  );
}

function Item({ event }: { event: InterventionEvent }) {
  const lab = useLab();
  const acts = useLabState(actsOnRun);
  const fixed = useLabState((state) =>
    Object.keys(event.before).reduce<string | null>(
      (reason, key) => reason ?? fixedBecause(state, key),
      null,
    ),
  );
  const text = describeIntervention(event);
  return (
    <li>
      <span>{text}</span>
      {acts && (
        <button
          type="button"
          className="quiet"
          disabled={fixed !== null}
          title={fixed ?? 'Sets back what this changed, from the next step on'}
          onClick={() => lab.undo(event.before)}
        >
          Undo from here on<span className="visually-hidden">: {text}</span>
        </button>
      )}
    </li>
  );
}
