// The gradient of every query, rotated back: formulas and plan in attention.wgsl.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 table, 4 dCtx, 5 lse, 6 delta, 7 dqkv

@compute @workgroup_size(THREADS)
fn attention_dq(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let T = sizes.context;
  let head = wg.y;
  let group = head / (sizes.heads / sizes.groups);
  let part = thread / TILE;
  let lane = thread % TILE;
  let t0 = (num.x - 1u - wg.x) * TILE;
  let t = t0 + lane;
  let row0 = wg.z * T;
  let row = row0 + min(t, T - 1u);
  let from_q = head_start(row, head);
  let z = gates[sizes.head_gate + group];
  if (z == 0) {
    if (t < T) {
      for (var i = 0u; i < SLICE; i++) {
        dqkv[from_q + place(part, i)] = V(0);
      }
    }
    return;
  }

  var q: Slice;
  var dO: Slice;
  var dq: Slice;
  let from_o = (row * sizes.heads + head) * HEAD;
  for (var i = 0u; i < SLICE; i++) {
    q[i] = qkv[from_q + place(part, i)] * SCALE;
    dO[i] = dCtx[from_o + place(part, i)] * z;
  }
  let own_lse = lse[row * sizes.heads + head];
  let D = delta[row * sizes.heads + head];
  let end = min(T, t0 + TILE);
  for (var j0 = 0u; j0 < end; j0 += CHUNK) {
    let count = min(sizes.chunk, end - j0);
    for (var c = 0u; c < count; c++) {
      let j = row0 + j0 + c;
      let k = head_start(j, sizes.heads + group);
      let v = k + sizes.groups * HEAD;
      // s, and dO·v
      var dots = vec2f(0);
      for (var i = 0u; i < SLICE; i++) {
        dots += vec2f(inner(q[i], qkv[k + place(part, i)]), inner(dO[i], qkv[v + place(part, i)]));
      }
      share(c, part, lane, dots);
    }
    barrier_between_slices();
    for (var c = 0u; c < count; c++) {
      let k = head_start(row0 + j0 + c, sizes.heads + group);
      let dots = whole(c, lane);
      let p = select(0.0, exp(min(dots.x - own_lse, 0.0)), j0 + c <= t);
      let ds = p * (dots.y - D);
      for (var i = 0u; i < SLICE; i++) {
        dq[i] += ds * qkv[k + place(part, i)];
      }
    }
    barrier_between_slices();
  }
  if (t < T) {
    store_rotated_back(from_q, t, part, &dq);
  }
}
