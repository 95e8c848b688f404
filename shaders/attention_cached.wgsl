// Attention of the one token that is decoded over the positions of the cache, with head gates (attention.wgsl has the
// symbols):
//
//   t = state[1],  s_j = q_t·k_j/√dh (j ≤ t),  ctx = z·Σ_j exp(s_j − max s)·v_j / Σ_j exp(s_j − max s)
//
// Shapes    cache [T, (H + 2G)·dh] behind RoPE: H query heads, G key heads, G value heads, of which row t holds the
//           query · gates: the flat gate buffer · state [2 or more], u32: token, position · ctx [H·dh]
// Dispatch  one workgroup of 256 invocations a head. It takes 256 positions at a time: an invocation has the score of
//           one of them, then a vector of the head in every so many of them. The sums have a fixed order.
//           A head whose gate is 0 writes zeros and does no other work.
// Memory    5,184 bytes a workgroup. Storage buffers: 4.
// Bindings  0 sizes · 1 cache (read) · 2 gates (read) · 3 state (read) · 4 ctx (read_write)

struct Sizes {
  // H
  heads: u32,
  // G
  groups: u32,
  // Element of `gates` where this layer's G gates start.
  head_gate: u32,
  // HEAD, TEAMS, and how many invocations have the same vector of the head. A compiler that knew them would unroll the
  // loops: lavapipe took 10 to 100 s a pipeline on a busy machine, and takes half a second as it is.
  head: u32,
  team: u32,
  slices: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> cache: array<V>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> ctx: array<V>;

const THREADS = 256u;
// As many teams as invocations in one.
const TEAMS = 16u;
const SCALE = 1.0 / sqrt($HEAD_DIM.0);
// In place of −∞; exp(LOWEST − x) is 0 for every x that occurs.
const LOWEST = -1e30;

// Of each invocation: its score, then its weight, in the end its sum of weights.
var<workgroup> values: array<f32, THREADS>;
var<workgroup> of_teams: array<f32, TEAMS>;
var<workgroup> parts: array<V, THREADS>;

@compute @workgroup_size(THREADS)
fn attention_cached(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let head = wg.x;
  let group = head / (sizes.heads / sizes.groups);
  let z = gates[sizes.head_gate + group];
  if (z == 0) {
    if (thread < HEAD) {
      ctx[head * HEAD + thread] = V(0);
    }
    return;
  }
  let row = (sizes.heads + 2u * sizes.groups) * HEAD;
  let count = state[1] + 1u;
  let q = state[1] * row + head * HEAD;
  let keys = (sizes.heads + group) * HEAD;
  let own = thread % HEAD;
  let slice = thread / HEAD;
  let own_values = keys + sizes.groups * HEAD + own;

  var highest = LOWEST;
  var sum = 0.0;
  var o = V(0);
  for (var j0 = 0u; j0 < count; j0 += THREADS) {
    let j = j0 + thread;
    var score = LOWEST;
    if (j < count) {
      score = 0.0;
      for (var i = 0u; i < sizes.head; i++) {
        score += inner(cache[q + i], cache[j * row + keys + i]);
      }
      score *= SCALE;
    }
    values[thread] = score;
    workgroupBarrier();
    if (thread < TEAMS) {
      var best = LOWEST;
      for (var i = 0u; i < sizes.team; i++) {
        best = max(best, values[thread * TEAMS + i]);
      }
      of_teams[thread] = best;
    }
    workgroupBarrier();
    var raised = highest;
    for (var i = 0u; i < sizes.team; i++) {
      raised = max(raised, of_teams[i]);
    }
    let shrink = exp(highest - raised);
    highest = raised;
    let weight = select(0.0, exp(min(score - highest, 0.0)), j < count);
    values[thread] = weight;
    sum = sum * shrink + weight;
    o *= shrink;
    workgroupBarrier();
    // Invocations beyond the last whole slice have no part in the values.
    let end = select(0u, min(THREADS, count - j0), slice < sizes.slices);
    for (var c = slice; c < end; c += sizes.slices) {
      o += values[c] * cache[(j0 + c) * row + own_values];
    }
    workgroupBarrier();
  }

  values[thread] = sum;
  parts[thread] = o;
  workgroupBarrier();
  if (thread < TEAMS) {
    var team_sum = 0.0;
    for (var i = 0u; i < sizes.team; i++) {
      team_sum += values[thread * TEAMS + i];
    }
    of_teams[thread] = team_sum;
  }
  workgroupBarrier();
  if (thread < HEAD) {
    var total = 0.0;
    for (var i = 0u; i < sizes.team; i++) {
      total += of_teams[i];
    }
    var whole = V(0);
    for (var i = 0u; i < sizes.slices; i++) {
      whole += parts[i * HEAD + thread];
    }
    ctx[head * HEAD + thread] = whole * (z / total);
  }
}
