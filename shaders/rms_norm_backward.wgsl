// The gradients of the norm, and of the residual add before it: formulas and plan in rms_norm.wgsl.
// Bindings: 0 sizes, 1 x (or x'), 2 w, 3 z, 4 dY, 5 dX, 6 partials, [7 o, 8 dO]

struct Sizes {
  rows: u32,
  hidden: u32,
  weight_offset: u32,
  layer_gate: u32,
  epsilon: f32,
  add_to_residual: u32,
  blocks: u32,
  columns: u32,
  weight_column: u32,
  hidden_gate_column: u32,
  branch_column: u32,
}

@group(0) @binding(4) var<storage, read> dY: array<V>;
@group(0) @binding(5) var<storage, read_write> dX: array<V>;
@group(0) @binding(6) var<storage, read_write> partials: array<f32>;
@group(0) @binding(7) var<storage, read> branch_output: array<V>;
@group(0) @binding(8) var<storage, read_write> dBranch: array<V>;

// What each row adds to the sums of a team's columns: dw, dz, S.
var<workgroup> row_parts: array<V, 3u * THREADS>;

// The row scales of an invocation's row; `end` is the row's vectors, 0 beyond the last row.
fn gradient_scales(row: u32, end: u32, thread: u32) -> vec2f {
  var part = vec3f(0);
  for (var j = thread % TEAM; j < end; j += TEAM) {
    let at = row * (sizes.hidden / WIDTH) + j;
    let z = gates_of(j);
    let value = x[at] * kept(z);
    let g = dY[at] * weights[sizes.weight_offset / WIDTH + j] * z;
    part += vec3f(total(value * value), total(kept(z)), total(g * value));
  }
  return row_scales(part, thread);
}

// dX of one vector.
fn element_gradient(at: u32, j: u32, z: V, scales: vec2f) -> V {
  var d = V(0);
  if (sizes.add_to_residual != 0u) {
    d = dX[at];
  }
  let w = weights[sizes.weight_offset / WIDTH + j];
  return d + dY[at] * w * z * scales.x - x[at] * kept(z) * scales.y;
}

// Adds the rows' parts of a team's columns from vector j0 on to the partials at one column a sum: `sums` of them.
fn add_rows(j0: u32, sums: u32, columns: vec3u, again: bool, p: u32, thread: u32) {
  workgroupBarrier();
  let which = thread / TEAM;
  let j = j0 + thread % TEAM;
  if (which < sums && j < sizes.hidden / WIDTH) {
    var sum = V(0);
    for (var r = 0u; r < ROWS; r++) {
      sum += row_parts[which * THREADS + r * TEAM + thread % TEAM];
    }
    let to = p * sizes.columns + columns[which] + j * WIDTH;
    $STORES
  }
  workgroupBarrier();
}

fn add(to: u32, value: f32, again: bool) {
  if (again) {
    partials[to] += value;
  } else {
    partials[to] = value;
  }
}

@compute @workgroup_size(THREADS)
fn rms_norm_backward(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let columns = sizes.hidden / WIDTH;
  let to = vec3u(sizes.weight_column, sizes.hidden_gate_column, 0u);
  for (var first = wg.x; first < max(sizes.rows, wg.x + 1u); first += ROWS * sizes.blocks) {
    let row = first + thread / TEAM * sizes.blocks;
    let end = select(0u, columns, row < sizes.rows);
    let scales = gradient_scales(row, end, thread);
    for (var j0 = 0u; j0 < columns; j0 += TEAM) {
      let j = j0 + thread % TEAM;
      if (j < end) {
        let at = row * columns + j;
        let normed = dY[at] * x[at] * scales.x;
        dX[at] = element_gradient(at, j, gates_of(j), scales);
        row_parts[thread] = normed * gates_of(j);
        row_parts[THREADS + thread] = normed * weights[sizes.weight_offset / WIDTH + j];
      } else {
        row_parts[thread] = V(0);
        row_parts[THREADS + thread] = V(0);
      }
      add_rows(j0, 2u, to, first != wg.x, wg.x, thread);
    }
  }
}

@compute @workgroup_size(THREADS)
fn rms_norm_backward_branch(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) thread: u32) {
  let columns = sizes.hidden / WIDTH;
  let z_layer = gates[sizes.layer_gate];
  let to = vec3u(sizes.weight_column, sizes.hidden_gate_column, sizes.branch_column);
  for (var first = wg.x; first < max(sizes.rows, wg.x + 1u); first += ROWS * sizes.blocks) {
    let row = first + thread / TEAM * sizes.blocks;
    let end = select(0u, columns, row < sizes.rows);
    let scales = gradient_scales(row, end, thread);
    for (var j0 = 0u; j0 < columns; j0 += TEAM) {
      let j = j0 + thread % TEAM;
      if (j < end) {
        let at = row * columns + j;
        let z = gates_of(j);
        let normed = dY[at] * x[at] * scales.x;
        let d = element_gradient(at, j, z, scales);
        dX[at] = d;
        dBranch[at] = d * z_layer * z;
        row_parts[thread] = normed * z;
        row_parts[THREADS + thread] = normed * weights[sizes.weight_offset / WIDTH + j];
        row_parts[2u * THREADS + thread] = d * branch_output[at];
      } else {
        row_parts[thread] = V(0);
        row_parts[THREADS + thread] = V(0);
        row_parts[2u * THREADS + thread] = V(0);
      }
      add_rows(j0, 3u, to, first != wg.x, wg.x, thread);
    }
  }
}
