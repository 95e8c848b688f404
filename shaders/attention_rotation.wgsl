// What the gradients of queries and keys share: their bindings, and RoPE's inverse on the way out (attention.wgsl).

@group(0) @binding(3) var<storage, read> table: array<V>;
@group(0) @binding(4) var<storage, read> dCtx: array<V>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dqkv: array<V>;

// Writes a gradient that was taken behind RoPE, rotated back by the angles of position t.
fn store_rotated_back(to: u32, t: u32, part: u32, d: ptr<function, Slice>) {
  for (var i = 0u; i < PER; i++) {
    let at = part * PER + i;
    let cosine = table[t * HEAD + at];
    let sine = table[t * HEAD + HALF + at];
    let a = (*d)[i];
    let b = (*d)[i + PER];
    dqkv[to + at] = (a * cosine + b * sine) * SCALE;
    dqkv[to + HALF + at] = (b * cosine - a * sine) * SCALE;
  }
}
