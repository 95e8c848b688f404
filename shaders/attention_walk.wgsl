// What the attention kernels share that walk over the other side of the sequence: see attention.wgsl.

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
  // CHUNK; a compiler that knows it unrolls the chunk loops (see attention.wgsl).
  chunk: u32,
}

const PARTS = $PARTSu;
const TILE = $TILEu;
const THREADS = TILE * PARTS;
const CHUNK = $CHUNKu;
// Vectors that an invocation owns: PER of the lower half, PER of the upper.
const PER = HALF / PARTS;
const SLICE = 2u * PER;
const SCALE = 1.0 / sqrt($HEAD_DIM.0);
// In place of −∞; exp(LOWEST − x) is 0 for every x that occurs.
const LOWEST = -1e30;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> qkv: array<V>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;

alias Slice = array<V, SLICE>;

// Where vector i of an invocation's slice lies in its head.
fn place(part: u32, i: u32) -> u32 {
  return part * PER + select(i, i + HALF - PER, i >= PER);
}

// First vector of a head in a row of qkv: query heads 0 … H−1, key heads from H, value heads from H + G.
fn head_start(row: u32, head: u32) -> u32 {
  return (row * (sizes.heads + 2u * sizes.groups) + head) * HEAD;
}

// Each invocation's part of the dot products of CHUNK rows, read through `whole` behind a barrier.
var<workgroup> exchanged: array<vec2f, CHUNK * THREADS>;

fn share(c: u32, part: u32, lane: u32, value: vec2f) {
  exchanged[(c * PARTS + part) * TILE + lane] = value;
}

// The sum over the slices of a row.
fn whole(c: u32, lane: u32) -> vec2f {
  var sum = vec2f(0);
  for (var part = 0u; part < PARTS; part++) {
    sum += exchanged[(c * PARTS + part) * TILE + lane];
  }
  return sum;
}

fn barrier_between_slices() {
  if (PARTS > 1u) {
    workgroupBarrier();
  }
}
