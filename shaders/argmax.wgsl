// The next token of greedy decoding, and whether its logits are to be trusted:
//
//   state[0] = the v with the highest x[v], of equal ones the first
//   state[2] = the first v whose x[v] is NaN or infinite, 0xFFFFFFFF when all are finite;   state[3] = the bits of x there
//
// Shapes    x [V] · state [4], u32; its entry 1, the position, is not touched
// Dispatch  one workgroup of 256 invocations: each takes every 256th logit, and what they found is compared in two
//           steps of sixteen. Whether a value is finite is read from its bits, since WGSL may assume that all are.
// Memory    4,352 bytes. Storage buffers: 2.
// Bindings  0 sizes · 1 x (read) · 2 state (read_write)

struct Sizes {
  vocabulary: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> state: array<u32>;

const THREADS = 256u;
const TEAMS = 16u;
const NONE = 0xFFFFFFFFu;
// All bits of the exponent: NaN and the infinities have them.
const EXPONENT = 0x7F800000u;

// What was found among some of the logits: bits of the highest, its token, the first that is not finite.
alias Found = vec3u;

var<workgroup> found: array<vec3u, THREADS>;
var<workgroup> of_teams: array<vec3u, TEAMS>;

fn better(a: Found, b: Found) -> Found {
  let x = bitcast<f32>(a.x);
  let y = bitcast<f32>(b.x);
  return Found(select(a.xy, b.xy, y > x || (y == x && b.y < a.y)), min(a.z, b.z));
}

@compute @workgroup_size(THREADS)
fn argmax(@builtin(local_invocation_index) thread: u32) {
  // Below every finite value: no finite logit loses to it.
  var own = Found(bitcast<u32>(-3.4028234e38), NONE, NONE);
  for (var v = thread; v < sizes.vocabulary; v += THREADS) {
    let bits = logits[v];
    if ((bits & EXPONENT) == EXPONENT) {
      own.z = min(own.z, v);
    } else {
      own = better(own, Found(bits, v, NONE));
    }
  }
  found[thread] = own;
  workgroupBarrier();
  if (thread < TEAMS) {
    for (var i = thread; i < THREADS; i += TEAMS) {
      own = better(own, found[i]);
    }
    of_teams[thread] = own;
  }
  workgroupBarrier();
  if (thread == 0u) {
    for (var i = 1u; i < TEAMS; i++) {
      own = better(own, of_teams[i]);
    }
    // With no finite logit there is no such token, and what is read back says so; the next step reads a row that exists.
    state[0] = min(own.y, sizes.vocabulary - 1u);
    state[2] = own.z;
    state[3] = select(0u, logits[min(own.z, sizes.vocabulary - 1u)], own.z != NONE);
  }
}
