/**
 * The hard-concrete distribution in float64: what the kernels are tested against and what the pruning policy
 * computes on the CPU.
 *
 * Sources: Louizos, Welling & Kingma, "Learning Sparse Neural Networks through L0 Regularization" (2018),
 * eq. 10–12; constants and the deterministic value from Sheared LLaMA (arXiv 2310.06694) and its code,
 * `l0_module.py` of princeton-nlp/LLM-Shearing ("LS" below, with its line numbers).
 */

/** γ and ζ: the concrete variable is stretched to (γ, ζ) before it is clamped to [0, 1] (LS l. 14). */
const STRETCH_LOW = -0.1;
const STRETCH_HIGH = 1.1;

/** Noise and probabilities stay this far from 0 and 1 (LS l. 14). */
const PROBABILITY_EDGE = 1e-6;

/** logα is clamped to ±ln 100 before every use (LS l. 123–124). */
export const LOG_ALPHA_LIMIT = Math.log(100);

/** Sharpening of the deterministic value (LS l. 34). */
const EVALUATION_SHARPNESS = 0.8;

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** logα of a gate that is pinned open by hand; closed, the negative. No optimiser step leads there or away. */
export const PINNED_LOG_ALPHA = 64;

/** Whether a gate is pinned by hand: open above, closed below. */
export function isPinned(logAlpha: number): boolean {
  return Math.abs(logAlpha) >= PINNED_LOG_ALPHA / 2;
}

/** The clamp; a pinned gate stays where it is. */
export function clampLogAlpha(logAlpha: number): number {
  if (isPinned(logAlpha)) return Math.sign(logAlpha) * PINNED_LOG_ALPHA;
  return Math.min(LOG_ALPHA_LIMIT, Math.max(-LOG_ALPHA_LIMIT, logAlpha));
}

/**
 * z for noise u in (0, 1): clamp(σ((ln u − ln(1 − u) + logα) / β)·(ζ − γ) + γ, 0, 1)  (LS l. 67–81).
 *
 * @param temperature β: 2/3 in the code, 0.83 in the paper.
 */
export function hardConcreteValue(logAlpha: number, u: number, temperature: number): number {
  if (isPinned(logAlpha)) return logAlpha > 0 ? 1 : 0;
  const s = sigmoid((Math.log(u) - Math.log(1 - u) + logAlpha) / temperature);
  return Math.min(1, Math.max(0, s * (STRETCH_HIGH - STRETCH_LOW) + STRETCH_LOW));
}

/**
 * ∂z/∂logα at fixed noise, from the value alone: (ζ − γ)·s·(1 − s)/β with s = (z − γ)/(ζ − γ) for 0 < z < 1,
 * and 0 where the clamp holds.
 */
export function hardConcreteSlope(z: number, temperature: number): number {
  if (!(z > 0 && z < 1)) return 0;
  const s = (z - STRETCH_LOW) / (STRETCH_HIGH - STRETCH_LOW);
  return ((STRETCH_HIGH - STRETCH_LOW) * s * (1 - s)) / temperature;
}

/**
 * P(z = 0) = clamp(σ(β·ln(−γ/ζ) − logα), ε, 1 − ε)  (LS l. 59–65). By the symmetry of γ and ζ about ½,
 * P(z = 1) is the same function at −logα. Of a pinned gate it is exactly 1 or 0.
 */
export function probabilityOfZero(logAlpha: number, temperature: number): number {
  if (isPinned(logAlpha)) return logAlpha < 0 ? 1 : 0;
  const p = sigmoid(temperature * Math.log(-STRETCH_LOW / STRETCH_HIGH) - logAlpha);
  return Math.min(1 - PROBABILITY_EDGE, Math.max(PROBABILITY_EDGE, p));
}

/** ∂P(z = 0)/∂logα = −P(1 − P), and 0 where the clamp holds. */
export function probabilityOfZeroSlope(logAlpha: number, temperature: number): number {
  const p = probabilityOfZero(logAlpha, temperature);
  return p > PROBABILITY_EDGE && p < 1 - PROBABILITY_EDGE ? -p * (1 - p) : 0;
}

/**
 * The deterministic value that evaluation and surgery give a kept unit: σ(logα/β · 0.8), not stretched, so a
 * survivor keeps a value below 1 (LS l. 83–115). Which units are kept is the pruning policy's choice.
 */
export function softValue(logAlpha: number, temperature: number): number {
  return sigmoid((logAlpha / temperature) * EVALUATION_SHARPNESS);
}

/**
 * Threefry-2x32 with 20 rounds: Salmon, Moraes, Dror & Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3"
 * (2011), section 4 and table 2. All words are unsigned 32-bit.
 */
export function threefry2x32(
  key: readonly [number, number],
  counter: readonly [number, number],
): [number, number] {
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  const keys = [key[0], key[1], (0x1bd11bda ^ key[0] ^ key[1]) >>> 0];
  let x0 = (counter[0] + key[0]) >>> 0;
  let x1 = (counter[1] + key[1]) >>> 0;
  for (let round = 0; round < 20; round++) {
    const bits = rotations[round % 8]!;
    x0 = (x0 + x1) >>> 0;
    x1 = (((x1 << bits) | (x1 >>> (32 - bits))) ^ x0) >>> 0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + keys[injection % 3]!) >>> 0;
      x1 = (x1 + keys[(injection + 1) % 3]! + injection) >>> 0;
    }
  }
  return [x0, x1];
}

/**
 * The uniform noise of one gate at one step, the very value that `shaders/hard_concrete.wgsl` uses:
 * (2k + 1)/2²⁴ for the upper 23 bits k of the first word, kept inside [ε, 1 − ε].
 */
export function gateNoise(seed: number, step: number, gateIndex: number): number {
  const [word] = threefry2x32([seed >>> 0, Math.floor(seed / 4294967296) >>> 0], [gateIndex, step]);
  const u = (2 * (word >>> 9) + 1) / 16777216;
  return Math.min(1 - PROBABILITY_EDGE, Math.max(PROBABILITY_EDGE, u));
}
