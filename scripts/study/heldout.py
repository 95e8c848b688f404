"""Held-out windows of public/corpus: the validation split steers the mixture, the test split judges."""

import torch

from evaluate import domain_losses


def windows(corpus, split, context, count):
    """{domain: (at most count, context)}: evenly spread non-overlapping windows of the domain's `split`."""
    return {
        name: rows[torch.linspace(0, len(rows) - 1, min(count, len(rows))).long()]
        for name, rows in corpus.windows(split, context).items()
    }


def losses(model, windows):
    """{domain: mean loss}. Few windows at a time: their logits stay in the processor's cache."""
    return domain_losses(model, windows, batch=16)
