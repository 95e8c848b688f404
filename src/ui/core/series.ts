/**
 * Numbers that only grow in count, held as 8 bytes each, and the extremes of any stretch of them without visiting it:
 * blocks of 8, 64, 512… numbers know where their least and their greatest stand. NaN: there is none at this place.
 */
export interface Series {
  readonly length: number;
  push(value: number): void;
  at(index: number): number;
  /** Where the least and the greatest of `from` … `to` stand; null when there is none. */
  extremes(from: number, to: number): { least: number; greatest: number } | null;
}

const FACTOR = 8;

interface Level {
  size: number;
  least: Uint32Array;
  greatest: Uint32Array;
}

/** @param onVisit called for every number and every block that `extremes` looks at */
export function createSeries(onVisit: () => void = () => undefined): Series {
  let values = new Float64Array(64);
  let length = 0;
  const levels: Level[] = [];

  /** The better of two places; a gap never is. */
  const betterLeast = (a: number, b: number): number => {
    const old = values[a]!;
    const other = values[b]!;
    return other < old || (old !== old && other === other) ? b : a;
  };
  const betterGreatest = (a: number, b: number): number => {
    const old = values[a]!;
    const other = values[b]!;
    return other > old || (old !== old && other === other) ? b : a;
  };

  /** A level above begins when the one below has its second block. */
  const addLevel = (size: number) => {
    const blocks = Math.ceil(values.length / size);
    const level: Level = { size, least: new Uint32Array(blocks), greatest: new Uint32Array(blocks) };
    levels.push(level);
    for (let index = 0; index < length; index++) enter(level, index);
  };
  const enter = ({ size, least, greatest }: Level, index: number) => {
    const block = Math.floor(index / size);
    if (index % size === 0) least[block] = greatest[block] = index;
    else {
      least[block] = betterLeast(least[block]!, index);
      greatest[block] = betterGreatest(greatest[block]!, index);
    }
  };
  const grow = () => {
    const larger = new Float64Array(2 * values.length);
    larger.set(values);
    values = larger;
    for (const level of levels) {
      const blocks = Math.ceil(values.length / level.size);
      for (const key of ['least', 'greatest'] as const) {
        const list = new Uint32Array(blocks);
        list.set(level[key]);
        level[key] = list;
      }
    }
  };

  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === values.length) grow();
      values[length] = value;
      for (const level of levels) enter(level, length);
      length++;
      const size = FACTOR ** (levels.length + 1);
      if (length > size) addLevel(size);
    },
    at: (index) => values[index]!,
    extremes(from, to) {
      let least = from;
      let greatest = from;
      for (let index = from; index <= to;) {
        onVisit();
        // The largest block that begins here and ends in the stretch.
        let level: Level | null = null;
        for (const next of levels) {
          if (index % next.size !== 0 || index + next.size - 1 > to) break;
          level = next;
        }
        const block = level ? index / level.size : 0;
        least = betterLeast(least, level ? level.least[block]! : index);
        greatest = betterGreatest(greatest, level ? level.greatest[block]! : index);
        index += level ? level.size : 1;
      }
      return from <= to && !Number.isNaN(values[least]!) ? { least, greatest } : null;
    },
  };
}

/** The first index whose value is at least `value`, in a series that rises. */
export function firstAtLeast(series: Pick<Series, 'length' | 'at'>, value: number): number {
  let low = 0;
  let high = series.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (series.at(middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
