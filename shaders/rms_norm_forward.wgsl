// The norm, and with a branch the residual add before it: formulas and plan in rms_norm.wgsl.
// Bindings: 0 sizes, 1 x, 2 w, 3 z, 4 y, [5 o, 6 x']

struct Sizes {
  rows: u32,
  hidden: u32,
  weight_offset: u32,
  layer_gate: u32,
  epsilon: f32,
}

@group(0) @binding(4) var<storage, read_write> y: array<V>;
@group(0) @binding(5) var<storage, read> branch: array<V>;
@group(0) @binding(6) var<storage, read_write> residual: array<V>;

@compute @workgroup_size(THREADS)
fn rms_norm_forward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = sizes.hidden / WIDTH;
  let row = (wg.y * num.x + wg.x) * ROWS + thread / TEAM;
  // Beyond the last row nothing is read or written.
  let end = select(0u, columns, row < sizes.rows);
  var part = vec3f(0);
  for (var j = thread % TEAM; j < end; j += TEAM) {
    let value = x[row * columns + j];
    let keep = kept(gates_of(j));
    part += vec3f(total(value * value * keep), total(keep), 0);
  }
  let r = row_scales(part, thread).x;
  for (var j = thread % TEAM; j < end; j += TEAM) {
    y[row * columns + j] = x[row * columns + j] * r * weights[sizes.weight_offset / WIDTH + j] * gates_of(j);
  }
}

@compute @workgroup_size(THREADS)
fn rms_norm_forward_branch(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = sizes.hidden / WIDTH;
  let row = (wg.y * num.x + wg.x) * ROWS + thread / TEAM;
  let end = select(0u, columns, row < sizes.rows);
  let z_layer = gates[sizes.layer_gate];
  var part = vec3f(0);
  for (var j = thread % TEAM; j < end; j += TEAM) {
    let at = row * columns + j;
    let z = gates_of(j);
    let value = x[at] + z_layer * z * branch[at];
    residual[at] = value;
    part += vec3f(total(value * value * kept(z)), total(kept(z)), 0);
  }
  let r = row_scales(part, thread).x;
  for (var j = thread % TEAM; j < end; j += TEAM) {
    // Each invocation reads back only what it wrote itself.
    let at = row * columns + j;
    y[at] = residual[at] * r * weights[sizes.weight_offset / WIDTH + j] * gates_of(j);
  }
}
