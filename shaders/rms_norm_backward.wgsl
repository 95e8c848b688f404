// The gradients of the norm, and of the residual add before it: formulas and plan in rms_norm.wgsl.
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



// The row scales of rows first, first + P, … (ROWS of them at most).
fn gradient_scales(first: u32, thread: u32) {
  for (var i = 0u; i < ROWS; i++) {
    let row = first + i * sizes.blocks;
    var sum = vec3f(0);
    if (row < sizes.rows) {
      for (var j = thread; j < sizes.hidden; j += THREADS) {
        let at = row * sizes.hidden + j;
        let z = gates[j];
        if (z != 0) {
          let value = x[at];
          sum += vec3f(value * value, 1, dY[at] * weights[sizes.weight_offset + j] * z * value);
        }
      }
    }
    thread_sums[i * THREADS + thread] = sum;
  }
  reduce_rows(thread);
}

// dX_j of one element, with what its row adds to dw_j and dz_j.
fn element_gradient(at: u32, j: u32, scales: vec2f) -> vec3f {
  let value = x[at];
  let z = gates[j];
  let w = weights[sizes.weight_offset + j];
  let normed = dY[at] * value * scales.x;
  var d = 0.0;
  if (sizes.add_to_residual != 0u) {
    d = dX[at];
  }
  if (z != 0) {
    d += dY[at] * w * z * scales.x - value * scales.y;
  }
  return vec3f(d, normed * z, normed * w);
}

@compute @workgroup_size(THREADS)
fn rms_norm_backward(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let own = wg.x * sizes.columns;
  var first = wg.x;
  loop {
    gradient_scales(first, thread);
    for (var j = thread; j < sizes.hidden; j += THREADS) {
      var dw = 0.0;
      var dz = 0.0;
      for (var i = 0u; i < ROWS; i++) {
        let row = first + i * sizes.blocks;
        if (row >= sizes.rows) {
          break;
        }
        let at = row * sizes.hidden + j;
        let d = element_gradient(at, j, row_scales[i]);
        dX[at] = d.x;
        dw += d.y;
        dz += d.z;
      }
      if (first != wg.x) {
        dw += partials[own + sizes.weight_column + j];
        dz += partials[own + sizes.hidden_gate_column + j];
      }
      partials[own + sizes.weight_column + j] = dw;
      partials[own + sizes.hidden_gate_column + j] = dz;
    }
    first += ROWS * sizes.blocks;
    if (first >= sizes.rows) {
      break;
    }
  }
}

@compute @workgroup_size(THREADS)
fn rms_norm_backward_branch(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let own = wg.x * sizes.columns;
  let z_layer = gates[sizes.layer_gate];
  var first = wg.x;
  loop {
    gradient_scales(first, thread);
    for (var j = thread; j < sizes.hidden; j += THREADS) {
      let z = z_layer * gates[j];
      var dw = 0.0;
      var dz = 0.0;
      var S = 0.0;
      for (var i = 0u; i < ROWS; i++) {
        let row = first + i * sizes.blocks;
        if (row >= sizes.rows) {
          break;
        }
        let at = row * sizes.hidden + j;
        let d = element_gradient(at, j, row_scales[i]);
        dX[at] = d.x;
        dBranch[at] = d.x * z;
        dw += d.y;
        dz += d.z;
        S += d.x * branch_output[at];
      }
      if (first != wg.x) {
        dw += partials[own + sizes.weight_column + j];
        dz += partials[own + sizes.hidden_gate_column + j];
        S += partials[own + sizes.branch_column + j];
      }
      partials[own + sizes.weight_column + j] = dw;
      partials[own + sizes.hidden_gate_column + j] = dz;
      partials[own + sizes.branch_column + j] = S;
    }
    first += ROWS * sizes.blocks;
    if (first >= sizes.rows) {
      break;
    }
  }
}
