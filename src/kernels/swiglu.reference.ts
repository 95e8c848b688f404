export interface SwigluShape {
  rows: number;
  intermediate: number;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** act[r, i] = silu(g) · u · z_i for gateUp [rows, 2·intermediate]. */
export function swigluReference(
  gateUp: ArrayLike<number>,
  z: ArrayLike<number>,
  { rows, intermediate }: SwigluShape,
): Float64Array {
  const act = new Float64Array(rows * intermediate);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < intermediate; i++) {
      const g = gateUp[r * 2 * intermediate + i]!;
      const u = gateUp[r * 2 * intermediate + intermediate + i]!;
      act[r * intermediate + i] = g * sigmoid(g) * u * z[i]!;
    }
  }
  return act;
}

/** Gradients of Σ act·dAct with respect to gateUp and z; dzMagnitude is Σ|terms| of each dz. */
export function swigluBackwardReference(
  gateUp: ArrayLike<number>,
  z: ArrayLike<number>,
  dAct: ArrayLike<number>,
  { rows, intermediate }: SwigluShape,
): { dGateUp: Float64Array; dz: Float64Array; dzMagnitude: Float64Array } {
  const dGateUp = new Float64Array(rows * 2 * intermediate);
  const dz = new Float64Array(intermediate);
  const dzMagnitude = new Float64Array(intermediate);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < intermediate; i++) {
      const at = r * 2 * intermediate + i;
      const g = gateUp[at]!;
      const u = gateUp[at + intermediate]!;
      const s = sigmoid(g);
      const dY = dAct[r * intermediate + i]!;
      dGateUp[at] = dY * z[i]! * u * (s + g * s * (1 - s));
      dGateUp[at + intermediate] = dY * z[i]! * g * s;
      dz[i]! += dY * g * s * u;
      dzMagnitude[i]! += Math.abs(dY * g * s * u);
    }
  }
  return { dGateUp, dz, dzMagnitude };
}
