// Optional bias, then rotary position embedding, of the one token that is decoded: its q, k and v go into their row of
// the cache, rotated as rope.wgsl rotates them.
//
//   t = state[1]
//   q, k, v += bias
//   (a, b) = (x_i, x_{i+dh/2}) of a q or k head:   cache_i = a·cos(t,i) − b·sin(t,i),
//                                                  cache_{i+dh/2} = b·cos(t,i) + a·sin(t,i)
//
// Shapes    product [(H + 2G)·dh]: H query heads, G key heads, G value heads · table [T, dh]: dh/2 cosines, then dh/2
//           sines · state [2 or more], u32: token, position · cache [T, (H + 2G)·dh], of which row t is written ·
//           bias [(H + 2G)·dh]
// Dispatch  one invocation a pair, 64 a workgroup, folded. No workgroup memory. Storage buffers: 4 or 5.
// Bindings  0 sizes · 1 product (read) · 2 table (read) · 3 state (read) · 4 cache (read_write) · [5 bias (read)]

struct Sizes {
  // Heads that rotate, H + G; the others (G value heads) are copied.
  rotated_heads: u32,
  all_heads: u32,
  head_dim: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> product: array<f32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> cache: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;

const THREADS = 64u;

// Where the first of an invocation's pair lies in the product; beyond it, when there is no pair left.
fn place(index: u32) -> u32 {
  let half = sizes.head_dim / 2u;
  return index / half * sizes.head_dim + index % half;
}

fn keep(low: u32, given: vec2f) {
  let half = sizes.head_dim / 2u;
  var pair = given;
  if (low < sizes.rotated_heads * sizes.head_dim) {
    let t = state[1] * sizes.head_dim + low % sizes.head_dim;
    let cosine = table[t];
    let sine = table[t + half];
    pair = vec2f(pair.x * cosine - pair.y * sine, pair.y * cosine + pair.x * sine);
  }
  let at = state[1] * sizes.all_heads * sizes.head_dim + low;
  cache[at] = pair.x;
  cache[at + half] = pair.y;
}

@compute @workgroup_size(THREADS)
fn rope_cache(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let low = place((wg.y * num.x + wg.x) * THREADS + thread);
  if (low < sizes.all_heads * sizes.head_dim) {
    keep(low, vec2f(product[low], product[low + sizes.head_dim / 2u]));
  }
}

@compute @workgroup_size(THREADS)
fn rope_cache_bias(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let low = place((wg.y * num.x + wg.x) * THREADS + thread);
  if (low < sizes.all_heads * sizes.head_dim) {
    let high = low + sizes.head_dim / 2u;
    keep(low, vec2f(product[low] + bias[low], product[high] + bias[high]));
  }
}
