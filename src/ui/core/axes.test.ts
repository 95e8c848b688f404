import { describe, expect, it } from 'vitest';
import { defaultExperiment } from '../../experiment/schema';
import { describeAxes } from './axes';

const shares = [0.5, 0.3, 0.15, 0.05];
const settings = (basis: 'principal' | 'sensitive', hiddenSize = 2) => {
  const experiment = defaultExperiment();
  return { basis, target: { ...experiment.target, hiddenSize } };
};

describe('the axes in words', () => {
  it('says what the kept ones hold', () => {
    expect(describeAxes({ shares }, settings('principal'), [0, 2])).toBe(
      'The residual stream is turned: hidden dimensions are axes, by falling share of the stream’s moments. The 2 kept of 4 axes hold 65\u202f% of them.',
    );
  });

  it('speaks of the first ones before the cut', () => {
    expect(describeAxes({ shares }, settings('sensitive'), null)).toMatch(
      /loss’s gradient\. The first 2 of 4 axes hold 80\u202f% of them\.$/,
    );
  });

  it('says nothing of a share where all stay, and never rounds up to all', () => {
    expect(describeAxes({ shares }, settings('principal', 4), null)).not.toMatch(/hold/);
    expect(describeAxes({ shares: [0.5, 0.499, 0.001] }, settings('principal'), [0, 1])).toMatch(
      /more than 99/,
    );
  });
});
