// The gradients of every query, key and value, those of queries and keys rotated back: formulas in attention.wgsl,
// plan in attention_lanes.wgsl. One dispatch: neither part needs the other, and together they fill the GPU better.
// Dispatch: (ceil(T / ROWS), H + G, B) workgroups: y below H takes queries of a head, the rest keys of a group.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 table, 4 dCtx, 5 lse, 6 delta, 7 dqkv

@group(0) @binding(3) var<storage, read> table: array<V>;
@group(0) @binding(4) var<storage, read> dCtx: array<V>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dqkv: array<V>;

// Log-sum-exp and D of the staged queries.
var<workgroup> staged_stats: array<vec2f, BLOCK>;

@compute @workgroup_size(THREADS)
fn attention_lanes_backward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  if (wg.y < sizes.heads) {
    // The longest blocks start first, of both parts.
    gradient_of_queries(wg.y, (num.x - 1u - wg.x) * ROWS, wg.z * sizes.context, thread);
  } else {
    gradient_of_keys(wg.y - sizes.heads, wg.x * ROWS, wg.z * sizes.context, thread);
  }
}

// dq of rows t0 … t0 + ROWS − 1 of a head in the sequence that starts at row0.
fn gradient_of_queries(head: u32, t0: u32, row0: u32, thread: u32) {
  let T = sizes.context;
  let group = head / (sizes.heads / sizes.groups);
  let lane = thread % LANES;
  let own = thread / LANES;
  let t = min(t0 + own, T - 1u);
  let z = gates[sizes.head_gate + group];
  if (z == 0) {
    clear(head_start(row0 + t, head), lane, t0 + own < T);
    return;
  }
  var q: Row;
  var dO: Row;
  var dq: Row;
  let from_q = head_start(row0 + t, head);
  let pair = (row0 + t) * sizes.heads + head;
  for (var i = 0u; i < HEAD; i++) {
    q[i] = qkv[from_q + i] * SCALE;
    dO[i] = dCtx[pair * HEAD + i] * z;
  }
  let own_lse = lse[pair];
  let D = delta[pair];
  let end = min(T, t0 + ROWS);
  for (var j0 = 0u; j0 < end; j0 += BLOCK) {
    let count = min(BLOCK, end - j0);
    workgroupBarrier();
    for (var e = thread; e < count * HEAD; e += THREADS) {
      let c = e / HEAD;
      let i = e % HEAD;
      let k = head_start(row0 + j0 + c, sizes.heads + group) + i;
      staged[c * STRIDE + i] = qkv[k];
      staged[SECOND + c * STRIDE + i] = qkv[k + sizes.groups * HEAD];
    }
    workgroupBarrier();
    for (var c = lane; c < count && j0 + c <= t; c += 4u * LANES) {
      var s = vec4f(0);
      var dp = vec4f(0);
      for (var i = 0u; i < HEAD; i++) {
        s += four_inner(q[i], c * STRIDE + i);
        dp += four_inner(dO[i], SECOND + c * STRIDE + i);
      }
      let j = vec4u(j0 + c) + vec4u(0u, LANES, 2u * LANES, 3u * LANES);
      let p = select(vec4f(0), exp(min(s - own_lse, vec4f(0))), j <= vec4u(t));
      let ds = p * (dp - D);
      for (var i = 0u; i < HEAD; i++) {
        dq[i] += four_sum(ds, c * STRIDE + i);
      }
    }
  }
  for (var i = 0u; i < HALF; i++) {
    store_rotated_back(i, dq[i], dq[i + HALF], head, t0, row0, thread);
  }
}

