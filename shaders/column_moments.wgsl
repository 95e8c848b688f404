// Of every column of X in every window of T rows: Σ x, Σ x², Σ |x|. What activation scores are made of.
//
// Shapes    X [W·T, C] · Y at an element offset of the destination, [W, 3, C]
// Dispatch  one thread a (window, column), ceil(C / 64) × W workgroups. Neighbouring threads read neighbouring
//           columns. Each chain is T additions; the host adds the windows up in float64.
// Bindings  0 params · 1 X (read) · 2 destination (read_write)

struct Params {
  window: u32,
  columns: u32,
  destination_offset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> destination: array<f32>;

@compute @workgroup_size(64)
fn column_moments(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let j = wg.x * 64u + lane;
  if (j >= params.columns) {
    return;
  }
  let w = wg.y;
  var sum = 0.0;
  var squares = 0.0;
  var magnitudes = 0.0;
  var at = w * params.window * params.columns + j;
  for (var t = 0u; t < params.window; t++) {
    let x = values[at];
    sum += x;
    squares += x * x;
    magnitudes += abs(x);
    at += params.columns;
  }
  let to = params.destination_offset + w * 3u * params.columns + j;
  destination[to] = sum;
  destination[to + params.columns] = squares;
  destination[to + 2u * params.columns] = magnitudes;
}
