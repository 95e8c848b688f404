// Sums the row blocks of a partial-sum matrix:  y[j] = Σ_p X[p, first + j]
//
// Shapes    X [P, C] · y at an element offset of the destination, `columns` long
// Dispatch  ceil(columns / 32) workgroups (folded) of 32 columns × 8 lanes. Lane l adds rows l, l + 8, …, then
//           lane 0 adds the eight lanes in order: the order is fixed, so the result is the same bits every time.
//           Neighbouring threads read neighbouring columns.
// Bindings  0 params · 1 X (read) · 2 destination (read_write)
//
// Lanes are there for the tall case (a bias gradient over all rows of a batch): one thread a column would
// leave a narrow matrix with a long chain of dependent loads on a handful of threads.

struct Params {
  blocks: u32,
  stride: u32,
  first_column: u32,
  columns: u32,
  destination_offset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> destination: array<f32>;

const COLUMNS = 32u;
const LANES = 8u;

var<workgroup> lane_sums: array<f32, 256>;

@compute @workgroup_size(32, 8)
fn column_sum(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let j = (wg.y * num.x + wg.x) * COLUMNS + lid.x;
  var sum = 0.0;
  if (j < params.columns) {
    for (var p = lid.y; p < params.blocks; p += LANES) {
      sum += partials[p * params.stride + params.first_column + j];
    }
  }
  lane_sums[lid.y * COLUMNS + lid.x] = sum;
  workgroupBarrier();
  if (lid.y == 0u && j < params.columns) {
    for (var lane = 1u; lane < LANES; lane++) {
      sum += lane_sums[lane * COLUMNS + lid.x];
    }
    destination[params.destination_offset + j] = sum;
  }
}
