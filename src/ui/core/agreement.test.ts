import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SurgeryEvent } from '../../run/events';
import { agreementOf, comparableRun, describeAgreement } from './agreement';
import { exampleConfig, exampleStarted } from './example-run';
import { initialState } from './lab-state';
import { appendEvents, beginRun, type RunRecord } from './run-record';

/** Of 2 layers, 8 hidden dimensions, 2 groups and 12 units. */
const kept = (hidden: number[], layer = 0): SurgeryEvent['kept'] => ({
  hidden,
  layers: [layer],
  heads: [[0]],
  intermediate: [[0, 1, 2, layer + 3]],
});
const cut = (id: string, of: SurgeryEvent['kept'], change: Partial<SurgeryEvent['config']> = {}): RunRecord =>
  appendEvents(beginRun(id, exampleStarted()), [
    {
      type: 'surgery',
      step: 30,
      elapsedMs: 1500,
      config: { ...exampleConfig, numHiddenLayers: 1, hiddenSize: of.hidden.length, ...change },
      parameters: 400,
      kept: of,
      maskedVersusPruned: 1e-6,
      loss: { masked: [5, 5], pruned: [4, 4] },
    },
  ]);

describe('agreement of two cuts', () => {
  it('counts shared units, and what chance would give: keeps² / size a row', () => {
    expect(agreementOf(exampleConfig, kept([0, 1, 2, 3]), kept([0, 2, 6, 7]))).toEqual([
      { set: 'layer', rows: 1, kept: 1, shared: 1, chance: 1 / 2 },
      { set: 'hidden', rows: 1, kept: 4, shared: 2, chance: 2 },
      { set: 'head', rows: 1, kept: 1, shared: 1, chance: 1 / 2 },
      { set: 'intermediate', rows: 1, kept: 4, shared: 4, chance: 16 / 12 },
    ]);
  });

  it('compares heads and MLP units only in layers that both keep, and no set that lost nothing', () => {
    const all = [0, 1, 2, 3, 4, 5, 6, 7];
    expect(agreementOf(exampleConfig, kept(all, 0), kept(all, 1))).toEqual([
      { set: 'layer', rows: 1, kept: 1, shared: 0, chance: 1 / 2 },
    ]);
  });

  it('expects what random choices share on average', () => {
    const choice = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 6, maxLength: 6 });
    const shared = fc
      .sample(fc.tuple(choice, choice), { numRuns: 2000, seed: 1 })
      .map(([a, b]) => agreementOf(exampleConfig, kept(a), kept(b))[1]!);
    const mean = shared.reduce((sum, one) => sum + one.shared, 0) / shared.length;
    expect(shared[0]!.chance).toBe(4.5);
    expect(mean).toBeCloseTo(4.5, 1);
  });

  it('is said in one sentence', () => {
    const [a, b] = [cut('a', kept([0, 1, 2, 3])), cut('b', kept([0, 2, 6, 7]))];
    expect(describeAgreement(a, b, 'run b')).toBe(
      'Also kept by run b: layer 1 of 1 (0.5 by chance), hidden dimensions 2 of 4 (2); in the layer of both: head group 1 of 1 (0.5), MLP units 4 of 4 (1.3).',
    );
    const turned = (run: RunRecord, shares: number[]): RunRecord =>
      appendEvents(run, [{ type: 'axes', step: 0, shares }]);
    expect(describeAgreement(turned(a, [1, 0]), turned(b, [0.9, 0.1]), 'run b')).toMatch(
      /axes 2 of 4 .* Each run has axes of its own/,
    );
  });

  it('is with the overlaid run, else with another one of the same source and shape that is loaded', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => cut(id, kept([0, 1])));
    const smaller = cut('d', kept([0]));
    const state = { ...initialState(), records: [smaller, a!, b!, c!], shownRun: 'a' };
    expect(comparableRun(state)?.id).toBe('b');
    expect(comparableRun({ ...state, overlaidRun: 'c' })?.id).toBe('c');
    expect(comparableRun({ ...state, overlaidRun: 'd' })?.id).toBe('b');
    expect(comparableRun({ ...state, records: [a!, smaller] })).toBeNull();
    const turned = { ...b!, settings: { ...b!.settings, basis: 'own' as const } };
    expect(comparableRun({ ...state, records: [a!, turned] })).toBeNull();
  });
});
