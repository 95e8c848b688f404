// Attention for GPUs at head dimensions whose rows fit in registers: LANES neighbouring invocations share a row
// (a query; a key and its value in dk/dv), each with the whole row in registers, and split the other side among
// them, so that a short sequence still makes thousands of invocations with short loops. The other side is staged
// in workgroup memory, BLOCK rows at a time, one vector of padding a row against bank conflicts; a lane takes AT_ONCE
// rows together, which are as many independent chains. What the gradients need of them twice they KEEP in registers
// where heads are short enough: reads of workgroup memory are what binds. At the end the lanes' sums are added in a fixed order.
// Formulas in attention.wgsl. Dispatch: workgroups of ROWS·LANES invocations over ROWS rows of one head and sequence.
// Workgroup memory: 16 KiB at most. Storage buffers: 4 and 8.
// A head whose gate is 0 writes zeros and does no other work.

struct Sizes {
  // T
  context: u32,
  // H
  heads: u32,
  // G
  groups: u32,
  // Element of `gates` where this layer's G gates start.
  head_gate: u32,
  // LANES; a compiler that knows it unrolls the sums over lanes, which takes lavapipe minutes.
  lanes: u32,
}

const LANES = $LANESu;
const ROWS = $ROWSu;
const THREADS = LANES * ROWS;
const AT_ONCE = $AT_ONCEu;
// A multiple of AT_ONCE·LANES.
const BLOCK = $BLOCKu;
const STRIDE = HEAD + 1u;
// Where the second staged tensor starts.
const SECOND = BLOCK * STRIDE;
const SCALE = 1.0 / sqrt($HEAD_DIM.0);
// In place of −∞; exp(LOWEST − x) is 0 for every x that occurs.
const LOWEST = -1e30;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> qkv: array<V>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;

alias Row = array<V, HEAD>;
alias Rows = array<V, AT_ONCE * HEAD>;
alias Scores = array<f32, AT_ONCE>;

// Two tensors of BLOCK rows; two vectors an invocation when lanes are added.
var<workgroup> staged: array<V, $STAGED>;

// First vector of a head in a row of qkv: query heads 0 … H−1, key heads from H, value heads from H + G.
fn head_start(row: u32, head: u32) -> u32 {
  return (row * (sizes.heads + 2u * sizes.groups) + head) * HEAD;
}

// The lanes' sum for row r, of the vectors that invocations left at staged[first + thread]. Neighbouring rows start
// at different lanes, so that they read different banks.
fn sum_of_lanes(first: u32, r: u32) -> V {
  var sum = V(0);
  for (var l = 0u; l < sizes.lanes; l++) {
    sum += staged[first + r * LANES + (l + r) % LANES];
  }
  return sum;
}
