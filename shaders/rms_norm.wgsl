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
// This file is what rms_norm_forward.wgsl and rms_norm_backward.wgsl have in common.

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> gates: array<f32>;

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
