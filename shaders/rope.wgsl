// Optional bias, then rotary position embedding, in place on the rows of a fused QKV product.
//
//   q, k, v += bias
//   (a, b) = (x_i, x_{i+dh/2}) of a q or k head at position t = row mod T:
//   x_i = a·cos(t,i) − b·sin(t,i),   x_{i+dh/2} = b·cos(t,i) + a·sin(t,i)
//
// qkv [rows, (H + 2G)·dh]: H query heads, G key heads, G value heads. table [T, dh]: dh/2 cosines, then
// dh/2 sines. Halves are rotated as Hugging Face stores them, not interleaved pairs.
// Dispatch: one invocation a pair, 64 a workgroup, folded. Without a bias only q and k have invocations.
// The gradient needs no kernel: attention's gradient kernels write dq and dk already rotated back.
// Bindings: 0 sizes, 1 qkv, 2 table, [3 bias]

struct Sizes {
  rows: u32,
  // T
  context: u32,
  // Heads that rotate, H + G; the others (G value heads) only take the bias.
  rotated_heads: u32,
  all_heads: u32,
  head_dim: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;

const THREADS = 64u;

// Row, head and pair of an invocation, for `heads` heads a row.
fn place(index: u32, heads: u32) -> vec3u {
  let half = sizes.head_dim / 2u;
  let per_row = heads * half;
  return vec3u(index / per_row, index % per_row / half, index % half);
}

fn rotate(row: u32, i: u32, pair: vec2f) -> vec2f {
  let t = row % sizes.context * sizes.head_dim + i;
  let cosine = table[t];
  let sine = table[t + sizes.head_dim / 2u];
  return vec2f(pair.x * cosine - pair.y * sine, pair.y * cosine + pair.x * sine);
}

@compute @workgroup_size(THREADS)
fn rope(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let p = place((wg.y * num.x + wg.x) * THREADS + thread, sizes.rotated_heads);
  if (p.x >= sizes.rows) {
    return;
  }
  let low = (p.x * sizes.all_heads + p.y) * sizes.head_dim + p.z;
  let high = low + sizes.head_dim / 2u;
  let pair = rotate(p.x, p.z, vec2f(qkv[low], qkv[high]));
  qkv[low] = pair.x;
  qkv[high] = pair.y;
}

@compute @workgroup_size(THREADS)
fn rope_bias(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let p = place((wg.y * num.x + wg.x) * THREADS + thread, sizes.all_heads);
  if (p.x >= sizes.rows) {
    return;
  }
  let half = sizes.head_dim / 2u;
  let low = (p.x * sizes.all_heads + p.y) * sizes.head_dim + p.z;
  let column = p.y * sizes.head_dim + p.z;
  var pair = vec2f(qkv[low] + bias[column], qkv[low + half] + bias[column + half]);
  if (p.y < sizes.rotated_heads) {
    pair = rotate(p.x, p.z, pair);
  }
  qkv[low] = pair.x;
  qkv[low + half] = pair.y;
}
