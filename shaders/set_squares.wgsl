// The mean of squared gradients over each gate set, which AdamW may take for every gate of the set in the place of
// that gate's own square (adamw.wgsl, adamw_shared):
//
//   q_k = Σ g_i² / n_k over the n_k gates of set k that are not pinned by hand (|logα| < 32); 0 where all are
//
// A pinned gate has no gradient and would only make the others' moment smaller than they are.
//
// Shapes    logα, gradient, squares [gate count], laid out as gate_layout.wgsl says; every gate of set k gets q_k
// Dispatch  one workgroup a set, of 256 threads that stride over it, then a tree
// Bindings  0 params · 1 logα (read) · 2 gradient (read) · 3 squares (read_write)

@group(0) @binding(0) var<uniform> params: GateLayout;
@group(0) @binding(1) var<storage, read> log_alpha: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> squares: array<f32>;

const THREADS = 256u;
const PINNED_FROM = 32.0;

// x: sum of squares, y: how many gates it is of.
var<workgroup> lanes: array<vec2f, THREADS>;

@compute @workgroup_size(THREADS)
fn set_squares(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = params.offsets[wg.x];
  let end = first + params.rows[wg.x] * params.lengths[wg.x];
  var mine = vec2f(0.0, 0.0);
  for (var i = first + lane; i < end; i += THREADS) {
    let g = gradient[i];
    mine += select(vec2f(0.0, 0.0), vec2f(g * g, 1.0), abs(log_alpha[i]) < PINNED_FROM);
  }
  lanes[lane] = mine;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lanes[lane] += lanes[lane + half];
    }
  }
  workgroupBarrier();
  let mean = lanes[0].x / max(lanes[0].y, 1.0);
  for (var i = first + lane; i < end; i += THREADS) {
    squares[i] = mean;
  }
}
