// Causal grouped-query attention with head gates, forward and gradients, without the T×T matrix in memory.
//
//   s_tj = q_t·k_j/√dh (j ≤ t),  lse_t = ln Σ_j exp(s_tj),  p_tj = exp(s_tj − lse_t)
//   o_t  = Σ_j p_tj·v_j,         ctx_t = z·o_t        (z: the gate of the head's key/value group)
//
// With dO = z·dCtx and D_t = Σ dO·o = Σ dCtx·ctx:
//   dv_j = Σ_t p_tj·dO_t         ds_tj = p_tj·(dO_t·v_j − D_t)
//   dq_t = Σ_j ds_tj·k_j/√dh     dk_j  = Σ_t ds_tj·q_t/√dh      dz = Σ dCtx·o = Σ D/z  (0 where z = 0)
// dq and dk leave rotated back by RoPE's inverse, so dqkv is the gradient of the plain QKV product.
//
// qkv, dqkv [B·T, (H + 2G)·dh]: H query heads, G key heads, G value heads; ctx, dCtx [B·T, H·dh];
// lse, delta [B·T, H]; table [T, dh] (cosines, sines); dh even, at most 128, the only compile-time size.
//
// The three large kernels share one plan. An invocation owns one row (a query; a key and its value in
// dk/dv) or one of PARTS slices of it, dh/PARTS values kept in registers, and walks over the other side
// CHUNK rows at a time. All invocations of a slice read the same address, so the walk is a broadcast.
// Slices of a row exchange their parts of the dot products through workgroup memory; with PARTS = 1 there is
// no exchange and no barrier. A slice holds matching pieces of both halves of dh, so that the inverse
// rotation stays inside an invocation.
// Dispatch: (ceil(T / TILE), H or G, B) workgroups of TILE·PARTS invocations; the two forms of attention_delta:
// one workgroup of 64 a row block of the partials.
// Workgroup memory: CHUNK·PARTS·TILE·8 bytes, 16 KiB at most; attention_delta 2.5 KiB. Storage buffers: at most 7.
// The chunk comes as a uniform too, so that no compiler can unroll the chunk loops: unrolled, lavapipe took 8 to
// 34 s of processor time a pipeline (1.0 to 1.3 s as it is), and ran no faster.
// A head whose gate is 0 writes zeros and does no other work.
//
// Bindings: 0 sizes, then
//   forward 1 qkv, 2 gates, 3 ctx, 4 lse
//   delta   1 gates, 2 ctx, 3 dCtx, 4 delta, 5 partials
//   dq, dkv 1 qkv, 2 gates, 3 table, 4 dCtx, 5 lse, 6 delta, 7 dqkv

struct Sizes {
  // B·T
  rows: u32,
  // T
  context: u32,
  // H
  heads: u32,
  // G
  groups: u32,
  // Element of `gates` where this layer's G gates start.
  head_gate: u32,
  // Row blocks, columns and this layer's first column of the partials.
  blocks: u32,
  columns: u32,
  head_gate_column: u32,
  // CHUNK; a compiler that knows it unrolls the chunk loops (see above).
  chunk: u32,
}

// The widest vector that divides half a head.
alias V = $VECTOR;

const WIDTH = $WIDTHu;
const HALF = $HEAD_DIMu / 2u / WIDTH;
const HEAD = 2u * HALF;
const PARTS = $PARTSu;
const TILE = $TILEu;
const THREADS = TILE * PARTS;
const CHUNK = $CHUNKu;
// Vectors that an invocation owns: PER of the lower half, PER of the upper.
const PER = HALF / PARTS;
const SLICE = 2u * PER;
const SCALE = 1.0 / sqrt($HEAD_DIM.0);
// In place of −∞; exp(LOWEST − x) is 0 for every x that occurs.
const LOWEST = -1e30;

@group(0) @binding(0) var<uniform> sizes: Sizes;

@group(0) @binding(1) var<storage, read> qkv: array<V>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read_write> ctx: array<V>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

@group(0) @binding(1) var<storage, read> delta_gates: array<f32>;
@group(0) @binding(2) var<storage, read> delta_ctx: array<V>;
@group(0) @binding(3) var<storage, read> delta_dCtx: array<V>;
@group(0) @binding(4) var<storage, read_write> delta_out: array<f32>;
@group(0) @binding(5) var<storage, read_write> partials: array<f32>;

@group(0) @binding(3) var<storage, read> table: array<V>;
@group(0) @binding(4) var<storage, read> dCtx: array<V>;
@group(0) @binding(5) var<storage, read> lse_in: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dqkv: array<V>;

alias Slice = array<V, SLICE>;

fn inner(a: V, b: V) -> f32 {
  return $INNER;
}

// Where vector i of an invocation's slice lies in its head.
fn place(part: u32, i: u32) -> u32 {
  return part * PER + select(i, i + HALF - PER, i >= PER);
}

// First vector of a head in a row of qkv: query heads 0 … H−1, key heads from H, value heads from H + G.
fn head_start(row: u32, head: u32) -> u32 {
  return (row * (sizes.heads + 2u * sizes.groups) + head) * HEAD;
}

// Each invocation's part of the dot products of CHUNK rows, read through `whole` behind a barrier.
var<workgroup> exchanged: array<vec2f, CHUNK * THREADS>;

fn share(c: u32, part: u32, lane: u32, value: vec2f) {
  exchanged[(c * PARTS + part) * TILE + lane] = value;
}

// The sum over the slices of a row.
fn whole(c: u32, lane: u32) -> vec2f {
  var sum = vec2f(0);
  for (var part = 0u; part < PARTS; part++) {
    sum += exchanged[(c * PARTS + part) * TILE + lane];
  }
  return sum;
}

