// The gradient of every query, rotated back.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 table, 4 dCtx, 5 lse, 6 delta, 7 dqkv

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
    own_lse += e * lse[at];
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
