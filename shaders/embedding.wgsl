// Token embedding, and its gradient as a gather instead of a scatter:
//
//   x[r]       = table[token_r]
//   dTable[v] (+)= Σ_{r: token_r = v} dX[r]
//
// Shapes    table, dTable [V, d] · tokens [M] · x, dX [M, d] · positions [M]: the rows sorted by token, row order
//           kept inside a token · starts [V + 1]: token v's rows are positions[starts[v] .. starts[v + 1])
// Dispatch  forward: one workgroup of 64 threads a row of x; backward: one 64 columns
//           of a row of dTable (folded; columns in z). Neighbouring threads touch neighbouring columns. An absent token
//           costs two loads, and a row of zeros unless it accumulates. A frequent token is a long chain of loads: four
//           running sums, added in a fixed order, keep four in flight.
// Bindings  forward:  0 params · 1 table (read) · 2 tokens (read) · 3 x (read_write)
//           backward: 0 params · 1 dX (read) · 2 positions (read) · 3 starts (read) · 4 dTable (read_write)
//
// Rejected  one thread an element: a division each, and two to three times the time on lavapipe.
//           A scatter with atomics: WGSL has none for floats, and the order of additions would not be fixed.

struct Params {
  // M forward, V backward.
  rows: u32,
  hidden: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

@group(0) @binding(1) var<storage, read> d_x: array<f32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> starts: array<u32>;
@group(0) @binding(4) var<storage, read_write> d_table: array<f32>;

@compute @workgroup_size(64)
fn embedding_forward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let d = params.hidden;
  let row = wg.y * num.x + wg.x;
  if (row >= params.rows) {
    return;
  }
  let source = tokens[row] * d;
  for (var j = lane; j < d; j += 64u) {
    x[row * d + j] = table[source + j];
  }
}

@compute @workgroup_size(64)
fn embedding_backward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let d = params.hidden;
  let token = wg.y * num.x + wg.x;
  let j = wg.z * 64u + lane;
  if (token >= params.rows || j >= d) {
    return;
  }
  let first = starts[token];
  let end = starts[token + 1u];
  if (first == end && params.accumulate != 0u) {
    return;
  }
  var sums = vec4f(0);
  var p = first;
  for (; p + 4u <= end; p += 4u) {
    sums += vec4f(
      d_x[positions[p] * d + j],
      d_x[positions[p + 1u] * d + j],
      d_x[positions[p + 2u] * d + j],
      d_x[positions[p + 3u] * d + j],
    );
  }
  var sum = (sums.x + sums.y) + (sums.z + sums.w);
  for (; p < end; p++) {
    sum += d_x[positions[p] * d + j];
  }
  if (params.accumulate != 0u) {
    sum += d_table[token * d + j];
  }
  d_table[token * d + j] = sum;
}
