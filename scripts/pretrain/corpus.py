"""Reads public/corpus: training batches drawn by domain weight, and the held-out splits."""

import json
from pathlib import Path

import numpy as np
import torch


class Corpus:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.manifest = json.loads((self.folder / "manifest.json").read_text())
        self.domains = [domain["name"] for domain in self.manifest["domains"]]
        self.weights = np.array([domain["weight"] for domain in self.manifest["domains"]])

    def _read(self, domain, file):
        return np.fromfile(self.folder / domain / file, dtype="<u2")

    def train(self):
        return [
            np.concatenate([self._read(domain["name"], shard["file"]) for shard in domain["train"]["shards"]])
            for domain in self.manifest["domains"]
        ]

    def windows(self, split, context):
        """{domain: (windows, context)} of "validation" or "test": non-overlapping windows from the beginning, the
        remainder dropped."""
        windows = {}
        for domain in self.manifest["domains"]:
            tokens = self._read(domain["name"], domain[split]["file"]).astype(np.int64)
            count = len(tokens) // context
            windows[domain["name"]] = torch.from_numpy(tokens[: count * context].reshape(count, context))
        return windows


class Sampler:
    """Batches of `length` tokens a sequence. Each sequence draws its domain by weight; a domain is read in
    shuffled non-overlapping windows, whose grid is shifted anew on every pass. A step's batch depends on the
    seed and on the batches before it, so a resumed run replays the draws up to its step."""

    def __init__(self, streams, weights, batch, length, seed):
        self.streams, self.batch, self.length = streams, batch, length
        self.weights = weights / weights.sum()
        self.random = np.random.default_rng(seed)
        self.queues = [np.empty(0, dtype=np.int64) for _ in streams]

    def _next_start(self, domain):
        if not len(self.queues[domain]):
            spare = len(self.streams[domain]) - self.length
            starts = np.arange(self.random.integers(self.length), spare + 1, self.length)
            self.queues[domain] = self.random.permutation(starts)
        start, self.queues[domain] = self.queues[domain][-1], self.queues[domain][:-1]
        return start

    def draw(self):
        """[(domain, start)] of one batch."""
        domains = self.random.choice(len(self.streams), size=self.batch, p=self.weights)
        return [(domain, self._next_start(domain)) for domain in domains]

    def next(self):
        rows = [self.streams[domain][start : start + self.length] for domain, start in self.draw()]
        return torch.from_numpy(np.stack(rows).astype(np.int64))
