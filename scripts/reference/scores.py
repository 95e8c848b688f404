"""Writes scores.json: every score of units (src/pruning/scores) of two tiny models, in float64 PyTorch.

    python3 scripts/reference/scores.py

The models are those of golden.json. The sequences have two lengths, so that means over sequences, tokens and
predictions cannot be mixed up. Nothing is shared with the engine; formulas are the publications' own.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

import gated
from golden import gate_shapes, plain_data
from model import Llama

HERE = Path(__file__).resolve().parent
LENGTHS = [17] * 4 + [11] * 3


def load(case):
    model = Llama(case["config"]).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.tensor(case["weights"][name]["data"], dtype=torch.float64).reshape(parameter.shape))
    return model


def total_loss(model, sequences, gates=None):
    """Mean over all predictions of all sequences."""
    nats = 0
    for tokens in sequences:
        row = tokens[None]
        logits = model(row) if gates is None else gated.gated_logits(model, row, gates)
        nats = nats + F.cross_entropy(logits[0, :-1], tokens[1:], reduction="sum")
    return nats / sum(len(tokens) - 1 for tokens in sequences)


def activations(model, sequences):
    """Every token's norm outputs, inputs of o_proj and down_proj, and block inputs and outputs, one tensor a sequence."""
    seen = {}

    def keep(key):
        return lambda value: seen.setdefault(key, []).append(value.detach()[0])

    hooks = []
    for i, block in enumerate(model.model.layers):
        hooks.append(block.self_attn.o_proj.register_forward_pre_hook(lambda m, x, k=keep(("attended", i)): k(x[0])))
        hooks.append(block.mlp.down_proj.register_forward_pre_hook(lambda m, x, k=keep(("activated", i)): k(x[0])))
        hooks.append(block.input_layernorm.register_forward_hook(lambda m, x, y, k=keep(("normed", 2 * i)): k(y)))
        hooks.append(
            block.post_attention_layernorm.register_forward_hook(lambda m, x, y, k=keep(("normed", 2 * i + 1)): k(y))
        )
        hooks.append(block.register_forward_hook(lambda m, x, y, k=keep(("in", i)): k(x[0])))
        hooks.append(block.register_forward_hook(lambda m, x, y, k=keep(("out", i)): k(y)))
    L = len(model.model.layers)
    hooks.append(model.model.norm.register_forward_hook(lambda m, x, y, k=keep(("normed", 2 * L)): k(y)))
    with torch.no_grad():
        for tokens in sequences:
            model(tokens[None])
    for hook in hooks:
        hook.remove()
    return seen


def over_units(model, of):
    """Sum of `of(name, parameter)` (one number a weight) over the weights that go with each unit."""
    config = model.config
    L, K, d = config["num_hidden_layers"], config["num_key_value_heads"], config["hidden_size"]
    values = {name: of(name, p).detach() for name, p in model.named_parameters()}
    hidden, head, units, layer = torch.zeros(d).double(), [], [], []
    for name, v in values.items():
        writes = name.endswith(("o_proj.weight", "down_proj.weight"))
        reads = v.dim() == 2 and not writes
        if reads:
            hidden = hidden + v.sum(0)
        elif writes:
            hidden = hidden + v.sum(1)
        elif "norm" in name or name.endswith(("o_proj.bias", "down_proj.bias")):
            hidden = hidden + v
    for i in range(L):
        of_layer = {n.split(f"layers.{i}.")[1]: v for n, v in values.items() if f".layers.{i}." in n}
        layer.append(sum(v.sum() for v in of_layer.values()))
        parts = 0
        for n, v in of_layer.items():
            if n.startswith("self_attn.o_proj.weight"):
                parts = parts + v.sum(0).reshape(K, -1).sum(1)
            elif n.startswith("self_attn.") and not n.startswith("self_attn.o_proj"):
                parts = parts + v.reshape(K, -1).sum(1)
        head.append(parts)
        mlp = of_layer["mlp.gate_proj.weight"].sum(1) + of_layer["mlp.up_proj.weight"].sum(1)
        mlp = mlp + of_layer["mlp.down_proj.weight"].sum(0)
        for n in ("mlp.gate_proj.bias", "mlp.up_proj.bias"):
            mlp = mlp + of_layer.get(n, 0)
        units.append(mlp)
    return {"hidden": hidden, "head": torch.stack(head), "intermediate": torch.stack(units), "layer": torch.stack(layer)}


