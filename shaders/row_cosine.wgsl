// The cosine of each row of A with the same row of B: what Block Influence is the mean of.
//
//   y[i] = (a_i · b_i) / max(|a_i|·|b_i|, 1e-8)
//
// Shapes    A, B [M, C] · Y at an element offset of the destination, [M]
// Dispatch  one thread a row, ceil(M / 64) workgroups. Four running sums a product, so that no chain of additions
//           is longer than C / 4: a cosine near 1 is subtracted from 1 afterwards.
// Bindings  0 params · 1 A (read) · 2 B (read) · 3 destination (read_write)

struct Params {
  rows: u32,
  columns: u32,
  destination_offset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> destination: array<f32>;

@compute @workgroup_size(64)
fn row_cosine(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wg.x * 64u + lane;
  if (row >= params.rows) {
    return;
  }
  let start = row * params.columns;
  var ab = vec4f(0.0);
  var aa = vec4f(0.0);
  var bb = vec4f(0.0);
  for (var j = 0u; j < params.columns; j++) {
    let x = a[start + j];
    let y = b[start + j];
    let k = j % 4u;
    ab[k] += x * y;
    aa[k] += x * x;
    bb[k] += y * y;
  }
  let one = vec4f(1.0);
  let lengths = sqrt(dot(aa, one)) * sqrt(dot(bb, one));
  destination[params.destination_offset + row] = dot(ab, one) / max(lengths, 1e-8);
}
