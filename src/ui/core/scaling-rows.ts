import type { DomainFit } from '../../data/model-family';
import { lossAt } from '../../data/scaling-law';

/**
 * One place on the axis of model sizes. Keys of values by domain: `point0…` what a member of the family
 * reaches, `within0…` the law between the smallest and the largest member, `beyond0…` the law outside.
 */
export interface ScalingRow {
  parameters: number;
  [key: string]: number | undefined;
}

/** Places on the curve, evenly in log N. */
const PLACES = 64;
/** What is seen of the axis to either side of the outermost size, as a factor. */
const MARGIN = 1.2;

/**
 * The laws and the points that they were fitted to, as rows in the order of size.
 *
 * @param target parameters of the target, which the axis reaches; null: there is none
 */
export function scalingRows(fits: readonly DomainFit[], target: number | null): ScalingRow[] {
  const sizes = [...new Set(fits.flatMap(({ points }) => points.map(({ parameters }) => parameters)))];
  if (sizes.length === 0) return [];
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
  const marks = target === null ? sizes : [...sizes, target];
  const first = Math.min(...marks) / MARGIN;
  const last = Math.max(...marks) * MARGIN;
  const places = Array.from({ length: PLACES }, (_, i) => first * (last / first) ** (i / (PLACES - 1)));
  return [...new Set([...places, ...marks])]
    .sort((a, b) => a - b)
    .map((parameters) => {
      const row: ScalingRow = { parameters };
      fits.forEach(({ points, fit }, domain) => {
        row[`point${domain}`] = points.find((point) => point.parameters === parameters)?.loss;
        if (!('law' in fit)) return;
        const loss = lossAt(fit.law, parameters);
        // The outermost members belong to both, so that the two lines meet.
        if (parameters >= smallest && parameters <= largest) row[`within${domain}`] = loss;
        if (parameters <= smallest || parameters >= largest) row[`beyond${domain}`] = loss;
      });
      return row;
    });
}
