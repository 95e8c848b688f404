"""The gated LLaMA, hard-concrete gates and the constraint, written from their published definitions.

Nothing here is shared with the lab's engine: this is what the engine is checked against. Gates are plain data,
{"hidden": (C,), "head": (L, K), "intermediate": (L, I), "layer": (L,)}; a head gate covers a key/value group.
"""

import math

import torch
import torch.nn.functional as F

BETA, LOW, HIGH, EPSILON = 2 / 3, -0.1, 1.1, 1e-6
CLAMP = math.log(100)


def gated_norm(norm, x, z):
    """RMSNorm over the dimensions whose gate is not zero; the output carries the gate."""
    kept = (z != 0).to(x.dtype)
    variance = (x.pow(2) * kept).sum(-1, keepdim=True) / kept.sum()
    return x * torch.rsqrt(variance + norm.eps) * norm.weight * z


def gated_logits(model, tokens, gates):
    """(B, T) -> (B, T, V). The embedding and the output head are not multiplied by the hidden gate."""
    hidden = gates["hidden"]
    x = model.model.embed_tokens(tokens)
    cos, sin = model.tables(x)
    for index, block in enumerate(model.model.layers):
        branch = gates["layer"][index] * hidden
        attention = block.self_attn
        context = attention.context(gated_norm(block.input_layernorm, x, hidden), cos, sin)
        heads = gates["head"][index].repeat_interleave(attention.H // attention.K)
        context = context * heads[None, :, None, None]
        x = x + attention.o_proj(context.transpose(1, 2).flatten(2)) * branch
        m = gated_norm(block.post_attention_layernorm, x, hidden)
        mlp = block.mlp
        inner = F.silu(mlp.gate_proj(m)) * mlp.up_proj(m) * gates["intermediate"][index]
        x = x + mlp.down_proj(inner) * branch
    return model.lm_head(gated_norm(model.model.norm, x, hidden))


def next_token_loss(logits, tokens):
    """Mean over the B * (T - 1) positions that have a next token, in nats."""
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def sample(log_alpha, u):
    """A hard-concrete gate for uniform noise u."""
    s = torch.sigmoid((torch.log(u) - torch.log(1 - u) + log_alpha) / BETA)
    return (s * (HIGH - LOW) + LOW).clamp(0, 1)


def expected_sparsity(log_alpha):
    """One number a row (the last axis): the mean probability that a gate is exactly zero."""
    zero = torch.sigmoid(BETA * math.log(-LOW / HIGH) - log_alpha).clamp(EPSILON, 1 - EPSILON)
    return zero.mean(-1)


def lagrangian(sparsity, target, lambda1, lambda2):
    """One gate set: rows averaged."""
    gap = sparsity - target
    return (lambda1 * gap + lambda2 * gap.pow(2)).mean()
