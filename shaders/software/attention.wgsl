// Attention for adapters that run on the CPU, for head dimensions 16 and 32: no workgroup memory, no barrier, no
// array. Formulas and shapes are those of shaders/attention.wgsl, bindings those of the files of the same names there;
// its attention_delta.wgsl serves both. This file is what attention_forward.wgsl, attention_dq.wgsl and
// attention_dkv.wgsl beside it have in common.
//
// On such adapters a barrier parks and wakes every invocation, a load is a gather, one element a lane, and
// SwiftShader keeps arrays in memory, so what counts is products a load, on named values. An invocation owns
// four rows (queries; keys with their values in dk/dv), kept with a column a value and an entry a row, and
// walks over the other side a row at a time: each vector that is loaded is used four times.
// Dispatch: (ceil(T / TILE), H or G, B) workgroups of THREADS invocations.
//
// Measured on two busy cores, processor time of a dispatch in ms, B 8, T 128, H = G = 4, dh 16: forward, dq,
// dkv (lavapipe | SwiftShader; ratios only, no GPU):
//   with barriers, one slice a row                   8.8  16.5  26.1 | 136  156  233
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

fn head_start(row: u32, head: u32) -> u32 {
  return (row * (sizes.heads + 2u * sizes.groups) + head) * HEAD;
}
