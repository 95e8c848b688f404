// The norms of `rms_norm.wgsl` for adapters that run on the CPU, where every invocation of a workgroup with a
// barrier is parked and woken at it: here an invocation takes whole rows alone. Formulas, shapes and bindings
// are those of `rms_norm.wgsl`.
// Dispatch: forward one invocation a row, gradients one a row block of the partials; THREADS a workgroup.
//
// Measured on two busy cores, processor time of a dispatch in ms, 1,024 rows of 64, 64 row blocks: forward,
// forward with a branch, gradients with a branch (lavapipe | SwiftShader; ratios only, no GPU):
//   rms_norm.wgsl             0.97  1.16  1.99 | 57  54  36
//   a row an invocation       0.37  0.46  1.18 | 2.2 2.3 7.5
// and at hidden 192, 1.8  2.2  5.3 | 56  64  53 against 1.0  1.4  2.9 | 5.1 7.5 14.

struct Sizes {
  rows: u32,
  hidden: u32,
  weight_offset: u32,
  layer_gate: u32,
  epsilon: f32,
  add_to_residual: u32,
  blocks: u32,
  columns: u32,
  weight_column: u32,
  hidden_gate_column: u32,
  branch_column: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> gates: array<f32>;

@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> branch: array<f32>;
@group(0) @binding(6) var<storage, read_write> residual: array<f32>;

@group(0) @binding(4) var<storage, read> dY: array<f32>;
@group(0) @binding(5) var<storage, read_write> dX: array<f32>;
@group(0) @binding(6) var<storage, read_write> partials: array<f32>;
@group(0) @binding(7) var<storage, read> branch_output: array<f32>;
@group(0) @binding(8) var<storage, read_write> dBranch: array<f32>;

const THREADS = 8u;

fn index_of(wg: vec3u, num: vec3u, thread: u32) -> u32 {
  return (wg.y * num.x + wg.x) * THREADS + thread;
}

// From Σ_kept x'² and |kept|.
fn scale_of(squares: f32, kept: f32) -> f32 {
  return inverseSqrt(squares / max(1.0, kept) + sizes.epsilon);
}

// ---- forward

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

// ---- gradients

// r, and r³/n·Σ g·x', of a row.
fn gradient_scales(row: u32) -> vec2f {
  var squares = 0.0;
  var kept = 0.0;
  var products = 0.0;
  for (var j = 0u; j < sizes.hidden; j++) {
    let at = row * sizes.hidden + j;
    let z = gates[j];
    let value = x[at];
    let keep = f32(z != 0);
    squares += keep * value * value;
    kept += keep;
    products += dY[at] * weights[sizes.weight_offset + j] * z * value;
  }
  let r = scale_of(squares, kept);
  return vec2f(r, r * r * r / max(1.0, kept) * products);
}

// dX_j of one element, with what its row adds to dw_j and dz_j.
fn element_gradient(at: u32, j: u32, scales: vec2f) -> vec3f {
  let value = x[at];
  let z = gates[j];
  let w = weights[sizes.weight_offset + j];
  let d = dY[at];
  let normed = d * value * scales.x;
  let before = select(0.0, dX[at], sizes.add_to_residual != 0u);
  let own = select(0.0, d * w * z * scales.x - value * scales.y, z != 0);
  return vec3f(before + own, normed * z, normed * w);
}

// Sets a partial sum at a block's first row, adds to it at the others.
fn add_partial(at: u32, value: f32, first: bool) {
  partials[at] = value + select(partials[at], 0.0, first);
}

@compute @workgroup_size(THREADS)
fn rms_norm_backward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let p = index_of(wg, num, thread);
  if (p >= sizes.blocks) {
    return;
  }
  let own = p * sizes.columns;
  for (var j = 0u; j < sizes.hidden && p >= sizes.rows; j++) {
    partials[own + sizes.weight_column + j] = 0.0;
    partials[own + sizes.hidden_gate_column + j] = 0.0;
  }
  for (var row = p; row < sizes.rows; row += sizes.blocks) {
    let scales = gradient_scales(row);
    for (var j = 0u; j < sizes.hidden; j++) {
      let at = row * sizes.hidden + j;
      let d = element_gradient(at, j, scales);
      dX[at] = d.x;
      add_partial(own + sizes.weight_column + j, d.y, row == p);
      add_partial(own + sizes.hidden_gate_column + j, d.z, row == p);
    }
  }
}

@compute @workgroup_size(THREADS)
fn rms_norm_backward_branch(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let p = index_of(wg, num, thread);
  if (p >= sizes.blocks) {
    return;
  }
  let own = p * sizes.columns;
  let z_layer = gates[sizes.layer_gate];
  for (var j = 0u; j < sizes.hidden && p >= sizes.rows; j++) {
    partials[own + sizes.weight_column + j] = 0.0;
    partials[own + sizes.hidden_gate_column + j] = 0.0;
    partials[own + sizes.branch_column + j] = 0.0;
  }
  for (var row = p; row < sizes.rows; row += sizes.blocks) {
    let scales = gradient_scales(row);
    for (var j = 0u; j < sizes.hidden; j++) {
      let at = row * sizes.hidden + j;
      let d = element_gradient(at, j, scales);
      dX[at] = d.x;
      dBranch[at] = d.x * z_layer * gates[j];
      add_partial(own + sizes.weight_column + j, d.y, row == p);
      add_partial(own + sizes.hidden_gate_column + j, d.z, row == p);
      add_partial(own + sizes.branch_column + j, d.x * branch_output[at], row == p);
    }
  }
}