def minitron(model, seen):
    K, L = model.config["num_key_value_heads"], len(model.model.layers)
    norm = lambda key: torch.stack([x.abs().mean(0) for x in seen[key]]).pow(2).sum(0).sqrt()  # noqa: E731
    return {
        "hidden": sum(norm(("normed", s)) for s in range(2 * L + 1)),
        "head": torch.stack([norm(("attended", i)).reshape(K, -1).pow(2).sum(1).sqrt() for i in range(L)]),
        "intermediate": torch.stack([norm(("activated", i)) for i in range(L)]),
    }


def consumers(model, seen, activation, weight):
    K, blocks = model.config["num_key_value_heads"], model.model.layers
    column = lambda key, *matrices: activation(torch.cat(seen[key])) * sum(  # noqa: E731
        weight(m.weight.detach()).sum(0) for m in matrices
    )
    hidden = column(("normed", 2 * len(blocks)), model.lm_head)
    head, units = [], []
    for i, b in enumerate(blocks):
        attention, mlp = b.self_attn, b.mlp
        hidden = hidden + column(("normed", 2 * i), attention.q_proj, attention.k_proj, attention.v_proj)
        hidden = hidden + column(("normed", 2 * i + 1), mlp.gate_proj, mlp.up_proj)
        head.append(column(("attended", i), attention.o_proj).reshape(K, -1).sum(1))
        units.append(column(("activated", i), mlp.down_proj))
    return {"hidden": hidden, "head": torch.stack(head), "intermediate": torch.stack(units)}


def scores(model, sequences):
    L = len(model.model.layers)
    seen = activations(model, sequences)
    model.zero_grad()
    loss = total_loss(model, sequences)
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}

    def without(layers):
        gates = {name: torch.ones(shape).double() for name, shape in gate_shapes(model.config).items()}
        gates["layer"][list(layers)] = 0
        with torch.no_grad():
            return total_loss(model, sequences, gates).item()

    order, sleb = [], [0.0] * L
    while len(order) < L:
        nats, best = min((without([*order, i]), -i) for i in range(L) if i not in order)
        order.append(-best)
        sleb[-best] = math.exp(nats)
    cosine = [
        torch.cat([F.cosine_similarity(x, y, dim=-1) for x, y in zip(seen["in", i], seen["out", i])]).mean()
        for i in range(L)
    ]
    variance = lambda x: x.pow(2).mean(0) - x.mean(0).pow(2)  # noqa: E731
    return {
        "loss": loss,
        "magnitude": over_units(model, lambda name, p: p.abs()),
        "taylor": over_units(model, lambda name, p: (p * gradients[name]).abs()),
        "block-influence": {"layer": [1 - c for c in cosine]},
        "perplexity": {"layer": [math.exp(without([i])) for i in range(L)]},
        "sleb": {"layer": sleb},
        "sleb-order": order,
        "minitron": minitron(model, seen),
        "wanda-sp": consumers(model, seen, lambda x: x.pow(2).mean(0).sqrt(), torch.abs),
        "flap": consumers(model, seen, variance, torch.square),
        "mean": {
            "attended": [torch.cat(seen["attended", i]).mean(0) for i in range(L)],
            "activated": [torch.cat(seen["activated", i]).mean(0) for i in range(L)],
        },
    }


def main():
    golden = json.loads((HERE / "golden.json").read_text())
    generator = torch.Generator().manual_seed(5)
    cases = {}
    for name in ("a", "b"):
        model = load(golden["models"][name])
        vocabulary = model.config["vocab_size"]
        sequences = [torch.randint(0, vocabulary, (length,), generator=generator) for length in LENGTHS]
        cases[name] = {
            "sequences": [tokens.tolist() for tokens in sequences],
            "scores": plain_data(scores(model, sequences)),
        }
    text = json.dumps(cases, separators=(",", ":"))
    (HERE / "scores.json").write_text(text + "\n")
    print(f"scores.json: {len(text) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
