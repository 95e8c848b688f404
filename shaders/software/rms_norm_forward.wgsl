// The norm, and with a branch the residual add before it, for adapters that run on the CPU.
// Bindings: 0 sizes, 1 x, 2 w, 3 z, 4 y, [5 o, 6 x']

struct Sizes {
  rows: u32,
  hidden: u32,
  weight_offset: u32,
  layer_gate: u32,
  epsilon: f32,
}

@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> branch: array<f32>;
@group(0) @binding(6) var<storage, read_write> residual: array<f32>;

@compute @workgroup_size(THREADS)
fn rms_norm_forward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = index_of(wg, num, thread);
  if (row >= sizes.rows) {
    return;
  }
  var squares = 0.0;
  var kept = 0.0;
  for (var j = 0u; j < sizes.hidden; j++) {
    let value = x[row * sizes.hidden + j];
    let keep = f32(gates[j] != 0);
    squares += keep * value * value;
    kept += keep;
  }
  let r = scale_of(squares, kept);
  for (var j = 0u; j < sizes.hidden; j++) {
    let at = row * sizes.hidden + j;
    y[at] = x[at] * r * weights[sizes.weight_offset + j] * gates[j];
  }
}

@compute @workgroup_size(THREADS)
fn rms_norm_forward_branch(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = index_of(wg, num, thread);
  if (row >= sizes.rows) {
    return;
  }
  let z_layer = gates[sizes.layer_gate];
  var squares = 0.0;
  var kept = 0.0;
  for (var j = 0u; j < sizes.hidden; j++) {
    let at = row * sizes.hidden + j;
    let z = gates[j];
    let value = x[at] + z_layer * z * branch[at];
    residual[at] = value;
    let keep = f32(z != 0);
    squares += keep * value * value;
    kept += keep;
  }
  let r = scale_of(squares, kept);
  for (var j = 0u; j < sizes.hidden; j++) {
    let at = row * sizes.hidden + j;
    y[at] = residual[at] * r * weights[sizes.weight_offset + j] * gates[j];
  }
}
