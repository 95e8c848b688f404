"""Dynamic batch loading (docs/method.md, section 5): sampling weights that follow the excess losses on held-out windows."""

import numpy as np

import heldout

SMOOTHING = 1e-4


def start_weights(corpus, name):
    """natural: the corpus' own; uniform; or `without-A-B`: the corpus' own but for domains A and B."""
    if name == "uniform":
        return np.full(len(corpus.domains), 1 / len(corpus.domains))
    weights = corpus.weights.copy()
    if name.startswith("without-"):
        left_out = name.split("-")[1:]
        weights = np.array([0.0 if d in left_out else w for d, w in zip(corpus.domains, weights)])
    elif name != "natural":
        raise ValueError(f"unknown weights: {name}")
    return weights / weights.sum()


def updated(weights, losses, references):
    """w <- softmax(ln w + max(loss - reference, 0)), blended with a little of the uniform mixture."""
    excess = np.maximum(np.array([losses[d] - references[d] for d in references]), 0)
    grown = weights * np.exp(excess)
    return (1 - SMOOTHING) * grown / grown.sum() + SMOOTHING / len(weights)


class DynamicLoading:
    """Called with a model, sets the sampler's weights anew; `references` are the source's losses on `windows`."""

    def __init__(self, windows, references):
        self.windows, self.references = windows, references

    def __call__(self, model, sampler):
        sampler.weights = updated(sampler.weights, heldout.losses(model, self.windows), self.references)
