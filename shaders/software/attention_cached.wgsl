// Attention of one token over the cache for adapters that run on the CPU: formula and shapes are those of
// shaders/attention_cached.wgsl, which attention.wgsl precedes here, too. No workgroup memory, no barrier, no array: an
// invocation has one vector of a head's sum and computes the head's scores for itself, in lanes that would be idle.
//
// Dispatch  one invocation a head and vector of it, 16 a workgroup. Storage buffers: 4.
// Bindings  0 sizes · 1 cache (read) · 2 gates (read) · 3 state (read) · 4 ctx (read_write)
//
// Measured on two busy cores, processor time of a dispatch on lavapipe, nano (4 heads of 16, 45 positions; a ratio
// only, no GPU): 26 to 48 µs, where shaders/attention_cached.wgsl takes 286.

struct Sizes {
  // H
  heads: u32,
  // G
  groups: u32,
  // Element of `gates` where this layer's G gates start.
  head_gate: u32,
  // HEAD; a compiler that knew it would unroll the loop.
  head: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> cache: array<V>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> ctx: array<V>;

const THREADS = 16u;
const SCALE = 1.0 / sqrt($HEAD_DIM.0);
// In place of −∞; exp(LOWEST − x) is 0 for every x that occurs.
const LOWEST = -1e30;

@compute @workgroup_size(THREADS)
fn attention_cached(@builtin(global_invocation_id) id: vec3u) {
  let head = id.x / HEAD;
  if (head >= sizes.heads) {
    return;
  }
  let group = head / (sizes.heads / sizes.groups);
  let z = gates[sizes.head_gate + group];
  let row = (sizes.heads + 2u * sizes.groups) * HEAD;
  let q = state[1] * row + head * HEAD;
  let keys = (sizes.heads + group) * HEAD;
  let own_values = keys + sizes.groups * HEAD + id.x % HEAD;

  var highest = LOWEST;
  var sum = 0.0;
  var o = V(0);
  // A closed head walks over nothing: o = 0.
  let end = select(0u, state[1] + 1u, z != 0);
  for (var j = 0u; j < end; j++) {
    var score = 0.0;
    for (var i = 0u; i < sizes.head; i++) {
      score += inner(cache[q + i], cache[j * row + keys + i]);
    }
    score *= SCALE;
    let raised = max(highest, score);
    let shrink = exp(highest - raised);
    let weight = exp(score - raised);
    highest = raised;
    sum = sum * shrink + weight;
    o = o * shrink + weight * cache[j * row + own_values];
  }
  ctx[id.x] = o * (z / max(sum, 1e-30));
}
