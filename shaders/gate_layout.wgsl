// The flat gate buffer (src/kernels/gate-layout.ts), included by the kernels that walk over it: up to four sets,
// known here by number, one behind the other. A set is `rows` rows of `length` gates; the rows of all sets are
// numbered through in the order of the sets.
struct GateLayout {
  // By set: first gate, rows, gates a row, first row.
  offsets: vec4u,
  rows: vec4u,
  lengths: vec4u,
  first_rows: vec4u,
  // Gates of all sets.
  total: u32,
}

struct GatePlace {
  gate_set: u32,
  // Row among the rows of all sets.
  row: u32,
}

// The number of the set that `at` belongs to, from where the sets start.
fn set_of(starts: vec4u, at: u32) -> u32 {
  return select(0u, 1u, at >= starts.y) + select(0u, 1u, at >= starts.z) + select(0u, 1u, at >= starts.w);
}

fn gate_place(sizes: GateLayout, i: u32) -> GatePlace {
  let gate_set = set_of(sizes.offsets, i);
  return GatePlace(
    gate_set,
    sizes.first_rows[gate_set] + (i - sizes.offsets[gate_set]) / sizes.lengths[gate_set],
  );
}
