export interface RmsNormShape {
  rows: number;
  hidden: number;
  epsilon: number;
}

/** The statistics of one row: the kept dims' count and 1/√(mean square over them + ε). */
function rowScale(
  x: ArrayLike<number>,
  row: number,
  z: ArrayLike<number>,
  { hidden, epsilon }: RmsNormShape,
) {
  let squares = 0;
  let kept = 0;
  for (let j = 0; j < hidden; j++) {
    if (z[j] === 0) continue;
    squares += x[row * hidden + j]! ** 2;
    kept++;
  }
  const n = Math.max(1, kept);
  return { n, r: 1 / Math.sqrt(squares / n + epsilon) };
}

/** x + z_layer·z·output, [rows, hidden]. */
export function residualReference(
  x: ArrayLike<number>,
  output: ArrayLike<number>,
  zLayer: number,
  z: ArrayLike<number>,
  { rows, hidden }: RmsNormShape,
): Float64Array {
  return Float64Array.from({ length: rows * hidden }, (_, i) => x[i]! + zLayer * z[i % hidden]! * output[i]!);
}

/** y_j = x_j·r·w_j·z_j with r over the kept dims, [rows, hidden] in float64. */
export function rmsNormReference(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  z: ArrayLike<number>,
  shape: RmsNormShape,
): Float64Array {
  const { rows, hidden } = shape;
  const y = new Float64Array(rows * hidden);
  for (let row = 0; row < rows; row++) {
    const { r } = rowScale(x, row, z, shape);
    for (let j = 0; j < hidden; j++) y[row * hidden + j] = x[row * hidden + j]! * r * w[j]! * z[j]!;
  }
  return y;
}

/** Gradients of Σ dY·y for x, w and z (z with the set of kept dims held fixed). */
export function rmsNormGradientReference(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  z: ArrayLike<number>,
  dY: ArrayLike<number>,
  shape: RmsNormShape,
): { dX: Float64Array; dW: Float64Array; dZ: Float64Array } {
  const { rows, hidden } = shape;
  const dX = new Float64Array(rows * hidden);
  const dW = new Float64Array(hidden);
  const dZ = new Float64Array(hidden);
  for (let row = 0; row < rows; row++) {
    const { n, r } = rowScale(x, row, z, shape);
    let dot = 0;
    for (let j = 0; j < hidden; j++) {
      const at = row * hidden + j;
      dot += dY[at]! * w[j]! * z[j]! * x[at]!;
    }
    for (let j = 0; j < hidden; j++) {
      const at = row * hidden + j;
      if (z[j] !== 0) dX[at] = r * dY[at]! * w[j]! * z[j]! - (x[at]! * r ** 3 * dot) / n;
      dW[j]! += dY[at]! * z[j]! * x[at]! * r;
      dZ[j]! += dY[at]! * w[j]! * x[at]! * r;
    }
  }
  return { dX, dW, dZ };
}

/** Of a branch x' = x + z_layer·z·output with the gradient dX of x': dOutput, and S_j = Σ_rows dX_j·output_j. */
export function branchGradientReference(
  dX: ArrayLike<number>,
  output: ArrayLike<number>,
  zLayer: number,
  z: ArrayLike<number>,
  { rows, hidden }: RmsNormShape,
): { dOutput: Float64Array; sums: Float64Array } {
  const dOutput = new Float64Array(rows * hidden);
  const sums = new Float64Array(hidden);
  for (let i = 0; i < rows * hidden; i++) {
    dOutput[i] = dX[i]! * zLayer * z[i % hidden]!;
    sums[i % hidden]! += dX[i]! * output[i]!;
  }
  return { dOutput, sums };
}
