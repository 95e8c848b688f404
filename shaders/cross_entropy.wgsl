// Softmax cross-entropy of next-token prediction, with its gradient in the same pass:
//
//   loss_r     = lse_r − x[r, y_r],   lse_r = m + ln Σ_v exp(x[r, v] − m),   m = max_v x[r, v]
//   dx[r, v]   = (exp(x[r, v] − lse_r) − [v = y_r]) · scale
//
// Shapes    logits [R, V] · targets [R] (a target ≥ V, canonically 0xFFFFFFFF, is ignored: loss 0, gradient 0)
//           · losses [R], not scaled
// Dispatch  cross_entropy: R workgroups (folded) of 256 threads, one a row. A thread keeps a running maximum and a running sum
//           of exp relative to it (online softmax, Milakov & Gimelshein 2018), so the row is read once for the
//           loss and once more for the gradient; the pairs are merged by a tree in workgroup memory.
//           cross_entropy_row, for software adapters: one thread a row in workgroups of 4, no barrier. At 1,024
//           rows of 2,048 with gradients it is 13 times as fast on SwiftShader and 1.4 times on lavapipe.
// Bindings  0 params · 1 logits, become their gradient when asked (read_write) · 2 targets (read)
//           · 3 losses (read_write)
//
// WGSL may assume that NaN and infinity never occur, and max drops a NaN: a broken logit that is not the target's
// would leave a loss that looks right. So they are found by the exponent bits, and the loss of such a row is the
// broken logit itself.
//
// The gradient is a uniform switch, not a second shader: the row's cost is its reads, and one pipeline serves
// training and evaluation.

struct Params {
  rows: u32,
  vocabulary: u32,
  write_gradient: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;

const THREADS = 256u;
// Stands for minus infinity, which WGSL may assume away.
const LOWEST = -3.0e38;
const EXPONENT = 0x7F800000u;

// The bits of a logit that is NaN or infinite, else those seen before (0: all were finite).
fn broken_bits(x: f32, before: u32) -> u32 {
  let bits = bitcast<u32>(x);
  return select(before, bits, (bits & EXPONENT) == EXPONENT);
}

fn loss_or_broken(loss: f32, broken: u32) -> f32 {
  return bitcast<f32>(select(bitcast<u32>(loss), broken, broken != 0u));
}

// x: running maximum, y: running sum of exp(value − maximum).
var<workgroup> pairs: array<vec2f, 256>;
var<workgroup> broken_lanes: atomic<u32>;

fn merge(a: vec2f, b: vec2f) -> vec2f {
  let m = max(a.x, b.x);
  return vec2f(m, a.y * exp(max(a.x - m, -100.0)) + b.y * exp(max(b.x - m, -100.0)));
}

// The same equations without barriers; the maximum first, since a second read is cheap in a CPU's cache.
@compute @workgroup_size(4)
fn cross_entropy_row(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (wg.y * num.x + wg.x) * 4u + lane;
  let V = params.vocabulary;
  if (row >= params.rows) {
    return;
  }
  let base = row * V;
  let target_token = targets[row];
  if (target_token >= V) {
    losses[row] = 0.0;
    if (params.write_gradient != 0u) {
      for (var v = 0u; v < V; v++) {
        logits[base + v] = 0.0;
      }
    }
    return;
  }
  var m = LOWEST;
  var broken = 0u;
  for (var v = 0u; v < V; v++) {
    let x = logits[base + v];
    broken = broken_bits(x, broken);
    m = max(m, x);
  }
  var sum = 0.0;
  for (var v = 0u; v < V; v++) {
    sum += exp(max(logits[base + v] - m, -100.0));
  }
  let lse = m + log(sum);
  losses[row] = loss_or_broken(lse - logits[base + target_token], broken);
  if (params.write_gradient == 0u) {
    return;
  }
  for (var v = 0u; v < V; v++) {
    let x = logits[base + v];
    logits[base + v] = (exp(min(x - lse, 0.0)) - select(0.0, 1.0, v == target_token)) * params.scale;
  }
}

@compute @workgroup_size(256)
fn cross_entropy(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = wg.y * num.x + wg.x;
  let V = params.vocabulary;
  if (row >= params.rows) {
    return;
  }
  let base = row * V;
  let target_token = targets[row];

  var m = LOWEST;
  var sum = 0.0;
  var broken = 0u;
  for (var v = lane; v < V; v += THREADS) {
    let x = logits[base + v];
    broken = broken_bits(x, broken);
    if (x > m) {
      sum = sum * exp(max(m - x, -100.0)) + 1.0;
      m = x;
    } else {
      sum += exp(max(x - m, -100.0));
    }
  }
  pairs[lane] = vec2f(m, sum);
  if (broken != 0u) {
    atomicMax(&broken_lanes, broken);
  }
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      pairs[lane] = merge(pairs[lane], pairs[lane + half]);
    }
  }
  workgroupBarrier();
  let lse = pairs[0].x + log(pairs[0].y);
  let counted = target_token < V;

  if (lane == 0u) {
    var loss = 0.0;
    if (counted) {
      loss = loss_or_broken(lse - logits[base + target_token], atomicLoad(&broken_lanes));
    }
    losses[row] = loss;
  }
  if (params.write_gradient == 0u) {
    return;
  }
  // Thread 0 reads the target's logit before its owner overwrites it.
  storageBarrier();
  for (var v = lane; v < V; v += THREADS) {
    var d = 0.0;
    if (counted) {
      d = (exp(min(logits[base + v] - lse, 0.0)) - select(0.0, 1.0, v == target_token)) * params.scale;
    }
    logits[base + v] = d;
  }
}
