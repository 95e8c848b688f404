// Gathers the gradient of every gate from the column sums that the backward kernels left.
//
// With norm sites s = 0 .. 2L (input and post-attention norm of each layer, then the final norm), their sums
// N_s[j] = Σ_rows dY·w·x̂, and branches b = 0 .. 2L − 1 (attention and MLP of each layer), whose sums are
// S_b[j] = Σ_rows dx′_j·output_j of x′ = x + z_layer·z_hidden·output:
//
//   dz_hidden[j] = Σ_s N_s[j] + Σ_b z_layer[b / 2]·S_b[j]
//   dz_layer[l]  = Σ_j z_hidden[j]·(S_2l[j] + S_2l+1[j])
//   heads and intermediate units: their sums as they are
//
// Shapes    sums [norms (2L + 1)·d | branches 2L·d | intermediate L·I | heads L·G]
//           z, dz [hidden d | heads L·G | intermediate L·I | layers L]
// Dispatch  ceil(d / 64) workgroups for hidden, ceil((L·G + L·I) / 64) that copy, then one a layer with a tree
//           over 64 threads (folded). One dispatch, since each part is too small to fill a GPU.
// Bindings  0 params · 1 sums (read) · 2 z (read) · 3 dz (read_write)

struct Params {
  // d, L, G, I
  hidden: u32,
  layers: u32,
  key_value_heads: u32,
  intermediate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;

const THREADS = 64u;

var<workgroup> lane_sums: array<f32, 64>;

@compute @workgroup_size(64)
fn gate_gradient(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) num: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let d = params.hidden;
  let L = params.layers;
  let branches = (2u * L + 1u) * d;
  let units = branches + 2u * L * d;
  let heads = units + L * params.intermediate;

  let group = wg.y * num.x + wg.x;
  let hidden_groups = (d + THREADS - 1u) / THREADS;
  let copied = L * (params.key_value_heads + params.intermediate);
  let layer_gates = d + copied;
  let copy_groups = (copied + THREADS - 1u) / THREADS;

  if (group < hidden_groups) {
    let j = group * THREADS + lane;
    if (j < d) {
      var sum = 0.0;
      for (var site = 0u; site < 2u * L + 1u; site++) {
        sum += sums[site * d + j];
      }
      for (var branch = 0u; branch < 2u * L; branch++) {
        sum += gates[layer_gates + branch / 2u] * sums[branches + branch * d + j];
      }
      gradient[j] = sum;
    }
    return;
  }
  if (group < hidden_groups + copy_groups) {
    let c = (group - hidden_groups) * THREADS + lane;
    let head_count = L * params.key_value_heads;
    if (c < copied) {
      gradient[d + c] = sums[select(units + c - head_count, heads + c, c < head_count)];
    }
    return;
  }
  let l = group - hidden_groups - copy_groups;
  if (l >= L) {
    return;
  }
  var sum = 0.0;
  for (var j = lane; j < d; j += THREADS) {
    let attention = sums[branches + 2u * l * d + j];
    let mlp = sums[branches + (2u * l + 1u) * d + j];
    sum += gates[j] * (attention + mlp);
  }
  lane_sums[lane] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lane_sums[lane] += lane_sums[lane + half];
    }
  }
  if (lane == 0u) {
    gradient[layer_gates + l] = lane_sums[0];
  }
}
