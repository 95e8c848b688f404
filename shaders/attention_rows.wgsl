// The attention of `attention.wgsl` for adapters that run on the CPU, for head dimensions 16 and 32: no
// workgroup memory, no barrier, no array. Formulas, shapes and bindings are those of `attention.wgsl`;
// attention_delta is shared with it.
//
// On such adapters a barrier parks and wakes every invocation, a load is a gather, one element a lane, and
// SwiftShader keeps arrays in memory, so what counts is products a load, on named values. An invocation owns
// four rows (queries; keys with their values in dk/dv), kept with a column a value and an entry a row, and
// walks over the other side a row at a time: each vector that is loaded is used four times.
// Dispatch: (ceil(T / TILE), H or G, B) workgroups of THREADS invocations.
//
// Measured on two busy cores, processor time of a dispatch in ms, B 8, T 128, H = G = 4, dh 16: forward, dq,
// dkv (lavapipe | SwiftShader; ratios only, no GPU):
//   attention.wgsl, one slice a row                  8.8  16.5  26.1 | 136  156  233
//   four rows, four keys a step, array of parts      4.6   4.9   5.7 |  94  118  173
//   four rows, four keys a step, named               4.5   4.9   5.3 |  18   22   24
//   four rows, one key a step, named (this)          2.4   2.5   3.2 | 8.6   12   17
// Four keys a step cost lavapipe 5 to 19 s to compile an entry point, one key a step 1.1 to 2.7 s, since
// every load that stands in the code costs it about 0.1 s: hence also the loops over the own rows.

struct Sizes {
  // B·T
  rows: u32,
  // T
  context: u32,
  // H
  heads: u32,
  // G
  groups: u32,
  // Element of `gates` where this layer's G gates start.
  head_gate: u32,
}

// Parts of a head, one or two.
const PARTS = $HEAD_DIMu / 16u;
// In vectors.
const HEAD = $HEAD_DIMu / 4u;
const HALF = HEAD / 2u;
const THREADS = $THREADSu;
const TILE = 4u * THREADS;
const SCALE = 1.0 / sqrt($HEAD_DIM.0);
// In place of −∞; exp(LOWEST − x) is 0 for every x that occurs.
const LOWEST = -1e30;
const STEPS = vec4u(0, 1, 2, 3);

@group(0) @binding(0) var<uniform> sizes: Sizes;

@group(0) @binding(1) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read_write> ctx: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

@group(0) @binding(3) var<storage, read> table: array<vec4f>;
@group(0) @binding(4) var<storage, read> dCtx: array<vec4f>;
@group(0) @binding(5) var<storage, read> lse_in: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dqkv: array<vec4f>;

// 16 values of one row: two vectors of the lower half of a head, and the two that RoPE pairs them with.
alias Part = mat4x4f;
// The same 16 values of four rows: a column a value, an entry a row.
struct FourParts {
  a: mat4x4f,
  b: mat4x4f,
  c: mat4x4f,
  d: mat4x4f,
}

// A whole head; `second` is unused with one part.
struct Row {
  first: Part,
  second: Part,
}

struct FourRows {
  first: FourParts,
  second: FourParts,
}

fn outer(e: vec4f, x: vec4f) -> mat4x4f {
  return mat4x4f(e * x.x, e * x.y, e * x.z, e * x.w);
}

fn plus_outer_part(sum: FourParts, e: vec4f, x: Part) -> FourParts {
  return FourParts(
    sum.a + outer(e, x[0]),
    sum.b + outer(e, x[1]),
    sum.c + outer(e, x[2]),
    sum.d + outer(e, x[3]),
  );
}

// Row r of the sum plus e_r times x.
fn plus_outer(sum: FourRows, e: vec4f, x: Row) -> FourRows {
  if (PARTS > 1u) {
    return FourRows(plus_outer_part(sum.first, e, x.first), plus_outer_part(sum.second, e, x.second));
  }
  return FourRows(plus_outer_part(sum.first, e, x.first), sum.second);
}

// Row r times e_r.
fn scaled(x: mat4x4f, e: vec4f) -> mat4x4f {
  return mat4x4f(x[0] * e, x[1] * e, x[2] * e, x[3] * e);
}

fn scaled_part(x: FourParts, e: vec4f) -> FourParts {
  return FourParts(scaled(x.a, e), scaled(x.b, e), scaled(x.c, e), scaled(x.d, e));
}

