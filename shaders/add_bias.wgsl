// values[m, n] += bias[n]: the biases of a linear layer, where the model has them (`attention_bias`: o; `mlp_bias`:
// gate, up and down; rope.wgsl adds those of q, k and v).
//
// Shapes: values [rows, columns], bias [columns].  One thread an element; 256 threads a workgroup,
// workgroups folded into two dimensions.  Bindings: 0 sizes, 1 values (in place), 2 bias.

struct Sizes {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;

@compute @workgroup_size(256)
fn add_bias(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 256u + local;
  if (i < sizes.rows * sizes.columns) {
    values[i] += bias[i % sizes.columns];
  }
}
