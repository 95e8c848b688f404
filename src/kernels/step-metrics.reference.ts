import { MOST_DOMAINS } from '../fields/domains';

/**
 * Mean loss over all windows and over each domain's, with the count of its windows; of divergences as of losses, where
 * the mean over all windows is what counts.
 */
export function windowMeans(
  losses: ArrayLike<number>,
  windowDomains: ArrayLike<number>,
  windowLength: number,
  predictionsPerWindow: number,
): { meanLoss: number; domains: { meanLoss: number; windows: number }[] } {
  const meanOver = (chosen: (domain: number) => boolean) => {
    let sum = 0;
    let windows = 0;
    for (let w = 0; w < windowDomains.length; w++) {
      if (!chosen(windowDomains[w]!)) continue;
      windows++;
      for (let t = 0; t < windowLength; t++) sum += losses[w * windowLength + t]!;
    }
    return { meanLoss: windows === 0 ? 0 : sum / (windows * predictionsPerWindow), windows };
  };
  return {
    meanLoss: meanOver(() => true).meanLoss,
    domains: Array.from({ length: MOST_DOMAINS }, (_, d) => meanOver((domain) => domain === d)),
  };
}
