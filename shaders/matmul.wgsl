// C (+)= op(A)·op(B), the three products of a linear layer and its gradients:
//   nt  C[m,n] = Σ_k A[m,k]·B[n,k]    Y  = X·Wᵀ
//   nn  C[m,n] = Σ_k A[m,k]·B[k,n]    dX = dY·W
//   tn  C[m,n] = Σ_k A[k,m]·B[k,n]    dW = dYᵀ·X
// All row-major, sizes from the uniform; the layout only decides how a tile is fetched.
//
// Dispatch: (ceil(n / TILE), ceil(m / TILE)) workgroups of (TILE/4)² invocations, 4×4 outputs each. Per step
// of K_TILE the workgroup fetches a K_TILE×TILE piece of A and of B into workgroup memory, k-major, so that
// the inner loop reads four adjacent values of each.
// Workgroup memory: 2·K_TILE·(TILE+4)·4 bytes = 8.5 KiB at TILE 64.
// Bindings: 0 shape, 1 A, 2 B, 3 C (read only when accumulating).

struct Shape {
  m: u32,
  n: u32,
  k: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

const TILE = $TILEu;
const K_TILE = 16u;
const THREADS = (TILE / 4u) * (TILE / 4u);
// Whether the inner dimension k is the contiguous one in memory.
const A_K_CONTIGUOUS = $A_K_CONTIGUOUS;
const B_K_CONTIGUOUS = $B_K_CONTIGUOUS;
const STRIDE = TILE / 4u + 1u;

var<workgroup> tile_a: array<vec4f, K_TILE * STRIDE>;
var<workgroup> tile_b: array<vec4f, K_TILE * STRIDE>;

@compute @workgroup_size(THREADS)
fn matmul(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row0 = wg.y * TILE;
  let column0 = wg.x * TILE;
  let tx = thread % (TILE / 4u);
  let ty = thread / (TILE / 4u);

  var sum0 = vec4f(0);
  var sum1 = vec4f(0);
  var sum2 = vec4f(0);
  var sum3 = vec4f(0);

  for (var k0 = 0u; k0 < shape.k; k0 += K_TILE) {
    for (var e = thread; e < TILE * K_TILE; e += THREADS) {
      var i = e / K_TILE;
      var kk = e % K_TILE;
      if (!A_K_CONTIGUOUS) {
        i = e % TILE;
        kk = e / TILE;
      }
      let row = row0 + i;
      let k = k0 + kk;
      var value = 0.0;
      if (row < shape.m && k < shape.k) {
        value = a[select(k * shape.m + row, row * shape.k + k, A_K_CONTIGUOUS)];
      }
      tile_a[kk * STRIDE + i / 4u][i % 4u] = value;
    }
    for (var e = thread; e < TILE * K_TILE; e += THREADS) {
      var j = e / K_TILE;
      var kk = e % K_TILE;
      if (!B_K_CONTIGUOUS) {
        j = e % TILE;
        kk = e / TILE;
      }
      let column = column0 + j;
      let k = k0 + kk;
      var value = 0.0;
      if (column < shape.n && k < shape.k) {
        value = b[select(k * shape.n + column, column * shape.k + k, B_K_CONTIGUOUS)];
      }
      tile_b[kk * STRIDE + j / 4u][j % 4u] = value;
    }
    workgroupBarrier();
    for (var kk = 0u; kk < K_TILE; kk++) {
      let x = tile_a[kk * STRIDE + ty];
      let y = tile_b[kk * STRIDE + tx];
      sum0 += x.x * y;
      sum1 += x.y * y;
      sum2 += x.z * y;
      sum3 += x.w * y;
    }
    workgroupBarrier();
  }

  let row = row0 + ty * 4u;
  let column = column0 + tx * 4u;
  store(row, column, sum0);
  store(row + 1u, column, sum1);
  store(row + 2u, column, sum2);
  store(row + 3u, column, sum3);
}

fn store(row: u32, column: u32, sum: vec4f) {
  if (row >= shape.m) {
    return;
  }
  for (var j = 0u; j < 4u; j++) {
    if (column + j < shape.n) {
      let at = row * shape.n + column + j;
      var value = sum[j];
      if (shape.accumulate != 0u) {
        value += c[at];
      }
      c[at] = value;
    }
  }
}
