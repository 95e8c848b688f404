// SwiGLU with the gate of each intermediate unit:  act = silu(g) · u · z,  silu(g) = g · σ(g)
// (Shazeer 2020, "GLU variants"; z multiplies the up projection in Sheared LLaMA, which is the same product)
//
//   du = dAct · z · silu(g)
//   dg = dAct · z · u · σ(g) · (1 + g · (1 − σ(g)))
//   dz = Σ_rows dAct · silu(g) · u
//
// Shapes    gate_up [M, 2I], a row is g [I] then u [I] · act, dAct [M, I] · z at an element offset of the gates
// Dispatch  forward: (ceil(I / 64), ceil(M / 8)) workgroups; a thread takes one column of eight rows
//           backward: (ceil(I / 64), P) workgroups; block p handles rows p, p + P, …, a thread keeps one column's
//           sum of dz in a register and writes it once. Neighbouring threads touch neighbouring columns.
// Rejected  one thread an element of act forward: two divisions an element and four to five times the time on both
//           software adapters.
// Bindings  forward:  0 params · 1 gate_up (read) · 2 gates (read) · 3 act (read_write)
//           backward: 0 params · 1 gate_up, becomes its gradient (read_write) · 2 dAct (read) · 3 gates (read)
//                     · 4 partials (read_write)
//
// A closed unit (z = 0) still gets its dz: Taylor scores ask for it, and the sum costs nothing extra.

struct Params {
  rows: u32,
  intermediate: u32,
  // First element of this layer's gates.
  gate_offset: u32,
  // backward only: row blocks, columns of the partials and this layer's first column.
  blocks: u32,
  partial_stride: u32,
  partial_column: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@group(0) @binding(1) var<storage, read> gate_up: array<f32>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read_write> act: array<f32>;

@group(0) @binding(1) var<storage, read_write> gate_up_to_gradient: array<f32>;
@group(0) @binding(2) var<storage, read> d_act: array<f32>;
@group(0) @binding(3) var<storage, read> backward_gates: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;

const ROWS = 8u;

// Bounded below, so that exp never reaches infinity, which WGSL may assume away.
fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(min(-x, 80.0)));
}

@compute @workgroup_size(64)
fn swiglu_forward(@builtin(global_invocation_id) id: vec3u) {
  let I = params.intermediate;
  let i = id.x;
  if (i >= I) {
    return;
  }
  let z = gates[params.gate_offset + i];
  let end = min((id.y + 1u) * ROWS, params.rows);
  for (var row = id.y * ROWS; row < end; row++) {
    let g = gate_up[row * 2u * I + i];
    let u = gate_up[row * 2u * I + I + i];
    act[row * I + i] = g * sigmoid(g) * u * z;
  }
}

@compute @workgroup_size(64)
fn swiglu_backward(@builtin(global_invocation_id) id: vec3u) {
  let I = params.intermediate;
  let i = id.x;
  if (i >= I) {
    return;
  }
  let z = backward_gates[params.gate_offset + i];
  var dz = 0.0;
  for (var row = id.y; row < params.rows; row += params.blocks) {
    let at = row * 2u * I + i;
    let g = gate_up_to_gradient[at];
    let u = gate_up_to_gradient[at + I];
    let dY = d_act[row * I + i];
    let s = sigmoid(g);
    dz += dY * g * s * u;
    gate_up_to_gradient[at] = dY * z * u * s * (1.0 + g * (1.0 - s));
    gate_up_to_gradient[at + I] = dY * z * g * s;
  }
  partials[id.y * params.partial_stride + params.partial_column + i] = dz;
}
