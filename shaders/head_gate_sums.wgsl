// The gradient of every layer's head gates from the D that the attention gradients left (attention.wgsl):
//
//   dz[l, g] = Σ_rows Σ_{heads of g} D[l, row, head] / z[l, g],   0 where z = 0
//
// Shapes    D [L, rows, H], layers `stride` elements apart · z, dz [L, G] at element offsets of their buffers
// Dispatch  (G, L) workgroups of 256 threads, a tree at the end: one dispatch for all layers
// Bindings  0 params · 1 D (read) · 2 gates (read) · 3 sums (read_write)

struct Params {
  rows: u32,
  heads: u32,
  groups: u32,
  stride: u32,
  head_gate: u32,
  to: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> delta: array<f32>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

const THREADS = 256u;

var<workgroup> thread_sums: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn head_gate_sums(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let group_heads = params.heads / params.groups;
  let at = wg.y * params.groups + wg.x;
  let z = gates[params.head_gate + at];
  if (z == 0) {
    if (thread == 0u) {
      sums[params.to + at] = 0.0;
    }
    return;
  }
  var sum = 0.0;
  for (var i = thread; i < params.rows * group_heads; i += THREADS) {
    let head = wg.x * group_heads + i % group_heads;
    sum += delta[wg.y * params.stride + i / group_heads * params.heads + head];
  }
  thread_sums[thread] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      thread_sums[thread] += thread_sums[thread + half];
    }
  }
  if (thread == 0u) {
    sums[params.to + at] = thread_sums[0] / z;
  }
}
