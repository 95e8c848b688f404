import type { AttentionShape } from './attention';

interface Head {
  /** Offset of the head's first column in a row of qkv, by tensor. */
  q: number;
  k: number;
  v: number;
  group: number;
}

function headsOf({ heads, keyValueHeads, headDim }: AttentionShape): Head[] {
  return Array.from({ length: heads }, (_, head) => {
    const group = Math.floor(head / (heads / keyValueHeads));
    return {
      q: head * headDim,
      k: (heads + group) * headDim,
      v: (heads + keyValueHeads + group) * headDim,
      group,
    };
  });
}

/** softmax(q_t·k_j/√dh) over j ≤ t, and its log-sum-exp. */
function probabilities(
  qkv: ArrayLike<number>,
  row0: number,
  t: number,
  head: Head,
  columns: number,
  dh: number,
) {
  const scores = Array.from({ length: t + 1 }, (_, j) => {
    let s = 0;
    for (let i = 0; i < dh; i++) {
      s += qkv[(row0 + t) * columns + head.q + i]! * qkv[(row0 + j) * columns + head.k + i]!;
    }
    return s / Math.sqrt(dh);
  });
  const highest = Math.max(...scores);
  const lse = highest + Math.log(scores.reduce((sum, s) => sum + Math.exp(s - highest), 0));
  return { p: scores.map((s) => Math.exp(s - lse)), lse };
}

/** Gated causal attention in float64: context [B·T, H·dh] and lse [B·T, H]; `gates` are the layer's G. */
export function attentionReference(
  qkv: ArrayLike<number>,
  gates: ArrayLike<number>,
  shape: AttentionShape,
): { context: Float64Array; lse: Float64Array } {
  const { batch, contextLength: T, heads, keyValueHeads, headDim: dh } = shape;
  const columns = (heads + 2 * keyValueHeads) * dh;
  const context = new Float64Array(batch * T * heads * dh);
  const lse = new Float64Array(batch * T * heads);
  for (let row0 = 0; row0 < batch * T; row0 += T) {
    headsOf(shape).forEach((head, h) => {
      for (let t = 0; t < T; t++) {
        const soft = probabilities(qkv, row0, t, head, columns, dh);
        lse[(row0 + t) * heads + h] = soft.lse;
        for (let i = 0; i < dh; i++) {
          let o = 0;
          for (let j = 0; j <= t; j++) o += soft.p[j]! * qkv[(row0 + j) * columns + head.v + i]!;
          context[((row0 + t) * heads + h) * dh + i] = gates[head.group]! * o;
        }
      }
    });
  }
  return { context, lse };
}

/** Gradients of Σ dContext·context for qkv (behind RoPE, not rotated back) and for the layer's gates. */
export function attentionGradientReference(
  qkv: ArrayLike<number>,
  gates: ArrayLike<number>,
  dContext: ArrayLike<number>,
  shape: AttentionShape,
): { dqkv: Float64Array; dGates: Float64Array } {
  const { batch, contextLength: T, heads, keyValueHeads, headDim: dh } = shape;
  const columns = (heads + 2 * keyValueHeads) * dh;
  const dqkv = new Float64Array(batch * T * columns);
  const dGates = new Float64Array(keyValueHeads);
  const at = (row: number, offset: number) => row * columns + offset;
  for (let row0 = 0; row0 < batch * T; row0 += T) {
    headsOf(shape).forEach((head, h) => {
      const z = gates[head.group]!;
      for (let t = 0; t < T; t++) {
        const { p } = probabilities(qkv, row0, t, head, columns, dh);
        const dO = Array.from({ length: dh }, (_, i) => dContext[((row0 + t) * heads + h) * dh + i]!);
        const dP = p.map((_, j) => dO.reduce((s, d, i) => s + d * qkv[at(row0 + j, head.v + i)]!, 0));
        const mean = p.reduce((s, pj, j) => s + pj * dP[j]!, 0);
        dGates[head.group]! += mean;
        for (let j = 0; j <= t; j++) {
          const ds = (z * p[j]! * (dP[j]! - mean)) / Math.sqrt(dh);
          for (let i = 0; i < dh; i++) {
            dqkv[at(row0 + j, head.v + i)]! += z * p[j]! * dO[i]!;
            dqkv[at(row0 + t, head.q + i)]! += ds * qkv[at(row0 + j, head.k + i)]!;
            dqkv[at(row0 + j, head.k + i)]! += ds * qkv[at(row0 + t, head.q + i)]!;
          }
        }
      }
    });
  }
  return { dqkv, dGates };
}
