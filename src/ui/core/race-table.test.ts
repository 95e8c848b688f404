import { describe, expect, it } from 'vitest';
import type { RaceEvent } from '../../run/events';
import { exampleStarted } from './example-run';
import { raceTable } from './race-table';

const started = exampleStarted();
started.experiment = {
  ...started.experiment,
  method: 'one-shot',
  race: { candidates: 4, steps: 10, rounds: 2 },
};

const judgement = (round: number, candidate: number, meanLoss: number, goesOn: boolean): RaceEvent => ({
  type: 'race',
  step: 0,
  tokens: 64,
  elapsedMs: 5,
  round,
  candidate,
  label: `candidate ${candidate}`,
  layers: [0, candidate],
  steps: 5 * round,
  loss: [meanLoss, meanLoss],
  meanLoss,
  goesOn,
});
const first = [
  judgement(1, 1, 5, true),
  judgement(1, 2, 6, false),
  judgement(1, 3, 4, true),
  judgement(1, 4, 5.5, false),
];
const last = [judgement(2, 1, 3.5, true), judgement(2, 3, 3.8, false)];

describe('race table', () => {
  it('is none without a race', () => {
    expect(raceTable({ started, race: [] })).toBeNull();
  });

  it('has a row a candidate and a column a round, also for rounds that are to come', () => {
    const table = raceTable({ started, race: first })!;
    expect(table.steps).toEqual([5, 10]);
    expect(table.winner).toBeNull();
    expect(table.rows.map(({ candidate, losses, fate }) => [candidate, losses, fate])).toEqual([
      [3, [4, null], 'in'],
      [1, [5, null], 'in'],
      [4, [5.5, null], 'out'],
      [2, [6, null], 'out'],
    ]);
    expect(table.rows[0]).toMatchObject({ label: 'candidate 3', layers: [1, 4] });
  });

  it('puts the winner first, whatever the first round said', () => {
    const { rows, winner } = raceTable({ started, race: [...first, ...last] })!;
    expect(rows.map(({ candidate, fate }) => [candidate, fate])).toEqual([
      [1, 'won'],
      [3, 'out'],
      [4, 'out'],
      [2, 'out'],
    ]);
    expect(winner?.losses).toEqual([5, 3.5]);
  });

  it('takes the newest judgements of a race that began again', () => {
    const { rows, winner } = raceTable({ started, race: [...first, ...last, ...first] })!;
    expect(winner).toBeNull();
    expect(rows[0]).toMatchObject({ candidate: 3, losses: [4, null], fate: 'in' });
  });
});
