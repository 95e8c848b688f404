import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { raceRounds, raceSteps } from './halving';

describe('successive halving', () => {
  it('trains eight candidates in three rounds as reckoned by hand', () => {
    const rounds = raceRounds({ candidates: 8, steps: 60, rounds: 3 });
    expect(rounds).toEqual([
      { candidates: 8, from: 0, to: 20, goOn: 4 },
      { candidates: 4, from: 20, to: 40, goOn: 2 },
      { candidates: 2, from: 40, to: 60, goOn: 1 },
    ]);
    expect(raceSteps(rounds)).toBe(8 * 20 + 4 * 20 + 2 * 20);
  });

  it('rounds halves and steps up, and lets two go on until the last round', () => {
    expect(raceRounds({ candidates: 5, steps: 10, rounds: 4 })).toEqual([
      { candidates: 5, from: 0, to: 3, goOn: 3 },
      { candidates: 3, from: 3, to: 5, goOn: 2 },
      { candidates: 2, from: 5, to: 8, goOn: 2 },
      { candidates: 2, from: 8, to: 10, goOn: 1 },
    ]);
  });

  it('is no race for one candidate', () => {
    expect(raceRounds({ candidates: 1, steps: 60, rounds: 3 })).toEqual([]);
  });

  it('ends with one of at least two, after all the steps', () => {
    const race = fc.record({
      candidates: fc.integer({ min: 2, max: 64 }),
      steps: fc.integer({ min: 16, max: 500 }),
      rounds: fc.integer({ min: 1, max: 16 }),
    });
    fc.assert(
      fc.property(race, (settings) => {
        const rounds = raceRounds(settings);
        expect(rounds.at(-1)).toMatchObject({ to: settings.steps, goOn: 1 });
        rounds.forEach(({ candidates, from, to, goOn }, r) => {
          expect(to).toBeGreaterThan(from);
          expect(candidates).toBeGreaterThanOrEqual(2);
          expect(rounds[r + 1] ?? { candidates: goOn, from: to }).toMatchObject({
            candidates: goOn,
            from: to,
          });
        });
      }),
    );
  });
});
