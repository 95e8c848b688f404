import { describe, expect, it } from 'vitest';
import { LOG_ALPHA_LIMIT, probabilityOfZero } from '../kernels/hard-concrete-distribution';
import { gateLayout } from '../llama/gates';
import { TINY } from '../llama/testing';
import { largestSparsities, reachableSparsities } from './reachable';

const gates = { hidden: true, head: true, intermediate: true, layer: true };
const prune = { temperature: 2 / 3 };
const sparsities = { hidden: 0.25, head: 0.5, intermediate: 0, layer: 0.75 };

describe('sparsities that clamped gates reach', () => {
  it('are t·P0 + (1 − t)·P1 without pins', () => {
    // P0 = 0.952870 and P1 = 0.002018 at β = 2/3, six decimals (the table in hard-concrete.test.ts).
    const reached = reachableSparsities(TINY, sparsities, { gates, pins: [], prune });
    expect(reached.hidden).toBeCloseTo(0.25 * 0.95287 + 0.75 * 0.002018, 5);
    expect(reached.hidden).toBeCloseTo(0.239731, 5);
    expect(reached.head).toBeCloseTo(0.477444, 5);
    expect(reached.intermediate).toBeCloseTo(0.002018, 5);
    expect(reached.layer).toBeCloseTo(0.715157, 5);
  });

  it('leave a set alone that is not learnt', () => {
    const of = { gates: { ...gates, head: false }, pins: [], prune };
    expect(reachableSparsities(TINY, sparsities, of).head).toBe(0);
  });

  it('follow the temperature', () => {
    // σ(ln(1/11) + ln 100) = 100/111 and σ(ln(1/11) − ln 100) = 1/1101 at β = 1.
    const reached = reachableSparsities(TINY, sparsities, { gates, pins: [], prune: { temperature: 1 } });
    expect(reached.hidden).toBeCloseTo((0.25 * 100) / 111 + 0.75 / 1101, 12);
  });

  it('count pinned gates as they are, row by row', () => {
    // TINY: 2 layers of 40 MLP units. In the first row 10 are to be closed, of which 2 are by hand, and 1 is kept.
    const { rows, length } = gateLayout(TINY).intermediate;
    const t = 10 / length;
    const of = { gates, pins: ['m0.3-', 'm0.4-', 'm0.5!'], prune };
    const reached = reachableSparsities(TINY, { ...sparsities, intermediate: t }, of).intermediate;
    const [p0, p1] = [-1, 1].map((sign) => probabilityOfZero(sign * LOG_ALPHA_LIMIT, 2 / 3)) as [
      number,
      number,
    ];
    const pinnedRow = 2 + 8 * p0 + (length - 11) * p1;
    const plainRow = 10 * p0 + (length - 10) * p1;
    expect(rows).toBe(2);
    expect(reached).toBeCloseTo((pinnedRow + plainRow) / (2 * length), 12);
    // Before the warm-up has come so far, what is closed by hand is all that is.
    const early = reachableSparsities(TINY, { ...sparsities, intermediate: 0 }, of).intermediate;
    expect(early).toBeCloseTo((2 + (length - 3) * p1 + length * p1) / (2 * length), 12);
  });

  it('end at what is left when everything closes but what is kept by hand', () => {
    expect(largestSparsities(TINY, { gates, pins: [], prune }).hidden).toBeCloseTo(0.95287, 5);
    const { length } = gateLayout(TINY).hidden;
    const most = largestSparsities(TINY, { gates, pins: ['d0!', 'd1-'], prune }).hidden;
    expect(most).toBeCloseTo((1 + (length - 2) * 0.95287) / length, 5);
  });
});
