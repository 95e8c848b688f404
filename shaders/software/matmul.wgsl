// C (+)= op(A)·op(B) of shaders/matmul.wgsl without workgroup memory, for adapters that run on the CPU. There a
// barrier costs more than it saves (every invocation is parked and woken), and a load is a gather, one element
// a lane: what counts is products a load. Each invocation keeps 8×8 outputs in four matrices; named, since
// SwiftShader keeps an array in memory.
//
// Takes sizes whose stored rows and k are multiples of four; rows and columns beyond C's edge are computed from
// whatever the loads return and not stored.
// Dispatch: 16 invocations a workgroup, one for 8 rows and 8 columns of C, columns fastest, folded.
// Bindings: 0 shape, 1 A, 2 B, 3 C (read only when accumulating).
//
// Measured on two busy cores, processor time, GFLOP a second of one core, at m×n×k 1024×384×192 nt,
// 1024×192×384 nn, 192×64×1024 tn (lavapipe | SwiftShader; ratios only, no GPU):
//   tiled 64×64 or 32×32 with barriers          2.4  2.9  3.2 | 0.40 0.45 0.64
//   8×4 outputs in an array of vectors          4.7  5.0  7.0 | 0.74 0.72 0.67
//   8×4 outputs in two matrices                 4.3  5.3  7.2 | 1.34 1.36 1.56
//   8×8 outputs in four matrices (this)         6.8  6.3  8.9 | 1.77 2.09 2.24
// 64 invocations a workgroup: 10 to 20 % slower. Compiling this costs lavapipe 5 s of processor time, 8×4 2 s;
// SwiftShader 0.2 to 0.8 s.

struct Shape {
  m: u32,
  n: u32,
  k: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

const THREADS = 16u;
const A_K_CONTIGUOUS = $A_K_CONTIGUOUS;
const B_K_CONTIGUOUS = $B_K_CONTIGUOUS;

// Rows row … row + 3 of op(A) at k … k + 3: one column of the result for each row.
fn block_a(row: u32, k: u32) -> mat4x4f {
  if (A_K_CONTIGUOUS) {
    let at = (row * shape.k + k) / 4u;
    let step = shape.k / 4u;
    return mat4x4f(a[at], a[at + step], a[at + 2u * step], a[at + 3u * step]);
  }
  let at = (k * shape.m + row) / 4u;
  let step = shape.m / 4u;
  return transpose(mat4x4f(a[at], a[at + step], a[at + 2u * step], a[at + 3u * step]));
}

// Columns column … column + 3 of op(B) at k … k + 3: one column of the result for each k.
fn block_b(column: u32, k: u32) -> mat4x4f {
  if (B_K_CONTIGUOUS) {
    let at = (column * shape.k + k) / 4u;
    let step = shape.k / 4u;
    return transpose(mat4x4f(b[at], b[at + step], b[at + 2u * step], b[at + 3u * step]));
  }
  let at = (k * shape.n + column) / 4u;
  let step = shape.n / 4u;
  return mat4x4f(b[at], b[at + step], b[at + 2u * step], b[at + 3u * step]);
}

@compute @workgroup_size(THREADS)
fn matmul(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let column_blocks = (shape.n + 7u) / 8u;
  let block = (wg.y * num.x + wg.x) * THREADS + thread;
  let row = block / column_blocks * 8u;
  let column = block % column_blocks * 8u;
  if (row >= shape.m) {
    return;
  }
  var sum00 = mat4x4f();
  var sum01 = mat4x4f();
  var sum10 = mat4x4f();
  var sum11 = mat4x4f();
  for (var k = 0u; k < shape.k; k += 4u) {
    let b0 = block_b(column, k);
    let b1 = block_b(column + 4u, k);
    let a0 = block_a(row, k);
    sum00 += b0 * a0;
    sum01 += b1 * a0;
    let a1 = block_a(row + 4u, k);
    sum10 += b0 * a1;
    sum11 += b1 * a1;
  }
  store_block(row, column, sum00);
  store_block(row, column + 4u, sum01);
  store_block(row + 4u, column, sum10);
  store_block(row + 4u, column + 4u, sum11);
}

fn store_block(row: u32, column: u32, sums: mat4x4f) {
  store_row(row, column, sums[0]);
  store_row(row + 1u, column, sums[1]);
  store_row(row + 2u, column, sums[2]);
  store_row(row + 3u, column, sums[3]);
}

fn store_row(row: u32, column: u32, sum: vec4f) {
  if (row < shape.m) {
    store(row, column, sum.x);
    store(row, column + 1u, sum.y);
    store(row, column + 2u, sum.z);
    store(row, column + 3u, sum.w);
  }
}

fn store(row: u32, column: u32, sum: f32) {
  if (column < shape.n) {
    let at = row * shape.n + column;
    c[at] = sum + select(0.0, c[at], shape.accumulate != 0u);
  }
}
