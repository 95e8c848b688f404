/** What a race is: `steps` are those that a candidate of the last round has had when it is judged. */
export interface RaceSettings {
  candidates: number;
  steps: number;
  rounds: number;
}

/** One round: every candidate left is trained from its step `from` to its step `to`, then judged. */
export interface Round {
  /** Candidates that are trained and judged. */
  candidates: number;
  from: number;
  to: number;
  /** Candidates of the next round; 1 after the last. */
  goOn: number;
}

/**
 * Successive halving (docs/method.md, section 14): after round r of R every candidate left has had ⌈r·steps/R⌉ steps,
 * and the better half, rounded up, goes on; at least two do until the last round, so that the winner was always
 * compared after all its steps. One candidate needs no race.
 */
export function raceRounds({ candidates, steps, rounds }: RaceSettings): Round[] {
  if (candidates === 1) return [];
  const after = (round: number) => Math.ceil((round * steps) / rounds);
  let left = candidates;
  return Array.from({ length: rounds }, (_, r) => {
    const goOn = r + 1 === rounds ? 1 : Math.max(2, Math.ceil(left / 2));
    const round = { candidates: left, from: after(r), to: after(r + 1), goOn };
    left = goOn;
    return round;
  });
}

/** Optimiser steps of all candidates together. */
export function raceSteps(rounds: readonly Round[]): number {
  return rounds.reduce((sum, { candidates, from, to }) => sum + candidates * (to - from), 0);
}
