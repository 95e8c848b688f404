import type { Experiment } from '../../experiment/schema';
import type { AxesEvent } from '../../run/events';
import { formatPercent } from './format';

const MEASURED: Record<Experiment['basis'], string> = {
  own: 'the moments',
  principal: 'the stream’s moments',
  sensitive: 'the moments of the stream and of the loss’s gradient',
};

/**
 * What the hidden dimensions of a turned stream are, and how much the axes in `kept` hold of what the turn was
 * measured by; before the cut those are the first `target`.
 */
export function describeAxes(
  { shares }: Pick<AxesEvent, 'shares'>,
  { basis, target }: Pick<Experiment, 'basis' | 'target'>,
  kept: readonly number[] | null,
): string {
  const turned = `The residual stream is turned: hidden dimensions are axes, by falling share of ${MEASURED[basis]}`;
  const units = kept ?? shares.map((_, axis) => axis).slice(0, target.hiddenSize);
  if (units.length === shares.length) return `${turned}.`;
  const which = kept ? `The ${units.length} kept` : `The first ${units.length}`;
  const held = units.reduce((sum, axis) => sum + shares[axis]!, 0);
  // Rounded up to all of it would be wrong.
  const share = held > 0.99 ? 'more than 99\u202f%' : formatPercent(held);
  return `${turned}. ${which} of ${shares.length} axes hold ${share} of them.`;
}
