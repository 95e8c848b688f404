"""Gate sets, the masks they give, and the cut. Masks are {"hidden": (C,), "head": (L, K), "intermediate": (L, I),
"layer": (L,)} as in scripts/reference/gated.py; a target is (layers, hidden size, query heads, MLP width)."""

import torch

import gated
from model import Llama


def gate_shapes(config):
    L = config["num_hidden_layers"]
    return {
        "hidden": (config["hidden_size"],),
        "head": (L, config["num_key_value_heads"]),
        "intermediate": (L, config["intermediate_size"]),
        "layer": (L,),
    }


def kept_units(config, target):
    """Units that each row of each set keeps at the target."""
    layers, hidden, heads, intermediate = target
    group = config["num_attention_heads"] // config["num_key_value_heads"]
    return {"hidden": hidden, "head": heads // group, "intermediate": intermediate, "layer": layers}


def target_config(config, target):
    layers, hidden, heads, intermediate = target
    group = config["num_attention_heads"] // config["num_key_value_heads"]
    return {
        **config,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": heads // group,
        "intermediate_size": intermediate,
    }


def close_smallest(scores, zeros):
    """(rows, n) or (n,) -> the same shape of booleans, False for the `zeros` smallest of each row (one number a
    row). Of equal scores the later unit is closed first."""
    rows = scores.reshape(-1, scores.shape[-1])
    order = rows.shape[-1] - 1 - rows.flip(-1).argsort(dim=-1, stable=True)
    rank = torch.empty_like(order).scatter_(-1, order, torch.arange(rows.shape[-1]).expand_as(order).contiguous())
    return (rank >= zeros.reshape(-1, 1)).reshape(scores.shape)


def one_shot_mask(config, scores, target):
    """Zeros and ones that keep the units with the largest scores."""
    kept = kept_units(config, target)
    return {
        name: close_smallest(row, torch.tensor([row.shape[-1] - kept[name]]).expand(row[..., 0].numel())).float()
        for name, row in scores.items()
    }


def learnt_mask(config, log_alpha, target=None):
    """The deterministic mask (docs/method.md, section 4): survivors keep sigmoid(0.8 log alpha / beta). As many units are closed
    as the target asks for, or without one as the gates now expect. Sets that are not learnt stay open."""
    kept = target and kept_units(config, target)
    mask = {name: torch.ones(shape) for name, shape in gate_shapes(config).items()}
    for name, alpha in log_alpha.items():
        alpha, length = alpha.detach(), alpha.shape[-1]
        expected = gated.expected_sparsity(alpha) * length
        zeros = torch.full_like(expected, length - kept[name]) if kept else expected.round()
        mask[name] = torch.sigmoid(0.8 * alpha / gated.BETA) * close_smallest(alpha, zeros)
    return mask


@torch.no_grad()
def cut(model, mask):
    """The model of the open units, each gate's value folded in once (docs/method.md, section 4): hidden into the norms and the
    writers of the residual stream, head into the values, intermediate into the up projection, layer into the
    branches' last matrices. Embedding and head are sliced only."""
    config, source = model.config, model.state_dict()
    D, group = config["head_dim"], config["num_attention_heads"] // config["num_key_value_heads"]
    hidden = mask["hidden"].nonzero().flatten()
    z = mask["hidden"][hidden]
    layers = mask["layer"].nonzero().flatten().tolist()
    tensors = {
        "model.embed_tokens.weight": source["model.embed_tokens.weight"][:, hidden],
        "model.norm.weight": source["model.norm.weight"][hidden] * z,
        "lm_head.weight": source["lm_head.weight"][:, hidden],
    }
    for at, layer in enumerate(layers):
        old, new = f"model.layers.{layer}.", f"model.layers.{at}."
        groups = mask["head"][layer].nonzero().flatten()
        units = mask["intermediate"][layer].nonzero().flatten()
        channels = (groups[:, None] * D + torch.arange(D)).flatten()
        queries = (groups[:, None] * group * D + torch.arange(group * D)).flatten()
        branch = (mask["layer"][layer] * z)[:, None]

        def sliced(name, rows, columns):
            return source[f"{old}{name}.weight"][rows][:, columns]

        head = mask["head"][layer][groups].repeat_interleave(D)[:, None]
        tensors |= {
            new + "input_layernorm.weight": source[old + "input_layernorm.weight"][hidden] * z,
            new + "post_attention_layernorm.weight": source[old + "post_attention_layernorm.weight"][hidden] * z,
            new + "self_attn.q_proj.weight": sliced("self_attn.q_proj", queries, hidden),
            new + "self_attn.k_proj.weight": sliced("self_attn.k_proj", channels, hidden),
            new + "self_attn.v_proj.weight": sliced("self_attn.v_proj", channels, hidden) * head,
            new + "self_attn.o_proj.weight": sliced("self_attn.o_proj", hidden, queries) * branch,
            new + "mlp.gate_proj.weight": sliced("mlp.gate_proj", units, hidden),
            new + "mlp.up_proj.weight": sliced("mlp.up_proj", units, hidden)
            * mask["intermediate"][layer][units][:, None],
            new + "mlp.down_proj.weight": sliced("mlp.down_proj", hidden, units) * branch,
        }
    small = Llama(target_config(config, (len(layers), len(hidden), len(groups) * group, len(units))))
    small.load_state_dict(tensors)
    return small
