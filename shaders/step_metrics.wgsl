// One row of the metrics ring: everything that the page shows of a step, so that nothing else is read back.
//
// Shapes    losses, divergences [B, T], 0 where nothing is predicted · window_domains [B] · health [4]
//           (global_norm.wgsl) · constraint_state [8] (constraint.wgsl) · variables [.. | λ1 ×4 | λ2 ×4] · ring [slots, 64]
//           The 64 words are listed in src/kernels/step-metrics.ts.
// Dispatch  one workgroup of 256 threads. Sixteen windows at a time, sixteen threads a window: each adds every
//           sixteenth loss, then thread k < 16 adds the windows of domain k in order, thread 16 all windows.
//           Of the divergences (distilled = 1) a thread adds every 256th, and a tree the threads' sums.
// Bindings  0 params · 1 step inputs (uniform) · 2 losses (read) · 3 window_domains (read) · 4 health (read)
//           · 5 ring (read_write) · 6 divergences (read; any buffer if distilled = 0, nothing of it is read then),
//           and for step_metrics_pruning · 7 constraint_state (read) · 8 variables (read)

struct Params {
  windows: u32,
  window_length: u32,
  predictions: u32, // counted losses of a window
  multipliers: u32, // element of λ1 in the variables
  distilled: u32, // 1 with a teacher
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepInputs;
@group(0) @binding(2) var<storage, read> losses: array<f32>;
@group(0) @binding(3) var<storage, read> window_domains: array<u32>;
@group(0) @binding(4) var<storage, read> health: array<f32>;
@group(0) @binding(5) var<storage, read_write> ring: array<f32>;
@group(0) @binding(6) var<storage, read> divergences: array<f32>;
@group(0) @binding(7) var<storage, read> constraint_state: array<f32>;
@group(0) @binding(8) var<storage, read> variables: array<f32>;

const WORDS = 64u;
const WINDOWS = 16u;
const LANES = 16u;
const DOMAINS = 16u;

var<workgroup> lane_sums: array<f32, 256>;

// 0 without a teacher.
fn mean_divergence(lane: u32) -> f32 {
  if (params.distilled == 0u) {
    return 0.0;
  }
  var lane_sum = 0.0;
  for (var i = lane; i < params.windows * params.window_length; i += 256u) {
    lane_sum += divergences[i];
  }
  lane_sums[lane] = lane_sum;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lane_sums[lane] += lane_sums[lane + half];
    }
  }
  workgroupBarrier();
  return lane_sums[0] / f32(max(1u, params.windows * params.predictions));
}

fn write_metrics(lane: u32) {
  let slot = step.ring_slot * WORDS;
  var sum = 0.0;
  var count = 0u;
  for (var first = 0u; first < params.windows; first += WINDOWS) {
    let window = first + lane / LANES;
    var lane_sum = 0.0;
    if (window < params.windows) {
      for (var t = lane % LANES; t < params.window_length; t += LANES) {
        lane_sum += losses[window * params.window_length + t];
      }
    }
    lane_sums[lane] = lane_sum;
    workgroupBarrier();
    if (lane <= DOMAINS) {
      for (var w = 0u; w < min(WINDOWS, params.windows - first); w++) {
        if (lane == DOMAINS || window_domains[first + w] == lane) {
          for (var l = 0u; l < LANES; l++) {
            sum += lane_sums[w * LANES + l];
          }
          count++;
        }
      }
    }
    workgroupBarrier();
  }
  let mean = sum / f32(max(1u, count * params.predictions));
  if (lane < DOMAINS) {
    ring[slot + 24u + lane] = mean;
    ring[slot + 40u + lane] = f32(count);
  }
  if (lane == DOMAINS) {
    ring[slot] = f32(step.step);
    ring[slot + 1u] = mean;
    ring[slot + 2u] = health[0];
    ring[slot + 3u] = health[2];
    ring[slot + 5u] = step.learning_rate;
    ring[slot + 7u] = health[1];
  }
  let divergence = mean_divergence(lane);
  if (lane == 56u) {
    ring[slot + 56u] = divergence;
    ring[slot + 57u] = f32(params.distilled);
  }
  if (lane >= 58u && lane < WORDS) {
    ring[slot + lane] = 0.0;
  }
}

@compute @workgroup_size(256)
fn step_metrics(@builtin(local_invocation_index) lane: u32) {
  write_metrics(lane);
  let slot = step.ring_slot * WORDS;
  if (lane == 4u || lane == 6u || (lane >= 8u && lane < 24u)) {
    ring[slot + lane] = 0.0;
  }
}

@compute @workgroup_size(256)
fn step_metrics_pruning(@builtin(local_invocation_index) lane: u32) {
  write_metrics(lane);
  let slot = step.ring_slot * WORDS;
  if (lane < 4u) {
    ring[slot + 8u + lane] = constraint_state[lane];
    ring[slot + 12u + lane] = step.target_sparsity[lane];
    ring[slot + 16u + lane] = variables[params.multipliers + lane];
    ring[slot + 20u + lane] = variables[params.multipliers + 4u + lane];
  }
  if (lane == 4u) {
    ring[slot + 4u] = constraint_state[4] + constraint_state[5] + constraint_state[6] + constraint_state[7];
    ring[slot + 6u] = 1.0;
  }
}
