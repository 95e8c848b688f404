import type { GateLayout, GateRegion } from './gate-layout';

/** hidden, heads, intermediate, layers */
const setsOf = ({ sets }: GateLayout) => sets as [GateRegion, GateRegion, GateRegion, GateRegion];

/**
 * What the gates of a residual stack enter, reduced to what the column sums know of it: each norm site s adds
 * Σ_j z_hidden[j]·N_s[j] to the loss, each branch b adds Σ_j z_layer[⌊b/2⌋]·z_hidden[j]·S_b[j], heads and
 * intermediate units add z·sum. Linear in each gate, so its gradient is what `gate_gradient` must give.
 */
export function gateObjective(sums: ArrayLike<number>, z: ArrayLike<number>, layout: GateLayout): number {
  const [{ length: d }, heads, intermediate, layers] = setsOf(layout);
  const L = layers.length;
  let at = 0;
  let total = 0;
  for (let s = 0; s < 2 * L + 1; s++) for (let j = 0; j < d; j++) total += z[j]! * sums[at++]!;
  for (let b = 0; b < 2 * L; b++) {
    const zLayer = z[layers.offset + Math.floor(b / 2)]!;
    for (let j = 0; j < d; j++) total += zLayer * z[j]! * sums[at++]!;
  }
  for (const { offset, rows, length } of [intermediate, heads]) {
    for (let i = 0; i < rows * length; i++) total += z[offset + i]! * sums[at++]!;
  }
  return total;
}

/** ∂gateObjective/∂z, with the Σ|terms| of each gate. */
export function gateGradientReference(
  sums: ArrayLike<number>,
  z: ArrayLike<number>,
  layout: GateLayout,
): { gradient: Float64Array; magnitudes: Float64Array } {
  const [{ length: d }, heads, intermediate, layers] = setsOf(layout);
  const L = layers.length;
  const gradient = new Float64Array(layout.total);
  const magnitudes = new Float64Array(layout.total);
  const add = (gate: number, term: number) => {
    gradient[gate]! += term;
    magnitudes[gate]! += Math.abs(term);
  };
  let at = 0;
  for (let s = 0; s < 2 * L + 1; s++) for (let j = 0; j < d; j++) add(j, sums[at++]!);
  for (let b = 0; b < 2 * L; b++) {
    const layer = layers.offset + Math.floor(b / 2);
    for (let j = 0; j < d; j++, at++) {
      add(j, z[layer]! * sums[at]!);
      add(layer, z[j]! * sums[at]!);
    }
  }
  for (const { offset, rows, length } of [intermediate, heads]) {
    for (let i = 0; i < rows * length; i++) add(offset + i, sums[at++]!);
  }
  return { gradient, magnitudes };
}
