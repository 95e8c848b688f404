/** Sums over rows of columns [firstColumn, firstColumn + columns) of a [rows, stride] matrix, with Σ|terms|. */
export function columnSumReference(
  matrix: ArrayLike<number>,
  {
    rows,
    stride,
    firstColumn,
    columns,
  }: { rows: number; stride: number; firstColumn: number; columns: number },
): { sums: Float64Array; magnitudes: Float64Array } {
  const sums = new Float64Array(columns);
  const magnitudes = new Float64Array(columns);
  for (let p = 0; p < rows; p++) {
    for (let j = 0; j < columns; j++) {
      const term = matrix[p * stride + firstColumn + j]!;
      sums[j]! += term;
      magnitudes[j]! += Math.abs(term);
    }
  }
  return { sums, magnitudes };
}