// dk and dv of rows j0 … j0 + ROWS − 1 of a group in the sequence that starts at row0.
fn gradient_of_keys(group: u32, j0: u32, row0: u32, thread: u32) {
  let T = sizes.context;
  let group_heads = sizes.heads / sizes.groups;
  let lane = thread % LANES;
  let own = thread / LANES;
  let j = min(j0 + own, T - 1u);
  let from_k = head_start(row0 + j, sizes.heads + group);
  let from_v = from_k + sizes.groups * HEAD;
  let z = gates[sizes.head_gate + group];
  if (z == 0) {
    clear(from_k, lane, j0 + own < T);
    clear(from_v, lane, j0 + own < T);
    return;
  }
  var k: Row;
  var v: Row;
  var dk: Row;
  var dv: Row;
  for (var i = 0u; i < HEAD; i++) {
    k[i] = qkv[from_k + i] * SCALE;
    v[i] = qkv[from_v + i] * z;
  }
  for (var head = group * group_heads; head < (group + 1u) * group_heads; head++) {
    for (var t0 = j0; t0 < T; t0 += BLOCK) {
      let count = min(BLOCK, T - t0);
      workgroupBarrier();
      for (var e = thread; e < count * HEAD; e += THREADS) {
        let c = e / HEAD;
        let i = e % HEAD;
        staged[c * STRIDE + i] = qkv[head_start(row0 + t0 + c, head) + i];
        staged[SECOND + c * STRIDE + i] = dCtx[((row0 + t0 + c) * sizes.heads + head) * HEAD + i];
      }
      for (var c = thread; c < count; c += THREADS) {
        let pair = (row0 + t0 + c) * sizes.heads + head;
        staged_stats[c] = vec2f(lse[pair], delta[pair]);
      }
      workgroupBarrier();
      for (var c = lane; c < count; c += 4u * LANES) {
        var s = vec4f(0);
        var dp = vec4f(0);
        for (var i = 0u; i < HEAD; i++) {
          s += four_inner(k[i], c * STRIDE + i);
          dp += four_inner(v[i], SECOND + c * STRIDE + i);
        }
        let a = staged_stats[c];
        let b = staged_stats[c + LANES];
        let d = staged_stats[c + 2u * LANES];
        let e = staged_stats[c + 3u * LANES];
        let t = vec4u(t0 + c) + vec4u(0u, LANES, 2u * LANES, 3u * LANES);
        let seen = (t >= vec4u(j)) & (t < vec4u(T));
        let p = select(vec4f(0), exp(min(s - vec4f(a.x, b.x, d.x, e.x), vec4f(0))), seen);
        let ds = p * (dp - vec4f(a.y, b.y, d.y, e.y));
        for (var i = 0u; i < HEAD; i++) {
          dk[i] += four_sum(ds, c * STRIDE + i);
          dv[i] += four_sum(p, SECOND + c * STRIDE + i);
        }
      }
    }
  }
  for (var i = 0u; i < HALF; i++) {
    store_rotated_back(i, dk[i], dk[i + HALF], sizes.heads + group, j0, row0, thread);
  }
  for (var i = 0u; i < HALF; i++) {
    leave(dv[i] * z, dv[i + HALF] * z, thread);
    let r = thread % ROWS;
    let upper = thread / ROWS;
    if (upper < 2u && j0 + r < T) {
      let to = head_start(row0 + j0 + r, sizes.heads + sizes.groups + group);
      dqkv[to + upper * HALF + i] = sum_of_lanes(upper * THREADS, r);
    }
  }
}

fn clear(to: u32, lane: u32, inside: bool) {
  if (inside) {
    for (var i = lane; i < HEAD; i += LANES) {
      dqkv[to + i] = V(0);
    }
  }
}

// Two vectors of every invocation, where `sum_of_lanes` finds them.
fn leave(lower: V, upper: V, thread: u32) {
  workgroupBarrier();
  staged[thread] = lower;
  staged[THREADS + thread] = upper;
  workgroupBarrier();
}

// Adds up the lanes' parts of vectors i and i + HALF of a gradient behind RoPE, for rows from position t0 on, and
// writes them rotated back by the angles of their positions.
fn store_rotated_back(i: u32, lower: V, upper: V, head: u32, t0: u32, row0: u32, thread: u32) {
  leave(lower, upper, thread);
  let t = t0 + thread;
  if (thread < ROWS && t < sizes.context) {
    let a = sum_of_lanes(0u, thread);
    let b = sum_of_lanes(THREADS, thread);
    let cosine = table[t * HEAD + i];
    let sine = table[t * HEAD + HALF + i];
    let to = head_start(row0 + t, head) + i;
    dqkv[to] = (a * cosine + b * sine) * SCALE;
    dqkv[to + HALF] = (b * cosine - a * sine) * SCALE;
  }
}
