// C (+)= op(A)·op(B) without workgroup memory, for adapters that run on the CPU: there a barrier costs more
// than it saves, since every invocation of the workgroup is parked and woken at each one.
//   nt  C[m,n] = Σ_k A[m,k]·B[n,k]    Y  = X·Wᵀ
//   nn  C[m,n] = Σ_k A[m,k]·B[k,n]    dX = dY·W
//   tn  C[m,n] = Σ_k A[k,m]·B[k,n]    dW = dYᵀ·X
//
// Each invocation keeps ROWS × 4 outputs in registers and reads four values at a time. Sizes whose rows are
// not multiples of four take the same code with WIDE false: single values, checked against the edge.
//
// Dispatch: 64 invocations a workgroup, one for ROWS rows and 4 columns of C, column blocks fastest;
// workgroups folded into two dimensions.
// Bindings: 0 shape, 1 A, 2 B, 3 C (read only when accumulating).

struct Shape {
  m: u32,
  n: u32,
  k: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<$ELEMENT>;
@group(0) @binding(2) var<storage, read> b: array<$ELEMENT>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

const ROWS = $ROWSu;
const A_K_CONTIGUOUS = $A_K_CONTIGUOUS;
const B_K_CONTIGUOUS = $B_K_CONTIGUOUS;

$LOADS

@compute @workgroup_size(64)
fn matmul(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let column_blocks = (shape.n + 3u) / 4u;
  let block = (group.y * groups.x + group.x) * 64u + local;
  let row = block / column_blocks * ROWS;
  let column = block % column_blocks * 4u;
  if (row >= shape.m) {
    return;
  }
  var sums: array<vec4f, ROWS>;
  for (var k = 0u; k < shape.k; k += 4u) {
    // Four steps of k: b_k[i] holds B's four columns at k + i.
    var b_k: mat4x4f;
    if (B_K_CONTIGUOUS) {
      b_k = transpose(mat4x4f(
        four_b(column, k, shape.n, shape.k),
        four_b(column + 1u, k, shape.n, shape.k),
        four_b(column + 2u, k, shape.n, shape.k),
        four_b(column + 3u, k, shape.n, shape.k),
      ));
    } else {
      b_k = mat4x4f(
        four_b(k, column, shape.k, shape.n),
        four_b(k + 1u, column, shape.k, shape.n),
        four_b(k + 2u, column, shape.k, shape.n),
        four_b(k + 3u, column, shape.k, shape.n),
      );
    }
    if (A_K_CONTIGUOUS) {
      for (var r = 0u; r < ROWS; r++) {
        sums[r] += b_k * four_a(row + r, k, shape.m, shape.k);
      }
    } else {
      for (var r = 0u; r < ROWS; r += 4u) {
        let a_k = transpose(mat4x4f(
          four_a(k, row + r, shape.k, shape.m),
          four_a(k + 1u, row + r, shape.k, shape.m),
          four_a(k + 2u, row + r, shape.k, shape.m),
          four_a(k + 3u, row + r, shape.k, shape.m),
        ));
        sums[r] += b_k * a_k[0];
        sums[r + 1u] += b_k * a_k[1];
        sums[r + 2u] += b_k * a_k[2];
        sums[r + 3u] += b_k * a_k[3];
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    for (var j = 0u; j < 4u; j++) {
      if (row + r < shape.m && column + j < shape.n) {
        let at = (row + r) * shape.n + column + j;
        c[at] = sums[r][j] + select(0.0, c[at], shape.accumulate == 1u);
      }
    }
  }
}
