// Rank of each row's target among all tokens, for greedy exact match:
//
//   rank_r = #{v : x[r, v] > x[r, y_r]  or  (x[r, v] = x[r, y_r] and v < y_r)}
//
// so 0 says that greedy decoding, which takes the first of equal logits, would have written the target.
//
// Shapes    logits [R, V] · targets [R] (a target ≥ V, canonically 0xFFFFFFFF, is ignored: rank 0) · ranks [R], u32
// Dispatch  target_rank: R workgroups (folded) of 256 threads, one a row; each thread counts over a stride of the
//           row, and the counts meet in one workgroup atomic, whose sum of integers has no order.
//           target_rank_row, for software adapters: one thread a row in workgroups of 4, no barrier.
// Bindings  0 params · 1 logits (read) · 2 targets (read) · 3 ranks (read_write)

struct Params {
  rows: u32,
  vocabulary: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> ranks: array<u32>;

const THREADS = 256u;

var<workgroup> total: atomic<u32>;

// How many of the tokens first, first + stride, … stand before the row's target.
fn count_before(row: u32, first: u32, stride: u32) -> u32 {
  let V = params.vocabulary;
  let y = targets[row];
  if (y >= V) {
    return 0u;
  }
  let base = row * V;
  let target_logit = logits[base + y];
  var count = 0u;
  for (var v = first; v < V; v += stride) {
    let x = logits[base + v];
    count += u32(x > target_logit || (x == target_logit && v < y));
  }
  return count;
}

@compute @workgroup_size(4)
fn target_rank_row(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (wg.y * num.x + wg.x) * 4u + lane;
  if (row < params.rows) {
    ranks[row] = count_before(row, 0u, 1u);
  }
}

@compute @workgroup_size(256)
fn target_rank(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = wg.y * num.x + wg.x;
  if (row >= params.rows) {
    return;
  }
  atomicAdd(&total, count_before(row, lane, THREADS));
  workgroupBarrier();
  if (lane == 0u) {
    ranks[row] = atomicLoad(&total);
  }
}
