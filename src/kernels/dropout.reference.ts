import { threefry2x32 } from './hard-concrete-distribution';

interface DropoutPlace {
  seed: number;
  step: number;
  site: number;
  rate: number;
}

/** The factor of element i: 0 or 1/(1 − rate), as shaders/dropout.wgsl draws it. */
export function dropoutFactor({ seed, step, site, rate }: DropoutPlace, i: number): number {
  const key = [seed >>> 0, (Math.floor(seed / 2 ** 32) + (site + 1) * 2 ** 21) >>> 0] as const;
  return threefry2x32(key, [i, step])[0] < Math.round(rate * 2 ** 32) ? 0 : 1 / (1 - rate);
}

/** x with elements dropped and the others scaled. */
export function dropoutReference(x: ArrayLike<number>, place: DropoutPlace): Float64Array {
  return Float64Array.from(x, (value, i) => value * dropoutFactor(place, i));
}
