// Causal grouped-query attention with head gates, forward and gradients, without the T×T matrix in memory.
//
//   s_tj = q_t·k_j/√dh (j ≤ t),  lse_t = ln Σ_j exp(s_tj),  p_tj = exp(s_tj − lse_t)
//   o_t  = Σ_j p_tj·v_j,         ctx_t = z·o_t        (z: the gate of the head's key/value group)
//
// With dO = z·dCtx and D_t = Σ dO·o = Σ dCtx·ctx:
//   dv_j = Σ_t p_tj·dO_t         ds_tj = p_tj·(dO_t·v_j − D_t)
//   dq_t = Σ_j ds_tj·k_j/√dh     dk_j  = Σ_t ds_tj·q_t/√dh      dz = Σ dCtx·o = Σ D/z  (0 where z = 0; head_gate_sums.wgsl)
// dq and dk leave rotated back by RoPE's inverse, so dqkv is the gradient of the plain QKV product.
//
// qkv, dqkv [B·T, (H + 2G)·dh]: H query heads, G key heads, G value heads; ctx, dCtx [B·T, H·dh];
// lse, delta [B·T, H]; table [T, dh] (cosines, sines); dh even, at most 128, the only compile-time size.
//
// The three large kernels share one plan. An invocation owns one row (a query; a key and its value in
// dk/dv) or one of PARTS slices of it, dh/PARTS values kept in registers, and walks over the other side
// CHUNK rows at a time. All invocations of a slice read the same address, so the walk is a broadcast.
// Slices of a row exchange their parts of the dot products through workgroup memory; with PARTS = 1 there is
// no exchange and no barrier. A slice holds matching pieces of both halves of dh, so that the inverse
// rotation stays inside an invocation.
// Dispatch: (ceil(T / TILE), H or G, B) workgroups of TILE·PARTS invocations.
// Workgroup memory: CHUNK·PARTS·TILE·8 bytes, 16 KiB at most. Storage buffers: at most 7.
// The chunk comes as a uniform too, so that no compiler can unroll the chunk loops: unrolled, lavapipe took 8 to
// 34 s of processor time a pipeline (1.0 to 1.3 s as it is), and ran no faster.
// A head whose gate is 0 writes zeros and does no other work.
//
// This file is what the four operators have in common: attention_forward.wgsl, attention_delta.wgsl, attention_dq.wgsl
// and attention_dkv.wgsl. All but delta also include attention_walk.wgsl, the last two attention_rotation.wgsl.

// The widest vector that divides half a head.
alias V = $VECTOR;

const WIDTH = $WIDTHu;
const HALF = $HEAD_DIMu / 2u / WIDTH;
const HEAD = 2u * HALF;

fn inner(a: V, b: V) -> f32 {
  return $INNER;
}
