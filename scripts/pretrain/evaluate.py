"""Losses by domain on a held-out split.

Convention: each domain's whole file of the split is cut into non-overlapping windows of `context` tokens from its
first token on (the remainder is dropped). A window is run by itself; token i predicts token i + 1 inside it, so a
window of 256 gives 255 predictions and its first token is never predicted. The loss is the mean over all predicted
tokens of the domain, in nats, computed in float32.
"""

import torch
import torch.nn.functional as F


@torch.no_grad()
def domain_losses(model, windows, device="cpu", batch=64):
    """windows: {domain: (N, context)}. Returns {domain: mean loss}."""
    model.eval()
    losses = {}
    for domain, rows in windows.items():
        total = 0.0
        for start in range(0, len(rows), batch):
            x = rows[start : start + batch].to(device)
            logits = model(x[:, :-1]).float()
            total += F.cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten(), reduction="sum").item()
        losses[domain] = total / (len(rows) * (rows.shape[1] - 1))
    model.train()
    return losses


def mixture_loss(losses, names, weights):
    """The domains' losses weighted by the natural mixture."""
    return float(sum(weight * losses[name] for name, weight in zip(names, weights)) / sum(weights))
