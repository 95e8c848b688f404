// The gradients of the norm, and of the residual add before it, for adapters that run on the CPU.
// Bindings: 0 sizes, 1 x (or x'), 2 w, 3 z, 4 dY, 5 dX, 6 partials, [7 o, 8 dO]

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

@group(0) @binding(4) var<storage, read> dY: array<f32>;
@group(0) @binding(5) var<storage, read_write> dX: array<f32>;
@group(0) @binding(6) var<storage, read_write> partials: array<f32>;
@group(0) @binding(7) var<storage, read> branch_output: array<f32>;
@group(0) @binding(8) var<storage, read_write> dBranch: array<f32>;



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