fn barrier_between_slices() {
  if (PARTS > 1u) {
    workgroupBarrier();
  }
}

// ---- forward

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

// ---- gradients

// D of the heads that a workgroup has at hand: LANES parts each, one word of padding against bank conflicts.
const DELTA_THREADS = 64u;
const LANES = 8u;
const LANES_STRIDE = LANES + 1u;
var<workgroup> lane_parts: array<f32, DELTA_THREADS * LANES_STRIDE>;
var<workgroup> slot_sums: array<f32, DELTA_THREADS>;

// delta [rows, H] = D, and this row block's sums of D/z, one a group. At a time the workgroup takes up to 64
// (row, head) pairs, the slots. First LANES neighbouring invocations share a pair, so that a load is coalesced;
// then each invocation adds up the parts of one pair. Its head stays the same over all rows, so the sum over
// rows stays in a register.
@compute @workgroup_size(DELTA_THREADS)
fn attention_delta(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let H = sizes.heads;
  let group_heads = H / sizes.groups;
  let own_rows = (sizes.rows + sizes.blocks - 1u - wg.x) / sizes.blocks;
  // More than 64 heads are taken 64 at a time.
  for (var h0 = 0u; h0 < H; h0 += DELTA_THREADS) {
    let heads = min(H - h0, DELTA_THREADS);
    let rows_at_once = DELTA_THREADS / heads;
    let slots = rows_at_once * heads;
    var own_sum = 0.0;
    for (var i0 = 0u; i0 < own_rows; i0 += rows_at_once) {
      for (var s = thread / LANES; s < slots; s += DELTA_THREADS / LANES) {
        let i = i0 + s / heads;
        let head = h0 + s % heads;
        var D = 0.0;
        if (i < own_rows && delta_gates[sizes.head_gate + head / group_heads] != 0) {
          let at = ((wg.x + i * sizes.blocks) * H + head) * HEAD;
          for (var v = thread % LANES; v < HEAD; v += LANES) {
            D += inner(delta_ctx[at + v], delta_dCtx[at + v]);
          }
        }
        lane_parts[s * LANES_STRIDE + thread % LANES] = D;
      }
      workgroupBarrier();
      let i = i0 + thread / heads;
      if (thread < slots && i < own_rows) {
        var D = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
          D += lane_parts[thread * LANES_STRIDE + lane];
        }
        delta_out[(wg.x + i * sizes.blocks) * H + h0 + thread % heads] = D;
        own_sum += D;
      }
      workgroupBarrier();
    }
    slot_sums[thread] = own_sum;
    workgroupBarrier();
    for (var group = thread; group < sizes.groups; group += DELTA_THREADS) {
      // The group's heads among those at hand.
      let first = max(group * group_heads, h0) - h0;
      let end = min(max((group + 1u) * group_heads, h0) - h0, heads);
      var sum = 0.0;
      for (var i = 0u; i < rows_at_once; i++) {
        for (var h = first; h < end; h++) {
          sum += slot_sums[i * heads + h];
        }
      }
      let z = delta_gates[sizes.head_gate + group];
      // The divisor is never 0, also where the quotient is not used.
      let share = select(0.0, sum / select(1.0, z, z != 0), z != 0);
      let to = wg.x * sizes.columns + sizes.head_gate_column + group;
      if (h0 == 0u) {
        partials[to] = share;
      } else {
        partials[to] += share;
      }
    }
    workgroupBarrier();
  }
}

// attention_delta for adapters that run on the CPU: an invocation takes whole pairs, and one barrier is all. At
// 2,048 rows of 4 heads of 16, processor time on lavapipe is a fifth of attention_delta's.
@compute @workgroup_size(64)
fn attention_delta_serial(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let H = sizes.heads;
  let group_heads = H / sizes.groups;
  let own_rows = (sizes.rows + sizes.blocks - 1u - wg.x) / sizes.blocks;
  for (var i = thread; i < own_rows * H; i += 64u) {
    let at = (wg.x + i / H * sizes.blocks) * H + i % H;
    var D = 0.0;
    if (delta_gates[sizes.head_gate + i % H / group_heads] != 0) {
      for (var v = at * HEAD; v < at * HEAD + HEAD; v++) {
        D += inner(delta_ctx[v], delta_dCtx[v]);
      }
    }
    delta_out[at] = D;
  }
  storageBarrier();
  for (var group = thread; group < sizes.groups; group += 64u) {
    var sum = 0.0;
    for (var i = 0u; i < own_rows; i++) {
      for (var h = 0u; h < group_heads; h++) {
        sum += delta_out[(wg.x + i * sizes.blocks) * H + group * group_heads + h];
      }
    }
    let z = delta_gates[sizes.head_gate + group];
    // The divisor is never 0, also where the quotient is not used.
    partials[wg.x * sizes.columns + sizes.head_gate_column + group] =
      select(0.0, sum / select(1.0, z, z != 0), z != 0);
  }
}

// Writes a gradient that was taken behind RoPE, rotated back by the angles of position t.
fn store_rotated_back(to: u32, t: u32, part: u32, d: ptr<function, Slice>) {
  for (var i = 0u; i < PER; i++) {
    let at = part * PER + i;
    let cosine = table[t * HEAD + at];
    let sine = table[t * HEAD + HALF + at];
    let a = (*d)[i];
    let b = (*d)[i + PER];
    dqkv[to + at] = (a * cosine + b * sine) * SCALE;
    dqkv[to + HALF + at] = (b * cosine - a * sine) * SCALE;
  }
}

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
  let own_lse = lse_in[row * sizes.heads + head];
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
        let p = select(0.0, exp(min(dots.x - lse_in[o], 0.0)), j <= t0 + c);
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
