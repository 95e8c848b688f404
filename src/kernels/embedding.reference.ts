/** output[r] = table[tokens[r]] for a table [V, hidden]. */
export function embeddingReference(
  table: ArrayLike<number>,
  tokens: ArrayLike<number>,
  hidden: number,
): Float64Array {
  const output = new Float64Array(tokens.length * hidden);
  for (let r = 0; r < tokens.length; r++) {
    for (let j = 0; j < hidden; j++) output[r * hidden + j] = table[tokens[r]! * hidden + j]!;
  }
  return output;
}

/** The gradient of Σ output·dOutput with respect to the table, as the scatter it is; with Σ|terms|. */
export function embeddingBackwardReference(
  tokens: ArrayLike<number>,
  dOutput: ArrayLike<number>,
  vocabulary: number,
  hidden: number,
): { dTable: Float64Array; magnitudes: Float64Array } {
  const dTable = new Float64Array(vocabulary * hidden);
  const magnitudes = new Float64Array(vocabulary * hidden);
  for (let r = 0; r < tokens.length; r++) {
    for (let j = 0; j < hidden; j++) {
      const term = dOutput[r * hidden + j]!;
      dTable[tokens[r]! * hidden + j]! += term;
      magnitudes[tokens[r]! * hidden + j]! += Math.abs(term);
    }
  }
  return { dTable, magnitudes };
}
