"""Low-rank adapters, written from Hu et al. 2021 (eq. 3) and from what Hugging Face's PEFT computes.

Nothing here is shared with the lab's engine: this is what the engine is checked against.
"""

import torch
import torch.nn.functional as F
from torch import nn

from threefry import threefry

PROJECTIONS = {
    "q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj",
}  # fmt: skip


class Adapted(nn.Module):
    """y = linear(x) + (alpha / rank) * drop(x) A^T B^T."""

    def __init__(self, linear, rank, alpha, site):
        super().__init__()
        outputs, inputs = linear.weight.shape
        self.linear, self.scale, self.site, self.factors = linear, alpha / rank, site, None
        self.a = nn.Parameter(torch.zeros(rank, inputs, dtype=linear.weight.dtype))
        self.b = nn.Parameter(torch.zeros(outputs, rank, dtype=linear.weight.dtype))

    def forward(self, x):
        dropped = x if self.factors is None else x * self.factors.view_as(x)
        return self.linear(x) + self.scale * F.linear(F.linear(dropped, self.a), self.b)


def adapt(model, rank, alpha, projections):
    """Puts adapters around the projections of every block; {module name: adapter}."""
    adapters = {}
    for index, block in enumerate(model.model.layers):
        for number, (projection, path) in enumerate(PROJECTIONS.items()):
            if projection not in projections:
                continue
            part, name = path.split(".")
            module = getattr(block, part)
            adapter = Adapted(getattr(module, name), rank, alpha, index * len(PROJECTIONS) + number)
            setattr(module, name, adapter)
            adapters[f"model.layers.{index}.{path}"] = adapter
    return adapters


def tensors_of(adapters):
    """A and B of every adapter by PEFT's names without its prefix."""
    return {
        f"{name}.lora_{letter.upper()}.weight": getattr(adapter, letter)
        for name, adapter in adapters.items()
        for letter in ("a", "b")
    }


def draw(adapters, rate, seed, step, rows):
    """The factors of this step's dropout: 0 below rate * 2^32, else 1 / (1 - rate)."""
    for adapter in adapters.values():
        key = (seed & 0xFFFFFFFF, ((seed >> 32) + ((adapter.site + 1) << 21)) & 0xFFFFFFFF)
        words = [threefry(key, (i, step))[0] for i in range(rows * adapter.a.shape[1])] if rate > 0 else []
        kept = [0.0 if word < round(rate * 2**32) else 1 / (1 - rate) for word in words]
        adapter.factors = torch.tensor(kept, dtype=torch.float64) if rate > 0 else None
