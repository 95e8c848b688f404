// The sums over slices of up to four products whose k was split, in one dispatch:  y_e[j] = Σ_s X_e[s, j]
//
// Shapes    X_e [slices_e, columns_e] at an element offset of one buffer, y_e at one of another
// Dispatch  64 threads a workgroup, one thread a column; each product's columns start at a workgroup of their own
//           (folded). Slices are added in order, four loads at a time, so the bits are always the same.
// Bindings  0 params · 1 products (read) · 2 destination (read_write)
//
// A dispatch costs as much as such a sum takes: four a layer were 12 µs and four starts on an H100.

struct Params {
  // Of each product: the workgroup where its columns end, its columns, its slices, where it and its sum start.
  ends: vec4u,
  columns: vec4u,
  slices: vec4u,
  sources: vec4u,
  destinations: vec4u,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> products: array<f32>;
@group(0) @binding(2) var<storage, read_write> destination: array<f32>;

@compute @workgroup_size(64)
fn product_sums(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = wg.y * num.x + wg.x;
  var e = 0u;
  var first = 0u;
  for (; e < 4u && group >= params.ends[e]; e++) {
    first = params.ends[e];
  }
  if (e == 4u) {
    return;
  }
  let stride = params.columns[e];
  let j = (group - first) * 64u + lane;
  if (j >= stride) {
    return;
  }
  let slices = params.slices[e];
  var at = params.sources[e] + j;
  var sums = vec4f(0);
  var s = 0u;
  for (; s + 4u <= slices; s += 4u) {
    sums += vec4f(products[at], products[at + stride], products[at + 2u * stride], products[at + 3u * stride]);
    at += 4u * stride;
  }
  var sum = (sums.x + sums.y) + (sums.z + sums.w);
  for (; s < slices; s++) {
    sum += products[at];
    at += stride;
  }
  destination[params.destinations[e] + j] = sum;
}
