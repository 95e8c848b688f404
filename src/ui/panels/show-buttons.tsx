import { useLab, useLabState } from '../lab-context';

/** Shows a run, or draws its losses over those of the shown one. */
export function ShowButtons({ id, name }: { id: string; name: string }) {
  const lab = useLab();
  const shown = useLabState((state) => state.shownRun === id);
  const overlaid = useLabState((state) => state.overlaidRun === id);
  return (
    <>
      <button type="button" className="quiet" aria-pressed={shown} onClick={() => lab.showRun(id)}>
        Show<span className="visually-hidden"> {name}</span>
      </button>
      <button
        type="button"
        className="quiet"
        aria-pressed={overlaid}
        disabled={shown}
        title="Draw its held-out losses, with rings, over those of the run that is shown"
        onClick={() => lab.overlayRun(overlaid ? null : id)}
      >
        Overlay<span className="visually-hidden"> {name}</span>
      </button>
    </>
  );
}
