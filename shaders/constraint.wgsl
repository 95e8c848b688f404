// The Lagrangian constraint of Sheared LLaMA on expected sparsity (l0_module.py l. 475–506), and the gradients
// of everything behind the gates.
//
//   P_i   = clamp(σ(β·ln(0.1 / 1.1) − logα_i), ε, 1 − ε)                probability that gate i is 0
//           exactly 1 or 0 of a gate that is pinned closed or open, |logα| ≥ 32: it has no gradient
//   ŝ_r   = mean of P over row r                                        expected sparsity of a row
//   lag_k = mean over the rows of set k of  λ1_k·(ŝ_r − t_k) + λ2_k·(ŝ_r − t_k)²
//
//   ∂loss/∂logα_i = dz_i·∂z_i/∂logα_i + (λ1_k + 2·λ2_k·(ŝ_r − t_k)) / rows_k · (−P_i·(1 − P_i)) / length_r
//   ∂z/∂logα      = 1.2·s·(1 − s)/β with s = (z + 0.1)/1.2 where 0 < z < 1, else 0
//   λ is ascended: its gradient is written with the sign flipped, −mean(ŝ_r − t_k) and −mean((ŝ_r − t_k)²), so
//   that one optimiser minimises everything. A set that is not learnt gets zero gradients.
//
// Shapes    variables, gradient [gate count + 8]: logα (gate_layout.wgsl) | λ1 of the four sets | λ2 of the four sets
//           · row_sparsity [rows of all sets] · state [8]: mean ŝ of the four sets | lag of the four sets
// Dispatch  constraint_rows: one workgroup a row, of 64 threads, tree sum
//           constraint_gradient: one thread a gate and four for the multipliers, ceil((count + 4) / 64) (folded)
// Bindings  constraint_rows:     0 params · 1 step inputs (uniform) · 2 variables (read) · 3 row_sparsity (read_write)
//           constraint_gradient: 0 params · 1 step inputs (uniform) · 2 variables (read) · 3 row_sparsity (read)
//                                · 4 z (read) · 5 gradient, holds dz on entry (read_write) · 6 state (read_write)
//
// dz is turned into dlogα in place, because there, in the gradient buffer, AdamW reads it.

@group(0) @binding(0) var<uniform> params: GateLayout;
@group(0) @binding(1) var<uniform> step: StepInputs;
@group(0) @binding(2) var<storage, read> variables: array<f32>;
@group(0) @binding(3) var<storage, read_write> row_sparsity_out: array<f32>;

@group(0) @binding(3) var<storage, read> row_sparsity: array<f32>;
@group(0) @binding(4) var<storage, read> gates: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<storage, read_write> state: array<f32>;

const LN_STRETCH_RATIO = -2.397895273; // ln(0.1 / 1.1)
const EDGE = 1.0e-6;
const THREADS = 64u;
const PINNED_FROM = 32.0;

var<workgroup> lane_sums: array<f32, 64>;

fn probability_of_zero(log_alpha: f32) -> f32 {
  if (abs(log_alpha) >= PINNED_FROM) {
    return select(0.0, 1.0, log_alpha < 0.0);
  }
  let x = step.temperature * LN_STRETCH_RATIO - log_alpha;
  return clamp(1.0 / (1.0 + exp(clamp(-x, -80.0, 80.0))), EDGE, 1.0 - EDGE);
}

fn is_active(gate_set: u32) -> bool {
  return ((step.active_sets >> gate_set) & 1u) == 1u;
}

@compute @workgroup_size(64)
fn constraint_rows(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wg.x;
  let gate_set = set_of(params.first_rows, row);
  let length = params.lengths[gate_set];
  let first = params.offsets[gate_set] + (row - params.first_rows[gate_set]) * length;
  var sum = 0.0;
  for (var i = lane; i < length; i += THREADS) {
    sum += probability_of_zero(variables[first + i]);
  }
  lane_sums[lane] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lane_sums[lane] += lane_sums[lane + half];
    }
  }
  if (lane == 0u) {
    row_sparsity_out[row] = select(0.0, lane_sums[0] / f32(length), is_active(gate_set));
  }
}

@compute @workgroup_size(64)
fn constraint_gradient(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let count = params.total;
  let i = (wg.y * num.x + wg.x) * THREADS + lane;
  if (i >= count + 4u) {
    return;
  }
  if (i >= count) {
    multiplier_gradient(i - count);
    return;
  }
  let place = gate_place(params, i);
  if (!is_active(place.gate_set)) {
    gradient[i] = 0.0;
    return;
  }
  let z = gates[i];
  var slope = 0.0;
  if (z > 0.0 && z < 1.0) {
    let s = (z + 0.1) / 1.2;
    slope = 1.2 * s * (1.0 - s) / step.temperature;
  }
  let p = probability_of_zero(variables[i]);
  var p_slope = 0.0;
  if (p > EDGE && p < 1.0 - EDGE) {
    p_slope = -p * (1.0 - p);
  }
  let excess = row_sparsity[place.row] - step.target_sparsity[place.gate_set];
  let lambda1 = variables[count + place.gate_set];
  let lambda2 = variables[count + 4u + place.gate_set];
  let pull = (lambda1 + 2.0 * lambda2 * excess) / f32(params.rows[place.gate_set] * params.lengths[place.gate_set]);
  gradient[i] = gradient[i] * slope + pull * p_slope;
}

fn multiplier_gradient(gate_set: u32) {
  let count = params.total;
  let rows = params.rows[gate_set];
  let first = params.first_rows[gate_set];
  var sparsity = 0.0;
  var excess = 0.0;
  var square = 0.0;
  for (var r = 0u; r < rows; r++) {
    let s = row_sparsity[first + r];
    let e = s - step.target_sparsity[gate_set];
    sparsity += s;
    excess += e;
    square += e * e;
  }
  let share = select(0.0, 1.0 / f32(rows), is_active(gate_set));
  gradient[count + gate_set] = -excess * share;
  gradient[count + 4u + gate_set] = -square * share;
  state[gate_set] = sparsity * share;
  state[4u + gate_set] = (variables[count + gate_set] * excess + variables[count + 4u + gate_set] * square) * share;
}
