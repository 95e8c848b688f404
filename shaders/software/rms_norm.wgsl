// RMSNorm for adapters that run on the CPU, where every invocation of a workgroup with a
// barrier is parked and woken at it: here an invocation takes whole rows alone. Formulas and shapes
// are those of shaders/rms_norm.wgsl. This file is what rms_norm_forward.wgsl and rms_norm_backward.wgsl beside it have
// in common.
// Dispatch: forward one invocation a row, gradients one a row block of the partials; THREADS a workgroup.
//
// Measured on two busy cores, processor time of a dispatch in ms, 1,024 rows of 64, 64 row blocks: forward,
// forward with a branch, gradients with a branch (lavapipe | SwiftShader; ratios only, no GPU):
//   with barriers             0.97  1.16  1.99 | 57  54  36
//   a row an invocation       0.37  0.46  1.18 | 2.2 2.3 7.5
// and at hidden 192, 1.8  2.2  5.3 | 56  64  53 against 1.0  1.4  2.9 | 5.1 7.5 14.

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> gates: array<f32>;

const THREADS = 8u;

fn index_of(wg: vec3u, num: vec3u, thread: u32) -> u32 {
  return (wg.y * num.x + wg.x) * THREADS + thread;
}

// From Σ_kept x'² and |kept|.
fn scale_of(squares: f32, kept: f32) -> f32 {
  return inverseSqrt(squares / max(1.0, kept) + sizes.epsilon);
}
