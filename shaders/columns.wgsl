// Some neighbouring columns of a matrix, taken out as a matrix of their own or added to, scaled by s:
//
//   take_columns   part[m, n] = s · whole[m, first + n]
//   add_columns    whole[m, first + n] += s · part[m, n]
//
// Shapes    whole [rows, width] · part [rows, columns], first + columns ≤ width
// Dispatch  one thread an element of the part, ceil(rows·columns / 256) workgroups (folded)
// Bindings  0 params · take: 1 whole (read) · 2 part (read_write) · add: 1 part (read) · 2 whole (read_write)

struct Params {
  rows: u32,
  columns: u32,
  first: u32,
  width: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> destination: array<f32>;

// Element i of the part in the whole.
fn place(i: u32) -> u32 {
  return i / params.columns * params.width + params.first + i % params.columns;
}

@compute @workgroup_size(256)
fn take_columns(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (wg.y * num.x + wg.x) * 256u + lane;
  if (i < params.rows * params.columns) {
    destination[i] = params.scale * source[place(i)];
  }
}

@compute @workgroup_size(256)
fn add_columns(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (wg.y * num.x + wg.x) * 256u + lane;
  if (i < params.rows * params.columns) {
    destination[place(i)] += params.scale * source[i];
  }
}
