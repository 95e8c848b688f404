// The gradients of every key, rotated back, and of its value.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 table, 4 dCtx, 5 lse, 6 delta, 7 dqkv

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
      let p = select(vec4f(0), exp(min(dots(k, q) - lse[at], vec4f(0))), j0 + STEPS <= vec4u(t));
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
