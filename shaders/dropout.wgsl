// Inverted dropout over a run of elements (Srivastava et al. 2014, as PyTorch's nn.Dropout trains):
//
//   y[i] (+)= x[i] / (1 − p) where element i is kept, 0 where it is dropped (with probability p)
//
// With the same site and step it is its own gradient: dx (+)= dy / (1 − p) where kept. The mask is held nowhere: it is
// a pure function of (seed, step, site, i), the first word of threefry.wgsl below p·2³² with key (seed_low,
// seed_high + (site + 1)·2²¹) and counter (i, step). A seed is below 2⁵³, so the sites' keys differ from each other
// and from the gates' (hard_concrete.wgsl), which is that of "site −1".
//
// Shapes    x, y [elements]: two buffers
// Dispatch  one thread an element, ceil(elements / 256) workgroups (folded)
// Bindings  0 params · 1 step inputs (uniform) · 2 x (read) · 3 y (read_write)

struct Params {
  elements: u32,
  site: u32,
  // p·2³²
  threshold: u32,
  accumulate: u32,
  // 1 / (1 − p)
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepInputs;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn dropout(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (wg.y * num.x + wg.x) * 256u + lane;
  if (i >= params.elements) {
    return;
  }
  let key = vec2u(step.seed_low, step.seed_high + ((params.site + 1u) << 21u));
  let kept = threefry(key, vec2u(i, step.step)).x >= params.threshold;
  var value = select(0.0, params.scale * x[i], kept);
  if (params.accumulate != 0u) {
    value += y[i];
  }
  y[i] = value;
}
