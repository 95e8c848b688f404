// ctx = z·Σ_j p_tj·v_j of every query and head, and the log-sum-exp of its scores: formulas and plan in attention.wgsl.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 ctx, 4 lse

@group(0) @binding(3) var<storage, read_write> ctx: array<V>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

@compute @workgroup_size(THREADS)
fn attention_forward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let T = sizes.context;
  let head = wg.y;
  let group = head / (sizes.heads / sizes.groups);
  let part = thread / TILE;
  let lane = thread % TILE;
  // The longest tiles start first.
  let t0 = (num.x - 1u - wg.x) * TILE;
  let t = t0 + lane;
  let row0 = wg.z * T;
  let row = row0 + min(t, T - 1u);
  let out = (row * sizes.heads + head) * HEAD;
  let z = gates[sizes.head_gate + group];
  if (z == 0) {
    if (t < T) {
      for (var i = 0u; i < SLICE; i++) {
        ctx[out + place(part, i)] = V(0);
      }
      if (part == 0u) {
        lse[row * sizes.heads + head] = 0.0;
      }
    }
    return;
  }

  var q: Slice;
  var o: Slice;
  let from_q = head_start(row, head);
  for (var i = 0u; i < SLICE; i++) {
    q[i] = qkv[from_q + place(part, i)] * SCALE;
  }
  var highest = LOWEST;
  var sum = 0.0;
  let end = min(T, t0 + TILE);
  for (var j0 = 0u; j0 < end; j0 += CHUNK) {
    let count = min(sizes.chunk, end - j0);
    for (var c = 0u; c < count; c++) {
      let k = head_start(row0 + j0 + c, sizes.heads + group);
      var dot_part = 0.0;
      for (var i = 0u; i < SLICE; i++) {
        dot_part += inner(q[i], qkv[k + place(part, i)]);
      }
      share(c, part, lane, vec2f(dot_part, 0));
    }
    barrier_between_slices();
    var raised = highest;
    for (var c = 0u; c < count; c++) {
      raised = max(raised, select(LOWEST, whole(c, lane).x, j0 + c <= t));
    }
    let shrink = exp(highest - raised);
    highest = raised;
    sum *= shrink;
    for (var i = 0u; i < SLICE; i++) {
      o[i] *= shrink;
    }
    for (var c = 0u; c < count; c++) {
      let p = select(0.0, exp(min(whole(c, lane).x - highest, 0.0)), j0 + c <= t);
      sum += p;
      let v = head_start(row0 + j0 + c, sizes.heads + sizes.groups + group);
      for (var i = 0u; i < SLICE; i++) {
        o[i] += p * qkv[v + place(part, i)];
      }
    }
    barrier_between_slices();
  }
  if (t < T) {
    for (var i = 0u; i < SLICE; i++) {
      ctx[out + place(part, i)] = o[i] * (z / sum);
    }
    if (part == 0u) {
      lse[row * sizes.heads + head] = highest + log(sum);
    }
  }
}
