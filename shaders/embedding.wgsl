// Token embedding, and its gradient as a gather instead of a scatter:
//
//   x[r]       = table[token_r]
//   dTable[v] (+)= Σ_{r: token_r = v} dX[r]
//
// Shapes    table, dTable [V, d] · tokens [M] · x, dX [M, d] · positions [M]: the rows sorted by token, row order
//           kept inside a token · starts [V + 1]: token v's rows are positions[starts[v] .. starts[v + 1])
// Dispatch  forward: one workgroup of 64 threads a row of x; backward: one a row of dTable (folded). Neighbouring
//           threads touch neighbouring columns. An absent token costs two loads, and a row of zeros unless it
//           accumulates.
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
  if (token >= params.rows) {
    return;
  }
  let first = starts[token];
  let end = starts[token + 1u];
  if (first == end && params.accumulate != 0u) {
    return;
  }
  for (var j = lane; j < d; j += 64u) {
    var sum = 0.0;
    for (var p = first; p < end; p++) {
      sum += d_x[positions[p] * d + j];
    }
    if (params.accumulate != 0u) {
      sum += d_table[token * d + j];
    }
    d_table[token * d + j] = sum;
  }
}
