// The flat gate buffer (src/kernels/gate-layout.ts), included by the kernels that walk over it:
//   hidden [d] | heads [L, G] | intermediate [L, I] | layers [L]
// Sets are numbered in that order. The rows of all sets are numbered through: hidden 0, heads 1 .. L,
// intermediate L + 1 .. 2L, layers 2L + 1.
struct GateLayout {
  hidden: u32,
  layers: u32,
  key_value_heads: u32,
  intermediate: u32,
}

struct GatePlace {
  gate_set: u32,
  // Row among the rows of all sets.
  row: u32,
}

fn head_offset(sizes: GateLayout) -> u32 {
  return sizes.hidden;
}

fn intermediate_offset(sizes: GateLayout) -> u32 {
  return sizes.hidden + sizes.layers * sizes.key_value_heads;
}

fn layer_offset(sizes: GateLayout) -> u32 {
  return intermediate_offset(sizes) + sizes.layers * sizes.intermediate;
}

fn gate_count(sizes: GateLayout) -> u32 {
  return layer_offset(sizes) + sizes.layers;
}

fn gate_place(sizes: GateLayout, i: u32) -> GatePlace {
  if (i < head_offset(sizes)) {
    return GatePlace(0u, 0u);
  }
  if (i < intermediate_offset(sizes)) {
    return GatePlace(1u, 1u + (i - head_offset(sizes)) / sizes.key_value_heads);
  }
  if (i < layer_offset(sizes)) {
    return GatePlace(2u, 1u + sizes.layers + (i - intermediate_offset(sizes)) / sizes.intermediate);
  }
  return GatePlace(3u, 1u + 2u * sizes.layers);
}
