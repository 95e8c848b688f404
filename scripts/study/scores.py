"""One-shot scores of every unit of a source model, from a few batches of training text. Higher is kept."""

import torch
import torch.nn.functional as F

import gated
from loss import cross_entropy
from masks import gate_shapes


def random(model, batches, generator):
    return {name: torch.rand(shape, generator=generator) for name, shape in gate_shapes(model.config).items()}


@torch.no_grad()
def magnitude(model, batches, generator):
    """Sum of the absolute weights that belong to a unit."""
    K = model.config["num_key_value_heads"]
    hidden = model.model.embed_tokens.weight.abs().sum(0) + model.lm_head.weight.abs().sum(0)
    heads, units, layers = [], [], []
    for block in model.model.layers:
        attention, mlp = block.self_attn, block.mlp
        reads = [m.weight.abs() for m in (attention.q_proj, attention.k_proj, attention.v_proj)]
        write = attention.o_proj.weight.abs()
        gate, up, down = (m.weight.abs() for m in (mlp.gate_proj, mlp.up_proj, mlp.down_proj))
        written = write.reshape(len(write), K, -1).sum((0, 2))
        heads.append(written + sum(w.reshape(K, -1).sum(1) for w in reads))
        units.append(gate.sum(1) + up.sum(1) + down.sum(0))
        hidden = hidden + sum(w.sum(0) for w in (*reads, gate, up)) + write.sum(1) + down.sum(1)
        layers.append(sum(w.sum() for w in (*reads, write, gate, up, down)))
    rows = {"head": heads, "intermediate": units, "layer": layers}
    return {"hidden": hidden, **{name: torch.stack(values) for name, values in rows.items()}}


@torch.no_grad()
def activation(model, batches, generator):
    """Minitron's width scores (Muralidharan et al. 2024): |activation| averaged over a sequence, L2 over sequences; units at the
    input of the down projection, heads at that of the output projection (L2 over a head's channels), hidden
    dimensions at the norms' outputs, summed over the norms. Layers by Block Influence, 1 - E cos(in, out)."""
    K, blocks = model.config["num_key_value_heads"], model.model.layers
    sums = {}

    def add(key, x):  # x (B, T, n)
        sums[key] = sums.get(key, 0) + x.abs().mean(1).pow(2).sum(0)

    def influence(index):
        def hook(module, inputs, output):
            sums["bi", index] = sums.get(("bi", index), 0) + 1 - F.cosine_similarity(inputs[0], output, dim=-1).mean()

        return hook

    hooks = []
    for i, block in enumerate(blocks):
        hooks.append(block.register_forward_hook(influence(i)))
        for key, module in (("unit", block.mlp.down_proj), ("head", block.self_attn.o_proj)):
            hooks.append(module.register_forward_pre_hook(lambda m, x, key=key, i=i: add((key, i), x[0])))
        for key, module in (("norm1", block.input_layernorm), ("norm2", block.post_attention_layernorm)):
            hooks.append(module.register_forward_hook(lambda m, x, y, key=key, i=i: add((key, i), y)))
    hooks.append(model.model.norm.register_forward_hook(lambda m, x, y: add(("norm", 0), y)))
    for tokens in batches:
        model(tokens)
    for hook in hooks:
        hook.remove()
    L = range(len(blocks))
    return {
        "hidden": sum(value.sqrt() for (key, _), value in sums.items() if key.startswith("norm")),
        "head": torch.stack([sums["head", i].reshape(K, -1).sum(1).sqrt() for i in L]),
        "intermediate": torch.stack([sums["unit", i].sqrt() for i in L]),
        "layer": torch.stack([sums["bi", i] for i in L]),
    }


def taylor(model, batches, generator):
    """First order in the gates: mean over sequences of |dL/dz| at z = 1, which is |sum of weight x gradient| over
    the weights that a gate multiplies (the vector form of LLM-Pruner, Ma et al. 2023)."""
    scores = {name: torch.zeros(shape) for name, shape in gate_shapes(model.config).items()}
    for tokens in batches:
        for row in tokens.split(1):
            gates = {name: torch.ones_like(score, requires_grad=True) for name, score in scores.items()}
            logits = gated.gated_logits(model, row[:, :-1], gates)
            loss = cross_entropy(logits.flatten(0, 1), row[:, 1:].flatten())
            for name, gradient in zip(gates, torch.autograd.grad(loss, list(gates.values()))):
                scores[name] += gradient.abs()
    return scores


ONE_SHOT = {"random": random, "magnitude": magnitude, "activation": activation, "taylor": taylor}
