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
// A team of TEAM neighbouring invocations shares a row, a vector of columns each at a time, and a workgroup has ROWS
// teams: loads are coalesced, and all rows are under way at once. (One row after the other, a scalar a load, took
// 17.7 µs forward and 15.9 µs backward for 2,048 rows of 64 on an H100.)
// Forward: ceil(rows / ROWS) workgroups. Gradients: one workgroup a row block p of the partials, rows
// p, p + P, p + 2P, …; it writes its own sums to row p of the partials, also when it has no row.
// Workgroup memory: 2 KiB forward, 8 KiB backward. Storage buffers: 4 to 8. Vectors are vec4f where rows and the
// weights' offset are multiples of four, else f32.
// This file is what rms_norm_forward.wgsl and rms_norm_backward.wgsl have in common.

alias V = $VECTOR;

const WIDTH = $WIDTHu;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> weights: array<V>;
@group(0) @binding(3) var<storage, read> gates: array<f32>;

const TEAM = 16u;
const ROWS = 8u;
const THREADS = TEAM * ROWS;

// Of each invocation: Σ_kept x'², |kept|, Σ g·x'.
var<workgroup> team_sums: array<vec4f, THREADS>;

fn total(v: V) -> f32 {
  return $TOTAL;
}

// The hidden gates of vector j; the gate buffer's length need not be a multiple of four.
fn gates_of(j: u32) -> V {
  return $GATES;
}

// 1 where a dim is kept.
fn kept(z: V) -> V {
  return select(V(0), V(1), z != V(0));
}

// r, and r³/n·Σ g·x', of an invocation's row from the parts of its team, in a fixed order.
fn row_scales(part: vec3f, thread: u32) -> vec2f {
  team_sums[thread] = vec4f(part, 0);
  workgroupBarrier();
  var sums = vec4f(0);
  for (var i = 0u; i < TEAM; i++) {
    sums += team_sums[thread / TEAM * TEAM + i];
  }
  let n = max(1.0, sums.y);
  let r = inverseSqrt(sums.x / n + sizes.epsilon);
  return vec2f(r, r * r * r / n * sums.z);
}
