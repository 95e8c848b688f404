// The gradients of every query, key and value, those of queries and keys rotated back: formulas in attention.wgsl,
// plan in attention_lanes.wgsl. One dispatch: neither part needs the other, and together they fill the GPU better.
// Dispatch: (ceil(T / ROWS), H + G, B) workgroups: y below H takes queries of a head, the rest keys of a group.
// D is taken on the way: a query's own lanes have it for dq and write it, dk/dv take it of the queries they stage.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 table, 4 ctx, 5 dCtx, 6 lse, 7 delta, 8 dqkv

@group(0) @binding(3) var<storage, read> table: array<V>;
@group(0) @binding(4) var<storage, read> ctx: array<V>;
@group(0) @binding(5) var<storage, read> dCtx: array<V>;
@group(0) @binding(6) var<storage, read> lse: array<f32>;
@group(0) @binding(7) var<storage, read_write> delta: array<f32>;
@group(0) @binding(8) var<storage, read_write> dqkv: array<V>;

// Whether staged rows are kept in registers between the scores and the sums.
const KEEP = $KEEP;

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
  let D = delta_of(pair);
  if (lane == 0u && t0 + own < T) {
    delta[pair] = D;
  }
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
    for (var c = lane; c < count && j0 + c <= t; c += AT_ONCE * LANES) {
      var k: Rows;
      var ds: Scores;
      for (var u = 0u; u < AT_ONCE; u++) {
        let at = (c + u * LANES) * STRIDE;
        var s = 0.0;
        var dp = 0.0;
        for (var i = 0u; i < HEAD; i++) {
          let k_i = staged[at + i];
          if (KEEP) {
            k[u * HEAD + i] = k_i;
          }
          s += dot(q[i], k_i);
          dp += dot(dO[i], staged[SECOND + at + i]);
        }
        ds[u] = select(0.0, exp(min(s - own_lse, 0.0)) * (dp - D), j0 + c + u * LANES <= t);
      }
      for (var u = 0u; u < AT_ONCE; u++) {
        for (var i = 0u; i < HEAD; i++) {
          if (KEEP) {
            dq[i] += ds[u] * k[u * HEAD + i];
          } else {
            dq[i] += ds[u] * staged[(c + u * LANES) * STRIDE + i];
          }
        }
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
        staged_stats[c] = vec2f(lse[pair], delta_of(pair));
      }
      workgroupBarrier();
      for (var c = lane; c < count; c += AT_ONCE * LANES) {
        var q: Rows;
        var dO: Rows;
        var p: Scores;
        var ds: Scores;
        for (var u = 0u; u < AT_ONCE; u++) {
          let at = (c + u * LANES) * STRIDE;
          let stats = staged_stats[c + u * LANES];
          let t = t0 + c + u * LANES;
          var s = 0.0;
          var dp = 0.0;
          for (var i = 0u; i < HEAD; i++) {
            let q_i = staged[at + i];
            let dO_i = staged[SECOND + at + i];
            if (KEEP) {
              q[u * HEAD + i] = q_i;
              dO[u * HEAD + i] = dO_i;
            }
            s += dot(k[i], q_i);
            dp += dot(v[i], dO_i);
          }
          p[u] = select(0.0, exp(min(s - stats.x, 0.0)), t >= j && t < T);
          ds[u] = p[u] * (dp - stats.y);
        }
        for (var u = 0u; u < AT_ONCE; u++) {
          for (var i = 0u; i < HEAD; i++) {
            if (KEEP) {
              dk[i] += ds[u] * q[u * HEAD + i];
              dv[i] += p[u] * dO[u * HEAD + i];
            } else {
              let at = (c + u * LANES) * STRIDE + i;
              dk[i] += ds[u] * staged[at];
              dv[i] += p[u] * staged[SECOND + at];
            }
          }
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

// D of a query and head.
fn delta_of(pair: u32) -> f32 {
  var D = 0.0;
  for (var i = 0u; i < HEAD; i++) {
    D += dot(ctx[pair * HEAD + i], dCtx[pair * HEAD + i]);
  }
  return D;
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
