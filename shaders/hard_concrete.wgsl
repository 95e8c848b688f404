// Samples every hard-concrete gate of a step (Louizos et al. 2018; Sheared LLaMA, l0_module.py):
//
//   logα ← clamp(logα, −ln 100, ln 100)                     in place, without gradient
//   s     = σ((ln u − ln(1 − u) + logα) / β),  u ~ U(ε, 1 − ε)
//   z     = clamp(s · (ζ − γ) + γ, 0, 1),      γ = −0.1, ζ = 1.1, ε = 1e-6
//
// A gate with |logα| ≥ 32 is pinned by hand: z is 1 above and 0 below, and logα goes back to ±64, from where no
// optimiser step reaches the others. Gates of a set that is not learnt are 1. The noise is a pure function of (seed, step, gate index): threefry.wgsl,
// key (seed_low, seed_high), counter (gate index, step). A run can be resumed at any step, and the CPU computes the
// same u. The first word gives 23 bits, u = (2k + 1) / 2²⁴: both u and 1 − u are exact in f32.
//
// Shapes    logα, z [gate count], laid out as gate_layout.wgsl says
// Dispatch  one thread a gate, ceil(count / 64) workgroups (folded)
// Bindings  0 params · 1 step inputs (uniform) · 2 logα (read_write) · 3 z (read_write)

@group(0) @binding(0) var<uniform> params: GateLayout;
@group(0) @binding(1) var<uniform> step: StepInputs;
@group(0) @binding(2) var<storage, read_write> log_alpha: array<f32>;
@group(0) @binding(3) var<storage, read_write> gates: array<f32>;

const LOG_ALPHA_LIMIT = 4.605170186;
const NOISE_EDGE = 1.0e-6;
const PINNED_FROM = 32.0;
const PINNED = 64.0;

@compute @workgroup_size(64)
fn sample_gates(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (wg.y * num.x + wg.x) * 64u + lane;
  if (i >= params.total) {
    return;
  }
  let given = log_alpha[i];
  let pinned = abs(given) >= PINNED_FROM;
  let a = select(clamp(given, -LOG_ALPHA_LIMIT, LOG_ALPHA_LIMIT), sign(given) * PINNED, pinned);
  log_alpha[i] = a;
  if (((step.active_sets >> gate_place(params, i).gate_set) & 1u) == 0u) {
    gates[i] = 1.0;
    return;
  }
  if (pinned) {
    gates[i] = select(0.0, 1.0, a > 0.0);
    return;
  }
  let word = threefry(vec2u(step.seed_low, step.seed_high), vec2u(i, step.step)).x;
  let u = clamp(f32(((word >> 9u) << 1u) | 1u) * 0x1p-24, NOISE_EDGE, 1.0 - NOISE_EDGE);
  // |exponent| < 14 + 4.61 over β: bounded, so that exp stays finite for any β the lab allows.
  let exponent = clamp((log(u) - log(1.0 - u) + a) / step.temperature, -80.0, 80.0);
  let s = 1.0 / (1.0 + exp(-exponent));
  gates[i] = clamp(1.2 * s - 0.1, 0.0, 1.0);
}
