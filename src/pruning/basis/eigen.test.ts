import { describe, expect, it } from 'vitest';
import { matmulReference } from '../../kernels/matmul.reference';
import { expectClose, randomValues } from '../../kernels/testing';
import { symmetricEigen } from './eigen';

/** Rounding errors of float64 that n² operations on values of the matrix' own size may leave. */
const allowance = (n: number) => 4 * n * Number.EPSILON;

const symmetric = (n: number, of: (i: number, j: number) => number) =>
  Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return of(Math.min(i, j), Math.max(i, j));
  });

/** XᵀX of random X [rows, n], of rank min(rows, n). */
const gram = (rows: number, n: number) => {
  const x = randomValues(rows * n, 7);
  return matmulReference('tn', x, x, n, n, rows).c;
};

/** A·v = λ·v, orthonormal columns, descending values, positive peaks: everything that is promised. */
function expectEigen(matrix: Float64Array, n: number) {
  const { values, vectors } = symmetricEigen(matrix, n);
  const norm = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const turned = matmulReference('nn', matrix, vectors, n, n, n).c;
  const expected = vectors.map((v, at) => v * values[at % n]!);
  expectClose(turned, expected, { atol: allowance(n) * norm, rtol: 0 });
  const products = matmulReference('tn', vectors, vectors, n, n, n).c;
  const identity = products.map((_, at) => (at % (n + 1) === 0 ? 1 : 0));
  expectClose(products, identity, { atol: allowance(n), rtol: 0 });
  for (let j = 0; j < n; j++) {
    if (j > 0) expect(values[j]).toBeLessThanOrEqual(values[j - 1]!);
    const column = Array.from({ length: n }, (_, k) => vectors[k * n + j]!);
    expect(Math.max(...column)).toBe(Math.max(...column.map(Math.abs)));
  }
  return { values, vectors };
}

describe('eigenvalues and eigenvectors', () => {
  it('of a matrix of two rows, by hand', () => {
    // (2 1; 1 2): 3 along (1, 1)/√2, 1 along (1, −1)/√2.
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    const h = Math.SQRT1_2;
    expectClose(values, [3, 1], { atol: 1e-15, rtol: 0 });
    expectClose(vectors.map(Math.abs), [h, h, h, h], { atol: 1e-15, rtol: 0 });
    expect([...vectors].map(Math.sign).filter((sign) => sign < 0)).toHaveLength(1);
    expect(vectors[0]! * vectors[2]!).toBeGreaterThan(0);
  });

  it('of a single number, whatever its sign', () => {
    expect(symmetricEigen(Float64Array.of(-3), 1)).toEqual({
      values: Float64Array.of(-3),
      vectors: Float64Array.of(1),
    });
  });

  it('of the second difference, whose eigenvalues are 2 − 2·cos(kπ/(n + 1))', () => {
    const n = 30;
    const matrix = symmetric(n, (i, j) => (i === j ? 2 : j - i === 1 ? -1 : 0));
    const { values } = expectEigen(matrix, n);
    const known = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((n - k) * Math.PI) / (n + 1)));
    expectClose(values, known, { atol: allowance(n), rtol: 0 });
  });

  it('of random matrices, of both signs and of full rank, at every small size', () => {
    for (let n = 1; n <= 12; n++) {
      const entries = randomValues(n * n, n, 3);
      expectEigen(
        symmetric(n, (i, j) => entries[i * n + j]!),
        n,
      );
    }
    expectEigen(gram(400, 97), 97);
  });

  it('of a matrix of low rank: the others are 0 up to rounding', () => {
    const { values } = expectEigen(gram(5, 40), 40);
    expect(values[4]).toBeGreaterThan(1e-2 * values[0]!);
    for (const value of values.subarray(5)) expect(Math.abs(value)).toBeLessThan(allowance(40) * values[0]!);
  });

  it('that repeat: an orthonormal basis all the same', () => {
    const n = 9;
    // 1 + n·ones: n² + 1 once, 1 eight times.
    const { values } = expectEigen(
      symmetric(n, (i, j) => n + (i === j ? 1 : 0)),
      n,
    );
    expectClose(values, [n * n + 1, ...Array<number>(n - 1).fill(1)], { atol: 1e-12, rtol: 0 });
    const diagonal = symmetric(4, (i, j) => (i === j ? [2, 5, 2, 5][i]! : 0));
    expect([...expectEigen(diagonal, 4).values]).toEqual([5, 5, 2, 2]);
    expect([...expectEigen(new Float64Array(16), 4).values]).toEqual([0, 0, 0, 0]);
  });

  it('of very large, very small and steeply graded elements', () => {
    const entries = gram(50, 12);
    const reference = symmetricEigen(entries, 12);
    for (const scale of [2 ** 600, 2 ** -600]) {
      const scaled = expectEigen(
        entries.map((v) => v * scale),
        12,
      );
      expect(scaled.vectors).toEqual(reference.vectors);
      expect(scaled.values).toEqual(reference.values.map((v) => v * scale));
    }
    expectEigen(
      symmetric(20, (i, j) => 10 ** -(i + j)),
      20,
    );
  });

  it('are refused of what is no such matrix', () => {
    expect(() => symmetricEigen(new Float64Array(5), 2)).toThrow('5 values are not a matrix of 2 × 2');
    expect(() => symmetricEigen(Float64Array.of(1, NaN, NaN, 1), 2)).toThrow(
      'An element of a symmetric matrix at place 2 is NaN',
    );
  });
});
