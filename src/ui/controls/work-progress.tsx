import type { ReactNode } from 'react';
import { formatDuration, formatPercent } from '../core/format';

interface WorkProgressProps {
  /** The bar's accessible name. */
  label: string;
  /** Done of the whole, from 0 to 1. */
  share: number;
  /** Null while nothing is known of it. */
  secondsLeft: number | null;
  onCancel: () => void;
  /** What goes on. */
  children: ReactNode;
}

/** Work of the engine inside a panel: what it is at, how far, how long still, and a way out. */
export function WorkProgress({ label, share, secondsLeft, onCancel, children }: WorkProgressProps) {
  return (
    <div className="work-progress">
      <p>
        {children}
        {secondsLeft !== null && `, ${formatDuration(secondsLeft)} left`}
      </p>
      <progress aria-label={label} value={share}>
        {formatPercent(share)}
      </progress>
      <button type="button" onClick={onCancel}>
        Cancel
      </button>
    </div>
  );
}
