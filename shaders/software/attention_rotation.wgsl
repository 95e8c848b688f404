// What the gradients of queries and keys share: their bindings, and RoPE's inverse on the way out.

@group(0) @binding(3) var<storage, read> table: array<vec4f>;
@group(0) @binding(4) var<storage, read> dCtx: array<vec4f>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dqkv: array<vec4f>;

fn dCtx_part(at: u32) -> Part {
  return Part(dCtx[at], dCtx[at + 1u], dCtx[at + HALF], dCtx[at + HALF + 1u]);
}

fn dCtx_row(at: u32) -> Row {
  if (PARTS > 1u) {
    return Row(dCtx_part(at), dCtx_part(at + 2u));
  }
  return Row(dCtx_part(at), Part());
}

// Writes a part of a gradient that was taken behind RoPE, rotated back by the angles of position t.
fn store_rotated_back(to: u32, angles: u32, d: Part) {
  store_pair(to, table[angles], table[angles + HALF], d[0], d[2]);
  store_pair(to + 1u, table[angles + 1u], table[angles + HALF + 1u], d[1], d[3]);
}

fn store_pair(to: u32, cosine: vec4f, sine: vec4f, low: vec4f, high: vec4f) {
  dqkv[to] = (low * cosine + high * sine) * SCALE;
  dqkv[to + HALF] = (high * cosine - low * sine) * SCALE;
}