fn scaled_rows(x: FourRows, e: vec4f) -> FourRows {
  if (PARTS > 1u) {
    return FourRows(scaled_part(x.first, e), scaled_part(x.second, e));
  }
  return FourRows(scaled_part(x.first, e), x.second);
}

fn dots_of_part(rows: FourParts, x: Part) -> vec4f {
  return rows.a * x[0] + rows.b * x[1] + rows.c * x[2] + rows.d * x[3];
}

// Entry r: row r times x.
fn dots(rows: FourRows, x: Row) -> vec4f {
  if (PARTS > 1u) {
    return dots_of_part(rows.first, x.first) + dots_of_part(rows.second, x.second);
  }
  return dots_of_part(rows.first, x.first);
}

// The row that the unit vector e selects.
fn part_of(rows: FourParts, e: vec4f) -> Part {
  return Part(e * rows.a, e * rows.b, e * rows.c, e * rows.d);
}

// The unit vector of row r.
fn unit(r: u32) -> vec4f {
  return select(vec4f(0), vec4f(1), vec4u(r) == STEPS);
}

fn qkv_part(at: u32) -> Part {
  return Part(qkv[at], qkv[at + 1u], qkv[at + HALF], qkv[at + HALF + 1u]);
}

fn qkv_row(at: u32) -> Row {
  if (PARTS > 1u) {
    return Row(qkv_part(at), qkv_part(at + 2u));
  }
  return Row(qkv_part(at), Part());
}

fn dCtx_part(at: u32) -> Part {
  return Part(dCtx[at], dCtx[at + 1u], dCtx[at + HALF], dCtx[at + HALF + 1u]);
}

fn dCtx_row(at: u32) -> Row {
  if (PARTS > 1u) {
    return Row(dCtx_part(at), dCtx_part(at + 2u));
  }
  return Row(dCtx_part(at), Part());
}

fn head_start(row: u32, head: u32) -> u32 {
  return (row * (sizes.heads + 2u * sizes.groups) + head) * HEAD;
}

// ---- forward

@compute @workgroup_size(THREADS)
fn attention_forward(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let T = sizes.context;
  let head = wg.y;
  let group = head / (sizes.heads / sizes.groups);
  let row0 = wg.z * T;
  let t0 = wg.x * TILE + thread * 4u;
  let own_end = min(t0 + 4u, T);
  let z = gates[sizes.head_gate + group];
  var end = 0u;
  if (z != 0) {
    end = min(T, wg.x * TILE + TILE);
  }
  var q: FourRows;
  for (var t = t0; t < own_end; t++) {
    q = plus_outer(q, unit(t - t0) * SCALE, qkv_row(head_start(row0 + t, head)));
  }
  var o: FourRows;
  var highest = vec4f(LOWEST);
  var sum = vec4f(0);
  for (var j = 0u; j < end; j++) {
    let k = head_start(row0 + j, sizes.heads + group);
    let s = select(vec4f(LOWEST), dots(q, qkv_row(k)), vec4u(j) <= t0 + STEPS);
    let raised = max(highest, s);
    let shrink = exp(highest - raised);
    let p = exp(s - raised);
    highest = raised;
    sum = sum * shrink + p;
    o = plus_outer(scaled_rows(o, shrink), p, qkv_row(k + sizes.groups * HEAD));
  }
  // A closed head has walked over nothing: o = 0, and its lse is 0.
  let factor = z / max(sum, vec4f(1e-30));
  let own_lse = select(vec4f(0), highest + log(max(sum, vec4f(1e-30))), vec4<bool>(z != 0));
  for (var t = t0; t < own_end; t++) {
    let e = unit(t - t0);
    let at = (row0 + t) * sizes.heads + head;
    store_context(at * HEAD, part_of(o.first, e * factor));
    if (PARTS > 1u) {
      store_context(at * HEAD + 2u, part_of(o.second, e * factor));
    }
    lse[at] = dot(e, own_lse);
  }
}

fn store_context(at: u32, o: Part) {
  ctx[at] = o[0];
  ctx[at + 1u] = o[1];
  ctx[at + HALF] = o[2];
  ctx[at + HALF + 1u] = o[3];
}

// ---- gradients

// Writes a part of a gradient that was taken behind RoPE, rotated back by the angles of position t.
fn store_rotated_back(to: u32, angles: u32, d: Part) {
  store_pair(to, table[angles], table[angles + HALF], d[0], d[2]);
  store_pair(to + 1u, table[angles + 1u], table[angles + HALF + 1u], d[1], d[3]);
}

