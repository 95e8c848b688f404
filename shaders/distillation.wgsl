// Distillation of a student from a teacher's logits (Hinton et al. 2015, section 2; the divergence runs forward, from
// the teacher, as in Minitron: Muralidharan et al. 2024), with its gradient in the same pass. For each row r with a
// target, s the student's and t the teacher's logits, w the weight and τ the temperature of the step:
//
//   q = softmax(s / τ),   p = softmax(t / τ),   h = softmax(s)
//   loss_r       = −ln h[y_r]
//   divergence_r = Σ_v p[v] · (ln p[v] − ln q[v]) + q[v] − p[v]
//   ds[r, v]     = (w · τ · (q[v] − p[v]) + (1 − w) · (h[v] − [v = y_r])) · scale
//
// which is the gradient of scale · Σ_r (w · τ² · divergence_r + (1 − w) · loss_r). The last two terms of the divergence
// add up to nothing, and make every summand at least 0: an error of a log-sum-exp then counts in second order only, so
// a small divergence keeps its digits: at 2,048 logits it is off by 3e-8 nats, without those terms by 4e-7 to 1.5e-6
// (lavapipe).
//
// Shapes    logits, teacher_logits [R, V] · targets [R] (a target ≥ V, canonically 0xFFFFFFFF, is ignored: loss,
//           divergence and gradient 0) · losses, divergences [R], neither scaled
// Dispatch  distillation: R workgroups (folded) of 256 threads, one a row. A thread keeps a running maximum and a
//           running sum of exp relative to it (online softmax, cross_entropy.wgsl) for each of h, q and p, so both rows
//           are read once for the sums and once more for divergence and gradient.
//           distillation_row, for software adapters: one thread a row in workgroups of 4, no barrier, as in
//           cross_entropy.wgsl.
// Bindings  0 params · 1 step inputs (uniform) · 2 logits, become their gradient when asked (read_write)
//           · 3 teacher_logits (read) · 4 targets (read) · 5 losses (read_write) · 6 divergences (read_write)
//
// A logit that is NaN or infinite is found by its exponent bits, since WGSL may assume that there are none: a row's
// broken logit of the student becomes its loss and its divergence, one of the teacher its divergence.

