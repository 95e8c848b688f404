// D of every query and head, where a kernel does not take it itself: formulas in attention.wgsl.
// Dispatch: an invocation a query and head, 64 a workgroup (folded).
// Bindings: 0 sizes, 1 ctx, 2 dCtx, 3 delta

struct Sizes {
  // B·T·H
  pairs: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> ctx: array<V>;
@group(0) @binding(2) var<storage, read> dCtx: array<V>;
@group(0) @binding(3) var<storage, read_write> delta: array<f32>;

@compute @workgroup_size(64)
fn attention_delta(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let pair = (wg.y * num.x + wg.x) * 64u + thread;
  if (pair >= sizes.pairs) {
    return;
  }
  var D = 0.0;
  for (var i = pair * HEAD; i < pair * HEAD + HEAD; i++) {
    D += inner(ctx[i], dCtx[i]);
  }
  delta[pair] = D;
}
