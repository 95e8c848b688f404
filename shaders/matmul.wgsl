// C (+)= op(A)·op(B), the three products of a linear layer and its gradients:
//   nt  C[m,n] = Σ_k A[m,k]·B[n,k]    Y  = X·Wᵀ
//   nn  C[m,n] = Σ_k A[m,k]·B[k,n]    dX = dY·W
//   tn  C[m,n] = Σ_k A[k,m]·B[k,n]    dW = dYᵀ·X
// All row-major, sizes from the uniform; the layout only decides how a 4×4 block is fetched.
//
// Dispatch: (ceil(n / TILE), ceil(m / TILE), slices) workgroups of (TILE/4)² invocations, 4×4 outputs each. With
// more than one slice, C is [slices, m, n] and slice z holds the sum over its own slice_k of k alone: a small
// result with a long k (dW: k = rows of the batch) would otherwise be a few workgroups in a long loop. Per step
// of K_TILE the workgroup fetches a K_TILE×TILE piece of A and of B into workgroup memory, k-major, so that
// the inner loop reads four adjacent values of each. A fetch is a 4×4 block, turned in registers where k is
// the contiguous dimension, so that only whole vectors are ever written: two invocations that write
// components of one vector race (WGSL lets a component write touch the whole vector).
// K_TILE = TILE/2 makes one block of A or B an invocation. Workgroup memory: TILE²·4 bytes = 16 KiB at TILE 64,
// all that WebGPU guarantees, hence no padding: `vector_at` spreads the rows over the banks instead.
// Bindings: 0 shape, 1 A, 2 B, 3 C (read only when accumulating). The elements of A and B are vec4f where
// their stored rows are multiples of four long, else f32.

struct Shape {
  m: u32,
  n: u32,
  k: u32,
  accumulate: u32,
  // Multiple of K_TILE; at least k where there is one slice.
  slice_k: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<$ELEMENT>;
@group(0) @binding(2) var<storage, read> b: array<$ELEMENT>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

const TILE = $TILEu;
const K_TILE = TILE / 2u;
const SIDE = TILE / 4u;
const THREADS = SIDE * SIDE;
// 4×4 blocks of one operand's piece: half the invocations.
const BLOCKS = SIDE * K_TILE / 4u;
// Whether the inner dimension k is the contiguous one in memory.
const A_K_CONTIGUOUS = $A_K_CONTIGUOUS;
const B_K_CONTIGUOUS = $B_K_CONTIGUOUS;

var<workgroup> tile_a: array<vec4f, K_TILE * SIDE>;
var<workgroup> tile_b: array<vec4f, K_TILE * SIDE>;

// four_a, four_b: four values of a row of the stored matrix from a column on, 0 beyond its edges.
$LOADS

// Rows row … row + 3 of op(A) at k … k + 3, one column of the result for each k.
fn block_a(row: u32, k: u32) -> mat4x4f {
  if (A_K_CONTIGUOUS) {
    return transpose(mat4x4f(
      four_a(row, k, shape.m, shape.k),
      four_a(row + 1u, k, shape.m, shape.k),
      four_a(row + 2u, k, shape.m, shape.k),
      four_a(row + 3u, k, shape.m, shape.k),
    ));
  }
  return mat4x4f(
    four_a(k, row, shape.k, shape.m),
    four_a(k + 1u, row, shape.k, shape.m),
    four_a(k + 2u, row, shape.k, shape.m),
    four_a(k + 3u, row, shape.k, shape.m),
  );
}

// Columns column … column + 3 of op(B) at k … k + 3, one column of the result for each k.
fn block_b(column: u32, k: u32) -> mat4x4f {
  if (B_K_CONTIGUOUS) {
    return transpose(mat4x4f(
      four_b(column, k, shape.n, shape.k),
      four_b(column + 1u, k, shape.n, shape.k),
      four_b(column + 2u, k, shape.n, shape.k),
      four_b(column + 3u, k, shape.n, shape.k),
    ));
  }
  return mat4x4f(
    four_b(k, column, shape.k, shape.n),
    four_b(k + 1u, column, shape.k, shape.n),
    four_b(k + 2u, column, shape.k, shape.n),
    four_b(k + 3u, column, shape.k, shape.n),
  );
}

// Where in memory four neighbouring invocations fetch from one row: k fastest if k is contiguous.
fn block_place(block: u32, k_contiguous: bool) -> vec2u {
  return select(
    vec2u(block % SIDE, block / SIDE),
    vec2u(block / (K_TILE / 4u), block % (K_TILE / 4u)),
    k_contiguous,
  );
}

// Where row k of a piece keeps its vector x. A row of a block is written by invocations whose k or whose x are
// neighbours; eight of them, a store's width of banks, meet eight different banks either way.
fn vector_at(k: u32, x: u32) -> u32 {
  return k * SIDE + (x ^ (k / 4u * (32u / K_TILE) % 8u));
}

@compute @workgroup_size(THREADS)
fn matmul(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row0 = wg.y * TILE;
  let column0 = wg.x * TILE;
  let tx = thread % SIDE;
  let ty = thread / SIDE;

  var sum0 = vec4f(0);
  var sum1 = vec4f(0);
  var sum2 = vec4f(0);
  var sum3 = vec4f(0);

  let end = min((wg.z + 1u) * shape.slice_k, shape.k);
  for (var k0 = wg.z * shape.slice_k; k0 < end; k0 += K_TILE) {
    // The first half of the invocations fetches A, the second B.
    if (thread < BLOCKS) {
      let at = block_place(thread, A_K_CONTIGUOUS);
      let block = block_a(row0 + at.x * 4u, k0 + at.y * 4u);
      let to = vector_at(at.y * 4u, at.x);
      tile_a[to] = block[0];
      tile_a[to + SIDE] = block[1];
      tile_a[to + 2u * SIDE] = block[2];
      tile_a[to + 3u * SIDE] = block[3];
    } else {
      let at = block_place(thread - BLOCKS, B_K_CONTIGUOUS);
      let block = block_b(column0 + at.x * 4u, k0 + at.y * 4u);
      let to = vector_at(at.y * 4u, at.x);
      tile_b[to] = block[0];
      tile_b[to + SIDE] = block[1];
      tile_b[to + 2u * SIDE] = block[2];
      tile_b[to + 3u * SIDE] = block[3];
    }
    workgroupBarrier();
    for (var kk = 0u; kk < K_TILE; kk++) {
      let x = tile_a[vector_at(kk, ty)];
      let y = tile_b[vector_at(kk, tx)];
      sum0 += x.x * y;
      sum1 += x.y * y;
      sum2 += x.z * y;
      sum3 += x.w * y;
    }
    workgroupBarrier();
  }

  let row = row0 + ty * 4u;
  let column = column0 + tx * 4u;
  let slice = wg.z * shape.m * shape.n;
  store(slice, row, column, sum0);
  store(slice, row + 1u, column, sum1);
  store(slice, row + 2u, column, sum2);
  store(slice, row + 3u, column, sum3);
}

fn store(slice: u32, row: u32, column: u32, sum: vec4f) {
  if (row >= shape.m) {
    return;
  }
  for (var j = 0u; j < 4u; j++) {
    if (column + j < shape.n) {
      let at = slice + row * shape.n + column + j;
      var value = sum[j];
      if (shape.accumulate != 0u) {
        value += c[at];
      }
      c[at] = value;
    }
  }
}
