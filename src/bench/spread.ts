/** How measurements of one thing lie, in their own unit. */
export interface Spread {
  median: number;
  p10: number;
  p90: number;
  least: number;
  count: number;
}

/** @throws RangeError on no values. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('a spread needs a value');
  const sorted = [...values].sort((a, b) => a - b);
  // Between the two neighbours of the place, as numpy does.
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    return sorted[below]! + (place - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
  };
  return { median: at(0.5), p10: at(0.1), p90: at(0.9), least: sorted[0]!, count: sorted.length };
}
