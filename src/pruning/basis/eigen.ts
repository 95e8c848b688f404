import { allFinite } from '../../fields/finite';

export interface Eigen {
  /** [n], largest first. */
  values: Float64Array;
  /** [n, n] row-major: column j is the unit eigenvector of value j; the columns are orthonormal. */
  vectors: Float64Array;
}

/** Steps that one eigenvalue may take; two are usual. */
const MOST_STEPS = 60;

/** sum += factor·row, over [from, to) of both arrays' rows at the given offsets. */
function addRow(
  sum: Float64Array,
  sumAt: number,
  factor: number,
  row: Float64Array,
  rowAt: number,
  from: number,
  to: number,
): void {
  for (let j = from; j < to; j++) sum[sumAt + j]! += factor * row[rowAt + j]!;
}

/**
 * Householder's reduction A = Z·T·Zᵀ with T tridiagonal (Golub & Van Loan, Matrix Computations, §8.3.1). `a` [n, n]
 * is used up. Column k is reflected by H = 1 − β·v·vᵀ onto its first element below the diagonal, and of the rest of
 * the matrix H·A·H = A − v·wᵀ − w·vᵀ.
 */
function tridiagonalise(a: Float64Array, n: number) {
  const diagonal = new Float64Array(n);
  const below = new Float64Array(n);
  const betas = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    // Behind the diagonal of row k stands column k, and then its v.
    const v = k * n;
    let squares = 0;
    for (let i = k + 1; i < n; i++) squares += a[v + i]! ** 2;
    const first = a[v + k + 1]!;
    const reflected = first > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    below[k] = reflected;
    a[v + k + 1] = first - reflected;
    // vᵀv = 2·(squares − first·reflected); a column that is 0 stays as it is.
    const beta = squares === 0 ? 0 : 1 / (squares - first * reflected);
    betas[k] = beta;
    let dot = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[i * n + j]! * a[v + j]!;
      w[i] = beta * sum;
      dot += w[i]! * a[v + i]!;
    }
    addRow(w, 0, (-beta * dot) / 2, a, v, k + 1, n);
    for (let i = k + 1; i < n; i++) {
      addRow(a, i * n, -a[v + i]!, w, 0, k + 1, n);
      addRow(a, i * n, -w[i]!, a, v, k + 1, n);
    }
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i]!;

  // Z = H₀·H₁ … from the last reflection on, so that each touches only what is no longer the identity.
  const z = new Float64Array(n * n);
  for (let i = 0; i < n; i++) z[i * n + i] = 1;
  for (let k = n - 2; k >= 0; k--) {
    const v = k * n;
    w.fill(0);
    for (let i = k + 1; i < n; i++) addRow(w, 0, betas[k]! * a[v + i]!, z, i * n, k + 1, n);
    for (let i = k + 1; i < n; i++) addRow(z, i * n, -a[v + i]!, w, 0, k + 1, n);
  }
  return { diagonal, below, z };
}

function transpose(matrix: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const value = matrix[i * n + j]!;
      matrix[i * n + j] = matrix[j * n + i]!;
      matrix[j * n + i] = value;
    }
  }
}

/**
 * Diagonalises T in place by implicit QL steps with Wilkinson's shift (EISPACK's tql2; Parlett, The Symmetric
 * Eigenvalue Problem, §8.12), each a chase of plane rotations up the block [low, high]; `rows` [n, n] takes them,
 * row i becoming the eigenvector of diagonal[i].
 */
function diagonalise(diagonal: Float64Array, below: Float64Array, rows: Float64Array, n: number): void {
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(diagonal[i]!) + Math.abs(below[i]!));
  // What T's own rounding hides already.
  const negligible = Number.EPSILON * norm;
  for (let low = 0; low < n; low++) {
    for (let step = 0; ; step++) {
      let high = low;
      while (high < n - 1 && Math.abs(below[high]!) > negligible) high++;
      if (high === low) break;
      if (step === MOST_STEPS) throw new Error('The eigenvalues of a matrix were not found');
      const e = below[low]!;
      const half = (diagonal[low + 1]! - diagonal[low]!) / 2;
      const root = Math.sqrt(half * half + e * e);
      const shift = diagonal[low]! - (e * e) / (half + (half < 0 ? -root : root));
      // The rotation of rows i and i + 1 moves the element outside of the band ("bulge") up by one.
      let x = diagonal[high]! - shift;
      let bulge = below[high - 1]!;
      for (let i = high - 1; i >= low; i--) {
        const radius = Math.sqrt(x * x + bulge * bulge);
        const c = radius === 0 ? 1 : x / radius;
        const s = radius === 0 ? 0 : bulge / radius;
        if (i + 1 < high) below[i + 1] = radius;
        const [upper, lower, between] = [diagonal[i]!, diagonal[i + 1]!, below[i]!];
        diagonal[i] = c * c * upper - 2 * c * s * between + s * s * lower;
        diagonal[i + 1] = s * s * upper + 2 * c * s * between + c * c * lower;
        below[i] = c * s * (upper - lower) + (c * c - s * s) * between;
        if (i > low) {
          x = below[i]!;
          bulge = s * below[i - 1]!;
          below[i - 1]! *= c;
        }
        for (let k = 0, p = i * n, q = p + n; k < n; k++, p++, q++) {
          const [a, b] = [rows[p]!, rows[q]!];
          rows[p] = c * a - s * b;
          rows[q] = s * a + c * b;
        }
      }
    }
  }
}

/**
 * Eigenvalues and eigenvectors of a real symmetric matrix, A·v = λ·v, in O(n³): Householder's tridiagonal form, then
 * implicit QL. Errors are a few rounding errors of the largest eigenvalue, also in the smallest ones.
 *
 * Each vector's component of largest magnitude (of equal ones the first) is positive. The vectors of an eigenvalue
 * that occurs k times are some orthonormal basis of its k dimensions. Only arithmetic that IEEE 754 rounds in one way
 * is used (no Math.hypot), so every JavaScript engine gives the same bits.
 *
 * @param matrix [size, size] row-major; only what lies on and above the diagonal is read
 * @throws when it has another length; NotFiniteError when an element is NaN or infinite
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  const n = size;
  if (matrix.length !== n * n) throw new Error(`${matrix.length} values are not a matrix of ${n} × ${n}`);
  allFinite(matrix, 'An element of a symmetric matrix');
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // A power of two, which scales without rounding: squares of any matrix's elements fit then.
  const scale = largest === 0 ? 1 : 2 ** Math.floor(Math.log2(largest));
  const a = matrix.map((_, i) => {
    const [row, column] = [Math.floor(i / n), i % n];
    return matrix[Math.min(row, column) * n + Math.max(row, column)]! / scale;
  });
  const { diagonal, below, z: rows } = tridiagonalise(a, n);
  transpose(rows, n);
  diagonalise(diagonal, below, rows, n);

  const order = [...diagonal.keys()].sort((i, j) => diagonal[j]! - diagonal[i]!);
  const vectors = new Float64Array(n * n);
  order.forEach((from, j) => {
    let peak = 0;
    for (let k = 0; k < n; k++) {
      const value = rows[from * n + k]!;
      if (Math.abs(value) > Math.abs(peak)) peak = value;
    }
    for (let k = 0; k < n; k++) vectors[k * n + j] = rows[from * n + k]! * Math.sign(peak);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]! * scale), vectors };
}
