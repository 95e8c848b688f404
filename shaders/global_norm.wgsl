// The norm of the whole gradient, the factor that clips it, and whether it is healthy:
//
//   norm = √Σ g²,  scale = min(1, clip / (norm + 1e-6)),  flag = some g, or the sum, is infinite or NaN
//
// WGSL may assume that infinities and NaN never occur, so they are found by the exponent bits of what lies in
// memory, read as u32: no arithmetic is involved that a compiler could reason away.
//
// Shapes    gradient [n] · partials [2·P]: a sum of squares and a flag (0 or 1) of each thread
//           · state [4]: norm, scale, flag (0 or 1), unused. A flagged step has norm 0 and scale 0.
// Dispatch  global_norm_partials: P threads in P / 64 workgroups, each workgroup over a contiguous share, no barrier
//           global_norm_state: one workgroup of 256 threads strides over the P partials, then a tree: it is alone on
//           the GPU, so its length is what counts
//           The order of additions depends on n and P alone, so it is the same every step.
// Rejected  a tree in every workgroup of the first dispatch: its barriers cost about ten times as much on
//           SwiftShader. A stride over the whole buffer instead of contiguous shares: about
//           twice the time on both software adapters.
// Bindings  global_norm_partials: 0 params · 1 gradient (read) · 2 partials (read_write)
//           global_norm_state: 0 params · 1 step inputs (uniform) · 2 partials (read) · 3 state (read_write)

struct Params {
  elements: u32,
  partials: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@group(0) @binding(1) var<storage, read> gradient: array<u32>;
@group(0) @binding(2) var<storage, read_write> partials_out: array<vec2f>;

@group(0) @binding(1) var<uniform> step: StepInputs;
@group(0) @binding(2) var<storage, read> partials: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> state: array<f32>;

const THREADS = 64u;
const STATE_THREADS = 256u;
const EXPONENT = 0x7F800000u;

// x: sum of squares, y: 1 when something is not finite.
var<workgroup> lanes: array<vec2f, STATE_THREADS>;

fn not_finite(bits: u32) -> f32 {
  return select(0.0, 1.0, (bits & EXPONENT) == EXPONENT);
}

fn reduce_lanes(lane: u32) {
  for (var half = STATE_THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lanes[lane] = vec2f(lanes[lane].x + lanes[lane + half].x, max(lanes[lane].y, lanes[lane + half].y));
    }
  }
}

@compute @workgroup_size(THREADS)
fn global_norm_partials(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  var flag = 0.0;
  // A workgroup's share is contiguous: a stride over the whole buffer costs a software adapter its cache.
  let groups = params.partials / THREADS;
  let share = (params.elements + groups * THREADS - 1u) / (groups * THREADS) * THREADS;
  let end = min((wg.x + 1u) * share, params.elements);
  var i = wg.x * share + lane;
  // Four loads in flight: one after the other took 54 µs for 2.3 million gradients on an H100.
  var four = vec4f(0);
  for (; i + 3u * THREADS < end; i += 4u * THREADS) {
    let bits = vec4u(gradient[i], gradient[i + THREADS], gradient[i + 2u * THREADS], gradient[i + 3u * THREADS]);
    let g = bitcast<vec4f>(bits);
    flag = select(flag, 1.0, any((bits & vec4u(EXPONENT)) == vec4u(EXPONENT)));
    four += g * g;
  }
  sum = (four.x + four.y) + (four.z + four.w);
  for (; i < end; i += THREADS) {
    let bits = gradient[i];
    let g = bitcast<f32>(bits);
    flag = max(flag, not_finite(bits));
    sum += g * g;
  }
  partials_out[wg.x * THREADS + lane] = vec2f(sum, flag);
}

@compute @workgroup_size(STATE_THREADS)
fn global_norm_state(@builtin(local_invocation_index) lane: u32) {
  var mine = vec2f(0.0, 0.0);
  // Eight loads in flight; beyond the last partial sum there are zeros.
  for (var p = lane; p < params.partials; p += 8u * STATE_THREADS) {
    for (var i = 0u; i < 8u; i++) {
      let at = p + i * STATE_THREADS;
      let bits = select(vec2u(0), partials[min(at, params.partials - 1u)], at < params.partials);
      mine = vec2f(mine.x + bitcast<f32>(bits.x), max(mine.y, max(bitcast<f32>(bits.y), not_finite(bits.x))));
    }
  }
  lanes[lane] = mine;
  reduce_lanes(lane);
  if (lane == 0u) {
    let flag = max(lanes[0].y, not_finite(bitcast<u32>(lanes[0].x)));
    var norm = 0.0;
    var scale = 0.0;
    if (flag == 0.0) {
      norm = sqrt(lanes[0].x);
      scale = select(1.0, min(1.0, step.clip_norm / (norm + 1.0e-6)), step.clip_norm > 0.0);
    }
    state[0] = norm;
    state[1] = scale;
    state[2] = flag;
    state[3] = 0.0;
  }
}
