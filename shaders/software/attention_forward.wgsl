// The forward pass of attention.wgsl beside this file.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 ctx, 4 lse

@group(0) @binding(3) var<storage, read_write> ctx: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

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
