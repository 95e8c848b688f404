// The norm, and with a branch the residual add before it: formulas and plan in rms_norm.wgsl.
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
  let row0 = (wg.y * num.x + wg.x) * ROWS;
  for (var i = 0u; i < ROWS; i++) {
    var sum = vec3f(0);
    if (row0 + i < sizes.rows) {
      for (var j = thread; j < sizes.hidden; j += THREADS) {
        let value = x[(row0 + i) * sizes.hidden + j];
        sum += select(vec3f(0), vec3f(value * value, 1, 0), gates[j] != 0);
      }
    }
    thread_sums[i * THREADS + thread] = sum;
  }
  reduce_rows(thread);
  for (var i = 0u; i < ROWS && row0 + i < sizes.rows; i++) {
    let r = row_scales[i].x;
    for (var j = thread; j < sizes.hidden; j += THREADS) {
      let at = (row0 + i) * sizes.hidden + j;
      y[at] = x[at] * r * weights[sizes.weight_offset + j] * gates[j];
    }
  }
}

@compute @workgroup_size(THREADS)
fn rms_norm_forward_branch(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row0 = (wg.y * num.x + wg.x) * ROWS;
  let z_layer = gates[sizes.layer_gate];
  for (var i = 0u; i < ROWS; i++) {
    var sum = vec3f(0);
    if (row0 + i < sizes.rows) {
      for (var j = thread; j < sizes.hidden; j += THREADS) {
        let at = (row0 + i) * sizes.hidden + j;
        let z = gates[j];
        let value = x[at] + z_layer * z * branch[at];
        residual[at] = value;
        sum += select(vec3f(0), vec3f(value * value, 1, 0), z != 0);
      }
    }
    thread_sums[i * THREADS + thread] = sum;
  }
  reduce_rows(thread);
  for (var i = 0u; i < ROWS && row0 + i < sizes.rows; i++) {
    let r = row_scales[i].x;
    for (var j = thread; j < sizes.hidden; j += THREADS) {
      // Each invocation reads back only what it wrote itself.
      let at = (row0 + i) * sizes.hidden + j;
      y[at] = residual[at] * r * weights[sizes.weight_offset + j] * gates[j];
    }
  }
}
