// y = W·x (+ b) of shaders/matvec.wgsl for adapters that run on the CPU: no workgroup memory, no barrier. A load is a
// gather there, one element a lane, so that what counts is products a load: an invocation has four rows of W, whose
// products with a vector of x are one product with a matrix.
//
// Takes k that are multiples of four; rows beyond the last are computed from whatever the loads return and not stored.
// Shapes    W [n, k], row-major · x [k] · y, b [n]
// Dispatch  16 invocations a workgroup, one for four rows, folded. No workgroup memory. Storage buffers: 3 or 4.
// Bindings  0 sizes · 1 W (read) · 2 x (read) · 3 y (read_write) · [4 b (read)]

struct Sizes {
  n: u32,
  k: u32,
}

const THREADS = 16u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> matrix: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;

// Entry r: row + r of W times x.
fn products(row: u32) -> vec4f {
  let columns = sizes.k / 4u;
  let first = row * columns;
  var sum = vec4f(0);
  // Beyond the last row nothing is read.
  let end = select(0u, columns, row < sizes.n);
  for (var j = 0u; j < end; j++) {
    let at = first + j;
    sum += x[j] * mat4x4f(matrix[at], matrix[at + columns], matrix[at + 2u * columns], matrix[at + 3u * columns]);
  }
  return sum;
}

@compute @workgroup_size(THREADS)
fn matvec(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = 4u * ((wg.y * num.x + wg.x) * THREADS + thread);
  let sum = products(row);
  for (var r = 0u; r < 4u && row + r < sizes.n; r++) {
    y[row + r] = sum[r];
  }
}

@compute @workgroup_size(THREADS)
fn matvec_bias(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = 4u * ((wg.y * num.x + wg.x) * THREADS + thread);
  let sum = products(row);
  for (var r = 0u; r < 4u && row + r < sizes.n; r++) {
    y[row + r] = sum[r] + bias[row + r];
  }
}
