/** Domains that a corpus may have at most: the kernel of a step's metrics keeps as many sums. */
export const MOST_DOMAINS = 16;
