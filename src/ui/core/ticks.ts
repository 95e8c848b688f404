/** What an axis shows: its ends, its marks, and how a mark is written. */
export interface AxisScale {
  domain: [number, number];
  ticks: number[];
  format(value: number): string;
}

interface ScaleOptions {
  /** About as many marks; never more than one more. */
  count?: number;
  /** The ends stay where they are, instead of moving out to the next mark. */
  fixed?: boolean;
  percent?: boolean;
}

const MINUS = '\u2212';
const UNITS = [
  [1e9, '\u202fG'],
  [1e6, '\u202fM'],
  [1e3, '\u202fk'],
] as const;

/** 1, 2 or 5 times a power of ten, so that at most `count` of them fit into `span`. */
function roundStep(span: number, count: number): number {
  const least = span / count;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Decimals that tell multiples of `step` apart. */
const decimalsOf = (step: number) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

function formatter(step: number, largest: number, percent: boolean): AxisScale['format'] {
  const [size, unit] = percent
    ? [0.01, '\u00a0%']
    : (UNITS.find(
        ([from]) => largest >= 10 * from || (from > 1e3 && largest >= from && step >= from / 10),
      ) ?? [1, '']);
  const decimals = decimalsOf(step / size);
  return (value) => {
    if (value === 0) return `0${percent ? unit : ''}`;
    const text = (Math.abs(value) / size).toLocaleString('en', {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    return `${value < 0 ? MINUS : ''}${text}${unit}`;
  };
}

/** Round numbers at even distances, each written with as many digits as tell it from the next. */
export function roundScale(low: number, high: number, options: ScaleOptions = {}): AxisScale {
  const { count = 5, fixed = false, percent = false } = options;
  if (!Number.isFinite(low) || !Number.isFinite(high)) return roundScale(0, 1, options);
  // One value has no extent: it stands in the middle of a tenth of itself.
  if (low >= high) {
    const room = Math.abs(low) / 20 || 0.5;
    return roundScale(low - room, low + room, { ...options, fixed: false });
  }
  const step = roundStep(high - low, count);
  const first = fixed ? Math.ceil(low / step - 1e-9) : Math.floor(low / step + 1e-9);
  const last = fixed ? Math.floor(high / step + 1e-9) : Math.ceil(high / step - 1e-9);
  // Multiples as decimal text: 3 * 0.1 is not 0.3.
  const decimals = decimalsOf(step);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toFixed(decimals)),
  );
  return {
    domain: fixed ? [low, high] : [ticks[0] ?? low, ticks.at(-1) ?? high],
    ticks,
    format: formatter(step, Math.max(Math.abs(low), Math.abs(high)), percent),
  };
}

/** From here on a logarithmic axis is marked by decades instead of by even values. */
const DECADES_FROM = 20;
/** The ends of a short logarithmic axis stand so much outside of the values. */
const ROOM = 1.03;

/** For positive values on a logarithmic axis: even values over a short range, 1, 2, 5, 10, 20… over a long one. */
export function logarithmicScale(low: number, high: number): AxisScale {
  if (!(low > 0) || !(high > low) || !Number.isFinite(high)) return roundScale(low > 0 ? low : 0.1, high);
  if (high / low < DECADES_FROM) return roundScale(low / ROOM, high * ROOM, { count: 6, fixed: true });
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of [1, 2, 5]) {
      const value = Number(`${factor}e${power}`);
      if (value >= low && value <= high) ticks.push(value);
    }
  }
  return { domain: [low, high], ticks, format: (value) => formatter(value, value, false)(value) };
}

/** The least and the greatest of the values that are there; null when there is none. */
export function extentOf(values: Iterable<number | undefined>): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === undefined || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : null;
}
