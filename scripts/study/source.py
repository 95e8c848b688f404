"""A source model as the study uses it: its weights, its corpus and its losses on held-out windows."""

import hashlib
import json
from functools import cache
from pathlib import Path

import heldout
import safetensors_file
from corpus import Corpus, Sampler
from mixture import DynamicLoading
from model import Llama, defaults

ROOT = Path(__file__).resolve().parents[2]
# Windows a domain that a run is judged by.
TEST_WINDOWS = 128


def digest(value):
    """Of bytes, or of plain data."""
    data = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()[:16]


@cache
def workspace(config):
    return Llama(json.loads(config))


def load(config, weights):
    """The one model of its shape, given these weights: what was compiled for it serves the next run, too."""
    model = workspace(json.dumps(config))
    model.load_state_dict(weights)
    return model


def constant(model, sampler):
    """What a constant mixture does at an evaluation: nothing."""


class Source:
    def __init__(self, name):
        folder = ROOT / "public/models" / name
        self.config = defaults(json.loads((folder / "config.json").read_text()))
        self.weights = safetensors_file.load(folder / "model.safetensors")
        self.corpus = Corpus(ROOT / "public/corpus")
        self.train = self.corpus.train()
        self.identity = {
            "weights": digest((folder / "model.safetensors").read_bytes()),
            "corpus": digest((self.corpus.folder / "manifest.json").read_bytes()),
        }
        self.windows = cache(self._windows)

    def model(self):
        return load(self.config, self.weights)

    def _windows(self, split, context, count):
        """(windows by domain, the source's own losses on them)."""
        windows = heldout.windows(self.corpus, split, context, count)
        return windows, heldout.losses(self.model(), windows)

    def test(self, settings):
        return self.windows("test", settings.context, TEST_WINDOWS)

    def sampler(self, settings, weights, stage):
        """`stage` keeps the draws of the two stages and of the scores apart."""
        batch = settings.tokens_a_step // settings.context
        return Sampler(self.train, weights, batch, settings.context, [settings.seed, stage])

    def mixture(self, kind, settings):
        """What happens to the sampler's weights at an evaluation."""
        if kind == "constant":
            return constant
        return DynamicLoading(*self.windows("validation", settings.context, settings.evaluation_windows))
