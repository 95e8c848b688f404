// The gradients of every key, rotated back, and of its value: formulas and plan in attention.wgsl.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 table, 4 dCtx, 5 lse, 6 delta, 7 dqkv

@compute @workgroup_size(THREADS)
fn attention_dkv(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let T = sizes.context;
  let group = wg.y;
  let group_heads = sizes.heads / sizes.groups;
  let part = thread / TILE;
  let lane = thread % TILE;
  let j0 = wg.x * TILE;
  let j = j0 + lane;
  let row0 = wg.z * T;
  let row = row0 + min(j, T - 1u);
  let from_k = head_start(row, sizes.heads + group);
  let from_v = from_k + sizes.groups * HEAD;
  let z = gates[sizes.head_gate + group];
  if (z == 0) {
    if (j < T) {
      for (var i = 0u; i < SLICE; i++) {
        dqkv[from_k + place(part, i)] = V(0);
        dqkv[from_v + place(part, i)] = V(0);
      }
    }
    return;
  }

  var k: Slice;
  var v: Slice;
  var dk: Slice;
  var dv: Slice;
  for (var i = 0u; i < SLICE; i++) {
    k[i] = qkv[from_k + place(part, i)] * SCALE;
    v[i] = qkv[from_v + place(part, i)] * z;
  }
  for (var head = group * group_heads; head < (group + 1u) * group_heads; head++) {
    for (var t0 = j0; t0 < T; t0 += CHUNK) {
      let count = min(sizes.chunk, T - t0);
      for (var c = 0u; c < count; c++) {
        let query = row0 + t0 + c;
        let q = head_start(query, head);
        let o = (query * sizes.heads + head) * HEAD;
        // s, and dO·v
        var dots = vec2f(0);
        for (var i = 0u; i < SLICE; i++) {
          dots += vec2f(inner(k[i], qkv[q + place(part, i)]), inner(v[i], dCtx[o + place(part, i)]));
        }
        share(c, part, lane, dots);
      }
      barrier_between_slices();
      for (var c = 0u; c < count; c++) {
        let query = row0 + t0 + c;
        let q = head_start(query, head);
        let o = query * sizes.heads + head;
        let dots = whole(c, lane);
        let p = select(0.0, exp(min(dots.x - lse[o], 0.0)), j <= t0 + c);
        let ds = p * (dots.y - delta[o]);
        for (var i = 0u; i < SLICE; i++) {
          dv[i] += p * dCtx[o * HEAD + place(part, i)];
          dk[i] += ds * qkv[q + place(part, i)];
        }
      }
      barrier_between_slices();
    }
  }
  if (j < T) {
    store_rotated_back(from_k, j, part, &dk);
    for (var i = 0u; i < SLICE; i++) {
      dqkv[from_v + place(part, i)] = dv[i] * z;
    }
  }
}
