import { describe, expect, it } from 'vitest';
import type { AxesEvent, SurgeryEvent } from '../../run/events';
import { exampleConfig } from './example-run';
import { describeNearlyDead } from './nearly-dead';

const surgery = (nearlyDead?: NonNullable<SurgeryEvent['nearlyDead']>): SurgeryEvent => ({
  type: 'surgery',
  step: 30,
  elapsedMs: 1500,
  config: exampleConfig,
  parameters: 400,
  kept: { hidden: [0], layers: [0], heads: [[0]], intermediate: [[0]] },
  ...(nearlyDead && { nearlyDead }),
  maskedVersusPruned: 1e-6,
  loss: { masked: [5, 5], pruned: [4, 4] },
});

describe('survivors that were nearly closed', () => {
  it('are counted by set in one sentence', () => {
    const counts = { hidden: 2, head: 0, intermediate: 1100, layer: 1 };
    expect(describeNearlyDead({ surgery: surgery(counts), axes: null })).toBe(
      'Kept though nearly closed: 2 hidden dimensions, 1,100 MLP units, 1 layer. The target kept them, not what was learnt.',
    );
    const axes: AxesEvent = { type: 'axes', step: 0, shares: [1] };
    const turned = { surgery: surgery({ ...counts, hidden: 1 }), axes };
    expect(describeNearlyDead(turned)).toMatch(/: 1 axis,/);
  });

  it('are not spoken of where there are none, or nobody counted', () => {
    const none = { hidden: 0, head: 0, intermediate: 0, layer: 0 };
    expect(describeNearlyDead({ surgery: surgery(none), axes: null })).toBe('');
    expect(describeNearlyDead({ surgery: surgery(), axes: null })).toBe('');
    expect(describeNearlyDead({ surgery: null, axes: null })).toBe('');
  });
});
