// ctx = z·Σ_j p_tj·v_j of every query and head, and the log-sum-exp of its scores: plan in attention_lanes.wgsl.
// Dispatch: (ceil(T / ROWS), H, B) workgroups.
// Bindings: 0 sizes, 1 qkv, 2 gates, 3 ctx, 4 lse

@group(0) @binding(3) var<storage, read_write> ctx: array<V>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

// Highest score and sum of each lane.
var<workgroup> lane_stats: array<vec2f, THREADS>;

@compute @workgroup_size(THREADS)
fn attention_lanes_forward(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let T = sizes.context;
  let head = wg.y;
  let group = head / (sizes.heads / sizes.groups);
  let lane = thread % LANES;
  let own = thread / LANES;
  // The longest blocks start first.
  let t0 = (num.x - 1u - wg.x) * ROWS;
  let t = min(t0 + own, T - 1u);
  let row0 = wg.z * T;
  let z = gates[sizes.head_gate + group];
  if (z == 0) {
    if (t0 + own < T) {
      let out = (row0 + t) * sizes.heads + head;
      for (var i = lane; i < HEAD; i += LANES) {
        ctx[out * HEAD + i] = V(0);
      }
      if (lane == 0u) {
        lse[out] = 0.0;
      }
    }
    return;
  }

  var q: Row;
  var o: Row;
  let from_q = head_start(row0 + t, head);
  for (var i = 0u; i < HEAD; i++) {
    q[i] = qkv[from_q + i] * SCALE;
  }
  var highest = LOWEST;
  var sum = 0.0;
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
      var p: Scores;
      var raised = highest;
      for (var u = 0u; u < AT_ONCE; u++) {
        let at = (c + u * LANES) * STRIDE;
        var s = 0.0;
        for (var i = 0u; i < HEAD; i++) {
          s += dot(q[i], staged[at + i]);
        }
        p[u] = select(LOWEST, s, j0 + c + u * LANES <= t);
        raised = max(raised, p[u]);
      }
      let shrink = exp(highest - raised);
      highest = raised;
      sum *= shrink;
      for (var u = 0u; u < AT_ONCE; u++) {
        p[u] = exp(p[u] - raised);
        sum += p[u];
      }
      for (var i = 0u; i < HEAD; i++) {
        o[i] *= shrink;
        for (var u = 0u; u < AT_ONCE; u++) {
          o[i] += p[u] * staged[SECOND + (c + u * LANES) * STRIDE + i];
        }
      }
    }
  }

  lane_stats[thread] = vec2f(highest, sum);
  workgroupBarrier();
  var row_highest = LOWEST;
  for (var l = 0u; l < sizes.lanes; l++) {
    row_highest = max(row_highest, lane_stats[own * LANES + l].x);
  }
  var row_sum = 0.0;
  for (var l = 0u; l < sizes.lanes; l++) {
    let stats = lane_stats[own * LANES + l];
    row_sum += stats.y * exp(stats.x - row_highest);
  }
  if (lane == 0u && t0 + own < T) {
    lse[(row0 + t) * sizes.heads + head] = row_highest + log(row_sum);
  }
  let factor = exp(highest - row_highest) * (z / row_sum);
  for (var i = 0u; i < HALF; i++) {
    workgroupBarrier();
    staged[thread] = o[i] * factor;
    staged[THREADS + thread] = o[i + HALF] * factor;
    workgroupBarrier();
    let r = thread % ROWS;
    let upper = thread / ROWS;
    if (upper < 2u && t0 + r < T) {
      ctx[((row0 + t0 + r) * sizes.heads + head) * HEAD + upper * HALF + i] = sum_of_lanes(upper * THREADS, r);
    }
  }
}
