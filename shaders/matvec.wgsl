// A linear layer of one row, which a tiled product would compute with most of its invocations idle:
//
//   y_i = Σ_j W_ij·x_j (+ b_i)
//
// Shapes    W [n, k], row-major · x [k] · y, b [n]
// Dispatch  ceil(n / ROWS) workgroups (folded) of ROWS teams: LANES neighbouring invocations share a row of W, a vector
//           of columns each at a time, so that loads are coalesced and each weight is read once. The parts are added
//           in a fixed order: the same bits every time. Vectors are vec4f where k is a multiple of four, else f32.
// Memory    512 bytes a workgroup. Storage buffers: 3 or 4.
// Bindings  0 sizes · 1 W (read) · 2 x (read) · 3 y (read_write) · [4 b (read)]

struct Sizes {
  n: u32,
  k: u32,
}

alias V = $VECTOR;

const WIDTH = $WIDTHu;
const LANES = $LANESu;
const THREADS = 128u;
const ROWS = THREADS / LANES;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> matrix: array<V>;
@group(0) @binding(2) var<storage, read> x: array<V>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;

var<workgroup> parts: array<f32, THREADS>;

fn inner(a: V, b: V) -> f32 {
  return $INNER;
}

// W's row times x, for the first lane of its team.
fn product(row: u32, thread: u32) -> f32 {
  let columns = sizes.k / WIDTH;
  // Beyond the last row nothing is read.
  let end = select(0u, columns, row < sizes.n);
  var part = 0.0;
  for (var j = thread % LANES; j < end; j += LANES) {
    part += inner(matrix[row * columns + j], x[j]);
  }
  parts[thread] = part;
  workgroupBarrier();
  var sum = 0.0;
  if (thread % LANES == 0u) {
    for (var i = 0u; i < LANES; i++) {
      sum += parts[thread + i];
    }
  }
  return sum;
}

@compute @workgroup_size(THREADS)
fn matvec(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = (wg.y * num.x + wg.x) * ROWS + thread / LANES;
  let sum = product(row, thread);
  if (thread % LANES == 0u && row < sizes.n) {
    y[row] = sum;
  }
}

@compute @workgroup_size(THREADS)
fn matvec_bias(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = (wg.y * num.x + wg.x) * ROWS + thread / LANES;
  let sum = product(row, thread);
  if (thread % LANES == 0u && row < sizes.n) {
    y[row] = sum + bias[row];
  }
}
