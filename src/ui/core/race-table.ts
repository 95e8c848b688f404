import type { RaceEvent } from '../../run/events';
import { plannedRace } from '../../run/run-size';
import type { RunRecord } from './run-record';

/** A candidate of a race as the page shows it. */
export interface RaceRow {
  candidate: number;
  label: string;
  /** Layers that it keeps, counted from 1. */
  layers: readonly number[];
  /** Mean held-out loss by round; null where it was not judged, or not yet. */
  losses: readonly (number | null)[];
  /** `in`: went on from the newest round in which it was judged, and others did too. */
  fate: 'won' | 'out' | 'in';
}

export interface RaceTable {
  /** Steps of retraining that a candidate has had when a round judges it, by round. */
  steps: readonly number[];
  /** Who got further comes first, then who has the smaller loss. */
  rows: readonly RaceRow[];
  winner: RaceRow | null;
}

/** The race of a run as far as its log has it; null before the first judgement, or without a race. */
export function raceTable({ started, race }: Pick<RunRecord, 'started' | 'race'>): RaceTable | null {
  if (race.length === 0) return null;
  const steps = plannedRace(started.experiment).map(({ to }) => to);
  const rows = [...new Set(race.map(({ candidate }) => candidate))]
    .map((candidate) =>
      raceRow(
        race.filter((event) => event.candidate === candidate),
        steps.length,
      ),
    )
    .sort(
      (a, b) =>
        judged(b).length - judged(a).length ||
        judged(a).at(-1)! - judged(b).at(-1)! ||
        a.candidate - b.candidate,
    );
  return { steps, rows, winner: rows.find(({ fate }) => fate === 'won') ?? null };
}

function raceRow(events: readonly RaceEvent[], rounds: number): RaceRow {
  const newest = events.at(-1)!;
  const { candidate, label, layers, round, goesOn } = newest;
  return {
    candidate,
    label,
    layers: layers.map((layer) => layer + 1),
    // A race that was interrupted begins again: its newest judgements count.
    losses: Array.from(
      { length: rounds },
      (_, r) => events.findLast((event) => event.round === r + 1 && r < round)?.meanLoss ?? null,
    ),
    fate: !goesOn ? 'out' : round === rounds ? 'won' : 'in',
  };
}

const judged = ({ losses }: RaceRow): number[] => losses.filter((loss) => loss !== null);
