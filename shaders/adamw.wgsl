// AdamW over the whole flat parameter buffer (Loshchilov & Hutter 2019, decoupled decay lr·wd):
//
//   g = clip scale · gradient
//   m = β1·m + (1 − β1)·g,   v = β2·v + (1 − β2)·g²
//   p = p − lr·wd·p − lr·(m / c1) / (√(v / c2) + ε),   c1 = 1 − β1^(step + 1), c2 = 1 − β2^(step + 1)
//
// Element ranges choose the rates: [0, decay_end) weights with decay · [decay_end, weight_end) weights without
// · [weight_end, gate_end) logα at the gates' rate · [gate_end, elements) multipliers at theirs. The multipliers'
// gradients come with the sign flipped (constraint.wgsl), so that minimising ascends them.
// A step with a non-finite gradient changes nothing, moments included.
//
// adamw_shared takes for g² of a gate's logα what it finds in squares, times the square of the clip scale: the mean
// over the gate's set (set_squares.wgsl), so that the gates of a set move by the ratio of their gradients.
//
// Shapes    parameters, gradient, m, v [n] · health [4] (global_norm.wgsl) · squares [gate_end − weight_end]
// Dispatch  ceil(n / 2048) workgroups (folded) of 256 threads; a thread takes eight elements, 256 apart, so that
//           neighbouring threads touch neighbouring elements
// Rejected  one element a thread: about twice the time on both software adapters. Multiplying by reciprocals of the bias corrections: no difference beyond the noise.
// Bindings  0 params · 1 step inputs (uniform) · 2 health (read) · 3 parameters (read_write) · 4 gradient (read)
//           · 5 m (read_write) · 6 v (read_write) · 7 squares (read), of adamw_shared alone

struct Params {
  elements: u32,
  decay_end: u32,
  weight_end: u32,
  gate_end: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepInputs;
@group(0) @binding(2) var<storage, read> health: array<f32>;
@group(0) @binding(3) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> first_moment: array<f32>;
@group(0) @binding(6) var<storage, read_write> second_moment: array<f32>;
@group(0) @binding(7) var<storage, read> squares: array<f32>;

@compute @workgroup_size(256)
fn adamw(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  if (health[2] != 0.0) {
    return;
  }
  let scale = health[1];
  let first = (wg.y * num.x + wg.x) * 2048u + lane;
  let end = min(first + 2048u, params.elements);
  for (var i = first; i < end; i += 256u) {
    update(i, scale);
  }
}

@compute @workgroup_size(256)
fn adamw_shared(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  if (health[2] != 0.0) {
    return;
  }
  let scale = health[1];
  let first = (wg.y * num.x + wg.x) * 2048u + lane;
  let end = min(first + 2048u, params.elements);
  for (var i = first; i < end; i += 256u) {
    if (i >= params.weight_end && i < params.gate_end) {
      let square = squares[i - params.weight_end] * scale * scale;
      advance(i, gradient[i] * scale, (1.0 - step.beta2) * square);
    } else {
      update(i, scale);
    }
  }
}

fn update(i: u32, scale: f32) {
  let g = gradient[i] * scale;
  advance(i, g, (1.0 - step.beta2) * g * g);
}

// One parameter, by its gradient g and what its second moment gains.
fn advance(i: u32, g: f32, gain: f32) {
  var rate = step.learning_rate;
  var decay = 0.0;
  if (i < params.decay_end) {
    decay = rate * step.weight_decay;
  } else if (i >= params.gate_end) {
    rate = step.multiplier_learning_rate;
  } else if (i >= params.weight_end) {
    rate = step.gate_learning_rate;
  }
  let m = step.beta1 * first_moment[i] + (1.0 - step.beta1) * g;
  let v = step.beta2 * second_moment[i] + gain;
  first_moment[i] = m;
  second_moment[i] = v;
  let p = parameters[i];
  let direction = (m / step.bias_correction1) / (sqrt(v / step.bias_correction2) + step.epsilon);
  parameters[i] = p - decay * p - rate * direction;
}
