// Token embedding, and its gradient as a gather instead of a scatter:
//
//   x[r]       = table[token_r]
//   dTable[v] (+)= Σ_{r: token_r = v} dX[r]
//
// Shapes    table, dTable [V, d] · tokens [M] · x, dX [M, d] · positions [M]: the rows sorted by token, row order
//           kept inside a token · starts [V + 1]: token v's rows are positions[starts[v] .. starts[v + 1])
// Dispatch  forward: one thread an element of x; backward: one thread an element of dTable; ceil(n / 256)
//           workgroups, folded. Neighbouring threads touch neighbouring columns. An absent token costs two
//           loads, and one store of zero unless it accumulates.
// Bindings  forward:  0 params · 1 table (read) · 2 tokens (read) · 3 x (read_write)
//           backward: 0 params · 1 dX (read) · 2 positions (read) · 3 starts (read) · 4 dTable (read_write)
//
// Rejected  a scatter with atomics: WGSL has none for floats, and the order of additions would not be fixed.

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

@compute @workgroup_size(256)
fn embedding_forward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let d = params.hidden;
  let index = (wg.y * num.x + wg.x) * 256u + lane;
  if (index >= params.rows * d) {
    return;
  }
  let row = index / d;
  x[index] = table[tokens[row] * d + (index - row * d)];
}

@compute @workgroup_size(256)
fn embedding_backward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let d = params.hidden;
  let index = (wg.y * num.x + wg.x) * 256u + lane;
  if (index >= params.rows * d) {
    return;
  }
  let token = index / d;
  let j = index - token * d;
  let first = starts[token];
  let end = starts[token + 1u];
  if (first == end && params.accumulate != 0u) {
    return;
  }
  var sum = 0.0;
  for (var p = first; p < end; p++) {
    sum += d_x[positions[p] * d + j];
  }
  if (params.accumulate != 0u) {
    sum += d_table[index];
  }
  d_table[index] = sum;
}
