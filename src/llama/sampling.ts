/** mulberry32: enough for drawing tokens; the same seed gives the same text on the same adapter. */
function uniformSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Draws tokens from logits [V] in float64, softmax(logits / temperature), one random number each; a temperature of 0
 * takes the likeliest, of equal ones the first.
 */
export function tokenSampler(temperature: number, seed: number): (logits: Float32Array) => number {
  const uniform = uniformSource(seed);
  return (logits) => {
    let best = 0;
    for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
    if (temperature <= 0) return best;
    const weights = Float64Array.from(logits, (l) => Math.exp((l - logits[best]!) / temperature));
    let left = uniform() * weights.reduce((a, b) => a + b, 0);
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i]!;
      if (left <= 0) return i;
    }
    return best;
  };
}
