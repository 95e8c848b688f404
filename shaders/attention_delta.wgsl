// D of every query and head, which dq and dk/dv subtract, and the gradients of the head gates: formulas in attention.wgsl.
// Dispatch: one workgroup of 64 a row block of the partials. Workgroup memory: 2.5 KiB.
// Bindings: 0 sizes, 1 gates, 2 ctx, 3 dCtx, 4 delta, 5 partials

struct Sizes {
  // B·T
  rows: u32,
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
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> gates: array<f32>;
@group(0) @binding(2) var<storage, read> ctx: array<V>;
@group(0) @binding(3) var<storage, read> dCtx: array<V>;
@group(0) @binding(4) var<storage, read_write> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> partials: array<f32>;

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
        if (i < own_rows && gates[sizes.head_gate + head / group_heads] != 0) {
          let at = ((wg.x + i * sizes.blocks) * H + head) * HEAD;
          for (var v = thread % LANES; v < HEAD; v += LANES) {
            D += inner(ctx[at + v], dCtx[at + v]);
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
        delta[(wg.x + i * sizes.blocks) * H + h0 + thread % heads] = D;
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
      let z = gates[sizes.head_gate + group];
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
    if (gates[sizes.head_gate + i % H / group_heads] != 0) {
      for (var v = at * HEAD; v < at * HEAD + HEAD; v++) {
        D += inner(ctx[v], dCtx[v]);
      }
    }
    delta[at] = D;
  }
  storageBarrier();
  for (var group = thread; group < sizes.groups; group += 64u) {
    var sum = 0.0;
    for (var i = 0u; i < own_rows; i++) {
      for (var h = 0u; h < group_heads; h++) {
        sum += delta[(wg.x + i * sizes.blocks) * H + group * group_heads + h];
      }
    }
    let z = gates[sizes.head_gate + group];
    // The divisor is never 0, also where the quotient is not used.
    partials[wg.x * sizes.columns + sizes.head_gate_column + group] =
      select(0.0, sum / select(1.0, z, z != 0), z != 0);
  }
}