struct Params {
  rows: u32,
  vocabulary: u32,
  write_gradient: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepInputs;
@group(0) @binding(2) var<storage, read_write> logits: array<f32>;
@group(0) @binding(3) var<storage, read> teacher_logits: array<f32>;
@group(0) @binding(4) var<storage, read> targets: array<u32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> divergences: array<f32>;

const THREADS = 256u;
// Stands for minus infinity, which WGSL may assume away.
const LOWEST = -3.0e38;
const EXPONENT = 0x7F800000u;

// The bits of a logit that is NaN or infinite, else those seen before (0: all were finite).
fn broken_bits(x: f32, before: u32) -> u32 {
  let bits = bitcast<u32>(x);
  return select(before, bits, (bits & EXPONENT) == EXPONENT);
}

fn value_or_broken(value: f32, broken: u32) -> f32 {
  return bitcast<f32>(select(bitcast<u32>(value), broken, broken != 0u));
}

// (x − m) · rate for x ≤ m, rate = 1/τ or 1. Without the bound a small τ could make it infinite.
fn below(x: f32, m: f32, rate: f32) -> f32 {
  return max(x - m, -1.0e30) * rate;
}

fn exp_of(x: f32) -> f32 {
  return exp(clamp(x, -100.0, 0.0));
}

// What a row is divided by: its maxima, and ln Σ exp((x − m) · rate) of h, q and p.
struct RowSums {
  student_max: f32,
  teacher_max: f32,
  log_h: f32,
  log_q: f32,
  log_p: f32,
}

// x: what a pair of logits adds to the row's divergence, y: the student's gradient, not scaled.
fn divergence_and_gradient(s: f32, t: f32, is_target: bool, row: RowSums, rate: f32) -> vec2f {
  let w = step.distillation_weight;
  let ln_q = below(s, row.student_max, rate) - row.log_q;
  let ln_p = below(t, row.teacher_max, rate) - row.log_p;
  let h = exp_of(below(s, row.student_max, 1.0) - row.log_h);
  let q = exp_of(ln_q);
  let p = exp_of(ln_p);
  let divergence = p * (ln_p - ln_q) + (q - p);
  let soft = step.distillation_temperature * (q - p);
  return vec2f(divergence, w * soft + (1.0 - w) * (h - select(0.0, 1.0, is_target)));
}

// x: running maximum, y: running sum of exp((value − maximum) · rate).
var<workgroup> h_pairs: array<vec2f, 256>;
var<workgroup> q_pairs: array<vec2f, 256>;
var<workgroup> p_pairs: array<vec2f, 256>;
var<workgroup> lane_divergences: array<f32, 256>;
var<workgroup> broken_student: atomic<u32>;
var<workgroup> broken_teacher: atomic<u32>;

fn merge(a: vec2f, b: vec2f, rate: f32) -> vec2f {
  let m = max(a.x, b.x);
  return vec2f(m, a.y * exp_of(below(a.x, m, rate)) + b.y * exp_of(below(b.x, m, rate)));
}

fn with_value(pair: vec2f, x: f32, rate: f32) -> vec2f {
  // The lower of the two next to the higher.
  let e = exp_of(below(min(x, pair.x), max(x, pair.x), rate));
  return select(vec2f(pair.x, pair.y + e), vec2f(x, pair.y * e + 1.0), x > pair.x);
}

// The same equations without barriers; the maxima first, since a second read is cheap in a CPU's cache.
@compute @workgroup_size(4)
fn distillation_row(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (wg.y * num.x + wg.x) * 4u + lane;
  let V = params.vocabulary;
  if (row >= params.rows) {
    return;
  }
  let rate = 1.0 / step.distillation_temperature;
  let base = row * V;
  let target_token = targets[row];
  if (target_token >= V) {
    losses[row] = 0.0;
    divergences[row] = 0.0;
    if (params.write_gradient != 0u) {
      for (var v = 0u; v < V; v++) {
        logits[base + v] = 0.0;
      }
    }
    return;
  }
  var sums = RowSums(LOWEST, LOWEST, 0.0, 0.0, 0.0);
  var student_bits = 0u;
  var teacher_bits = 0u;
  for (var v = 0u; v < V; v++) {
    let s = logits[base + v];
    let t = teacher_logits[base + v];
    student_bits = broken_bits(s, student_bits);
    teacher_bits = broken_bits(t, teacher_bits);
    sums.student_max = max(sums.student_max, s);
    sums.teacher_max = max(sums.teacher_max, t);
  }
  for (var v = 0u; v < V; v++) {
    let s = logits[base + v];
    sums.log_h += exp_of(below(s, sums.student_max, 1.0));
    sums.log_q += exp_of(below(s, sums.student_max, rate));
    sums.log_p += exp_of(below(teacher_logits[base + v], sums.teacher_max, rate));
  }
  sums.log_h = log(sums.log_h);
  sums.log_q = log(sums.log_q);
  sums.log_p = log(sums.log_p);
  let loss = sums.log_h - (logits[base + target_token] - sums.student_max);
  losses[row] = value_or_broken(loss, student_bits);
  var divergence = 0.0;
  for (var v = 0u; v < V; v++) {
    let of_pair =
      divergence_and_gradient(logits[base + v], teacher_logits[base + v], v == target_token, sums, rate);
    divergence += of_pair.x;
    if (params.write_gradient != 0u) {
      logits[base + v] = of_pair.y * params.scale;
    }
  }
  divergences[row] = value_or_broken(divergence, max(student_bits, teacher_bits));
}

@compute @workgroup_size(256)
fn distillation(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = wg.y * num.x + wg.x;
  let V = params.vocabulary;
  if (row >= params.rows) {
    return;
  }
  let rate = 1.0 / step.distillation_temperature;
  let base = row * V;
  let target_token = targets[row];

  var h = vec2f(LOWEST, 0.0);
  var q = h;
  var p = h;
  var student_bits = 0u;
  var teacher_bits = 0u;
  for (var v = lane; v < V; v += THREADS) {
    let s = logits[base + v];
    let t = teacher_logits[base + v];
    student_bits = broken_bits(s, student_bits);
    teacher_bits = broken_bits(t, teacher_bits);
    h = with_value(h, s, 1.0);
    q = with_value(q, s, rate);
    p = with_value(p, t, rate);
  }
  h_pairs[lane] = h;
  q_pairs[lane] = q;
  p_pairs[lane] = p;
  if (student_bits != 0u) {
    atomicMax(&broken_student, student_bits);
  }
  if (teacher_bits != 0u) {
    atomicMax(&broken_teacher, teacher_bits);
  }
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      h_pairs[lane] = merge(h_pairs[lane], h_pairs[lane + half], 1.0);
      q_pairs[lane] = merge(q_pairs[lane], q_pairs[lane + half], rate);
      p_pairs[lane] = merge(p_pairs[lane], p_pairs[lane + half], rate);
    }
  }
  workgroupBarrier();
  let sums = RowSums(
    q_pairs[0].x,
    p_pairs[0].x,
    log(h_pairs[0].y),
    log(q_pairs[0].y),
    log(p_pairs[0].y),
  );
  let counted = target_token < V;

  if (lane == 0u) {
    var loss = 0.0;
    if (counted) {
      loss = value_or_broken(
        sums.log_h - (logits[base + target_token] - sums.student_max),
        atomicLoad(&broken_student),
      );
    }
    losses[row] = loss;
  }
  // Thread 0 reads the target's logit before its owner overwrites it.
  storageBarrier();
  var lane_divergence = 0.0;
  for (var v = lane; v < V; v += THREADS) {
    var of_pair = vec2f(0.0);
    if (counted) {
      of_pair =
        divergence_and_gradient(logits[base + v], teacher_logits[base + v], v == target_token, sums, rate);
    }
    lane_divergence += of_pair.x;
    if (params.write_gradient != 0u) {
      logits[base + v] = of_pair.y * params.scale;
    }
  }
  lane_divergences[lane] = lane_divergence;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lane_divergences[lane] += lane_divergences[lane + half];
    }
  }
  if (lane == 0u) {
    let broken = max(atomicLoad(&broken_student), atomicLoad(&broken_teacher));
    divergences[row] = value_or_broken(lane_divergences[0], select(0u, broken, counted));
  }
}
