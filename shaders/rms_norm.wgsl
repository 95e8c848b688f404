// Residual add and RMSNorm with hidden gates, forward and gradients.
//
//   x'_j = x_j + z_layer·z_j·o_j                       (entry points with a branch; otherwise x' = x)
//   kept = { j : z_j ≠ 0 },  n = max(1, |kept|)
//   r    = 1/√(Σ_kept x'_j² / n + ε)
//   y_j  = x'_j·r·w_j·z_j
//
// The divisor is the number of kept dims, so that the masked model equals the one cut to them.
// With g_j = dY_j·w_j·z_j:
//   dX_j += r·g_j − [j kept]·x'_j·r³/n·Σ_i g_i·x'_i    (dropped dims keep the incoming dX)
//   dw_j  = Σ_rows dY_j·z_j·x'_j·r,   dz_j = Σ_rows dY_j·w_j·x'_j·r
//   dO_j  = dX_j·z_layer·z_j,         S_j  = Σ_rows dX_j·o_j   (with the updated dX; the gate gradients of
//                                      the branch follow from S: z_layer·S_j for z_j, Σ_j z_j·S_j for z_layer)
//
// x, x', o, y and their gradients [rows, hidden]; w and z [hidden] at offsets of their buffers.
// Dispatch: 64 invocations a workgroup, which takes ROWS rows at a time, each invocation every 64th column.
// Forward: ceil(rows / ROWS) workgroups. Gradients: one workgroup a row block p of the partials, rows
// p, p + P, p + 2P, …; it writes its own sums to row p of the partials, also when it has no row.
// Workgroup memory: 9.1 KiB. Storage buffers: 4 to 8.
// Bindings: 0 sizes, 1 x (or x'), 2 w, 3 z, then
//   forward  4 y, [5 o, 6 x']
//   backward 4 dY, 5 dX, 6 partials, [7 o, 8 dO]

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

const THREADS = 64u;
const ROWS = 8u;
const SEGMENTS = THREADS / ROWS;

// Per row: Σ_kept x'², |kept|, Σ g·x'. Sums go thread → segment → row in a fixed order.
var<workgroup> thread_sums: array<vec3f, ROWS * THREADS>;
var<workgroup> segment_sums: array<vec3f, THREADS>;
// Per row: r, and r³/n·Σ g·x'.
var<workgroup> row_scales: array<vec2f, ROWS>;

// Turns `thread_sums` into `row_scales`.
fn reduce_rows(thread: u32) {
  workgroupBarrier();
  var sum = vec3f(0);
  for (var i = 0u; i < ROWS; i++) {
    sum += thread_sums[thread * ROWS + i];
  }
  segment_sums[thread] = sum;
  workgroupBarrier();
  if (thread < ROWS) {
    var total = vec3f(0);
    for (var s = 0u; s < SEGMENTS; s++) {
      total += segment_sums[thread * SEGMENTS + s];
    }
    let n = max(1.0, total.y);
    let r = inverseSqrt(total.x / n + sizes.epsilon);
    row_scales[thread] = vec2f(r, r * r * r / n * total.z);
  }
  workgroupBarrier();
}

// ---- forward

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

// ---- gradients

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
