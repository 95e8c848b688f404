/** cos(a_i, b_i) of the rows of two [rows, columns] matrices; 0 where a row is zero. */
export function rowCosineReference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { rows, columns }: { rows: number; columns: number },
): Float64Array {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>, row: number) => {
    let sum = 0;
    for (let j = row * columns; j < (row + 1) * columns; j++) sum += x[j]! * y[j]!;
    return sum;
  };
  return Float64Array.from({ length: rows }, (_, i) => {
    const lengths = Math.sqrt(dot(a, a, i)) * Math.sqrt(dot(b, b, i));
    return dot(a, b, i) / Math.max(lengths, 1e-8);
  });
}
