// Sums the row blocks of a partial-sum matrix:  y[j] (+)= Σ_p X[p, first + j]
//
// Shapes    X [P, C] · y at an element offset of the destination, `columns` long
// Dispatch  one thread a column, ceil(columns / 64) workgroups (folded). Eight running sums keep eight loads
//           in flight where P is large (a bias gradient over all rows of a batch); they are added in a fixed order,
//           so the result is the same bits every time. Neighbouring threads read neighbouring columns.
// Bindings  0 params · 1 X (read) · 2 destination (read_write)
//
// Rejected  eight lanes a column met in workgroup memory: the one barrier made 6,700 columns of 32 blocks cost
//           about 50 times as much on SwiftShader and twice as much on lavapipe, to shorten a chain of loads that
//           is short already, but for biases.

struct Params {
  blocks: u32,
  stride: u32,
  first_column: u32,
  columns: u32,
  destination_offset: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> destination: array<f32>;

@compute @workgroup_size(64)
fn column_sum(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let j = (wg.y * num.x + wg.x) * 64u + lane;
  if (j >= params.columns) {
    return;
  }
  let stride = params.stride;
  var at = params.first_column + j;
  var sums = vec4f(0.0);
  var more = vec4f(0.0);
  var p = 0u;
  for (; p + 8u <= params.blocks; p += 8u) {
    sums += vec4f(partials[at], partials[at + stride], partials[at + 2u * stride], partials[at + 3u * stride]);
    at += 4u * stride;
    more += vec4f(partials[at], partials[at + stride], partials[at + 2u * stride], partials[at + 3u * stride]);
    at += 4u * stride;
  }
  sums += more;
  var sum = (sums.x + sums.y) + (sums.z + sums.w);
  for (; p < params.blocks; p++) {
    sum += partials[at];
    at += stride;
  }
  let to = params.destination_offset + j;
  if (params.accumulate != 0u) {
    sum += destination[to];
  }
  destination[to] = sum;
}