fn store_pair(to: u32, cosine: vec4f, sine: vec4f, low: vec4f, high: vec4f) {
  dqkv[to] = (low * cosine + high * sine) * SCALE;
  dqkv[to + HALF] = (high * cosine - low * sine) * SCALE;
}

@compute @workgroup_size(THREADS)
fn attention_dq(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let T = sizes.context;
  let head = wg.y;
  let group = head / (sizes.heads / sizes.groups);
  let row0 = wg.z * T;
  let t0 = wg.x * TILE + thread * 4u;
  let own_end = min(t0 + 4u, T);
  let z = gates[sizes.head_gate + group];
  var end = 0u;
  if (z != 0) {
    end = min(T, wg.x * TILE + TILE);
  }
  var q: FourRows;
  var dO: FourRows;
  var own_lse = vec4f(0);
  var D = vec4f(0);
  for (var t = t0; t < own_end; t++) {
    let e = unit(t - t0);
    let at = (row0 + t) * sizes.heads + head;
    q = plus_outer(q, e * SCALE, qkv_row(head_start(row0 + t, head)));
    dO = plus_outer(dO, e * z, dCtx_row(at * HEAD));
    own_lse += e * lse_in[at];
    D += e * delta[at];
  }
  var dq: FourRows;
  for (var j = 0u; j < end; j++) {
    let at = head_start(row0 + j, sizes.heads + group);
    let k = qkv_row(at);
    let dP = dots(dO, qkv_row(at + sizes.groups * HEAD));
    let p = select(vec4f(0), exp(min(dots(q, k) - own_lse, vec4f(0))), vec4u(j) <= t0 + STEPS);
    dq = plus_outer(dq, p * (dP - D), k);
  }
  for (var t = t0; t < own_end; t++) {
    let e = unit(t - t0);
    let to = head_start(row0 + t, head);
    store_rotated_back(to, t * HEAD, part_of(dq.first, e));
    if (PARTS > 1u) {
      store_rotated_back(to + 2u, t * HEAD + 2u, part_of(dq.second, e));
    }
  }
}

@compute @workgroup_size(THREADS)
fn attention_dkv(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let T = sizes.context;
  let group = wg.y;
  let group_heads = sizes.heads / sizes.groups;
  let row0 = wg.z * T;
  let j0 = wg.x * TILE + thread * 4u;
  let own_end = min(j0 + 4u, T);
  let z = gates[sizes.head_gate + group];
  var heads_end = 0u;
  if (z != 0) {
    heads_end = (group + 1u) * group_heads;
  }
  var k: FourRows;
  var v: FourRows;
  for (var j = j0; j < own_end; j++) {
    let e = unit(j - j0);
    let at = head_start(row0 + j, sizes.heads + group);
    k = plus_outer(k, e * SCALE, qkv_row(at));
    v = plus_outer(v, e * z, qkv_row(at + sizes.groups * HEAD));
  }
  var dk: FourRows;
  var dv: FourRows;
  for (var head = group * group_heads; head < heads_end; head++) {
    for (var t = wg.x * TILE; t < T; t++) {
      let at = (row0 + t) * sizes.heads + head;
      let q = qkv_row(head_start(row0 + t, head));
      let dO = dCtx_row(at * HEAD);
      let p = select(vec4f(0), exp(min(dots(k, q) - lse_in[at], vec4f(0))), j0 + STEPS <= vec4u(t));
      dv = plus_outer(dv, p, dO);
      dk = plus_outer(dk, p * (dots(v, dO) - delta[at]), q);
    }
  }
  for (var j = j0; j < own_end; j++) {
    let e = unit(j - j0);
    let to = head_start(row0 + j, sizes.heads + group);
    store_rotated_back(to, j * HEAD, part_of(dk.first, e));
    store_value(to + sizes.groups * HEAD, part_of(dv.first, e * z));
    if (PARTS > 1u) {
      store_rotated_back(to + 2u, j * HEAD + 2u, part_of(dk.second, e));
      store_value(to + sizes.groups * HEAD + 2u, part_of(dv.second, e * z));
    }
  }
}

fn store_value(to: u32, d: Part) {
  dqkv[to] = d[0];
  dqkv[to + 1u] = d[1];
  dqkv[to + HALF] = d[2];
  dqkv[to + HALF + 1u] = d[3];
}
