"""Runs the study's experiments that have no result yet and appends one JSON line each to docs/study/results.jsonl.

    python3 scripts/study/run.py PLAN…        plans are the names in scripts/study/plans.py
    python3 scripts/study/run.py --list

It can be stopped and started again at any time. Pruned models that several runs share are kept in .cache/study.
"""

import argparse
import hashlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/pretrain"), str(ROOT / "scripts/reference")]

import heldout  # noqa: E402
import safetensors_file  # noqa: E402
from corpus import Corpus, Sampler  # noqa: E402
from mixture import DynamicLoading, start_weights  # noqa: E402
from masks import cut, learnt_mask, one_shot_mask, target_config  # noqa: E402
from model import Llama, defaults  # noqa: E402
from plans import PLANS  # noqa: E402
from scores import ONE_SHOT  # noqa: E402
from stages import prune, retrain  # noqa: E402

RESULTS = ROOT / "docs/study/results.jsonl"
CACHE = ROOT / ".cache/study"
# Windows a domain that the test losses are measured on.
TEST_WINDOWS = 128
SCORE_BATCHES = 8


def digest(value):
    data = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()[:16]


def flops_a_token(config, context):
    """Of training, three times the forward pass, as in src/pruning/cost.ts."""
    H, K, D = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    C, L = config["hidden_size"], config["num_hidden_layers"]
    block = 2 * C * (H + K) * D + 3 * C * config["intermediate_size"]
    return 3 * (2 * (L * block + config["vocab_size"] * C) + L * 4 * H * D * (context + 1) / 2)


def ignore(model, sampler):
    """What a constant mixture does at an evaluation."""


class Source:
    """A source model with its corpus, held-out windows and losses on them."""

    def __init__(self, name):
        folder = ROOT / "public/models" / name
        self.config = defaults(json.loads((folder / "config.json").read_text()))
        self.weights = safetensors_file.load(folder / "model.safetensors")
        self.corpus = Corpus(ROOT / "public/corpus")
        self.train = self.corpus.train()
        self.data = {
            "weights": digest((folder / "model.safetensors").read_bytes()),
            "corpus": digest((self.corpus.folder / "manifest.json").read_bytes()),
        }

    def model(self):
        model = Llama(self.config)
        model.load_state_dict(self.weights)
        return model

    def sampler(self, settings, weights, stage):
        """`stage` keeps the streams of the two stages and of the scores apart."""
        seed = [settings.seed, stage]
        return Sampler(self.train, weights, settings.tokens_a_step // settings.context, settings.context, seed)

    def loader(self, mixture, settings):
        if mixture == "constant":
            return ignore
        windows = heldout.windows(self.corpus, "validation", settings.context, settings.evaluation_windows)
        return DynamicLoading(windows, heldout.losses(self.model(), windows))


def pruned(source, settings):
    """(model to retrain, facts about the pruning): by training from nothing, by a score, or by learnt masks."""
    config = target_config(source.config, settings.target)
    if settings.start == "scratch":
        model = Llama(config)
        model.initialise(settings.seed)
        return model, {}
    if settings.start in ONE_SHOT:
        sampler = source.sampler(settings, start_weights(source.corpus, settings.prune_weights), 2)
        generator = torch.Generator().manual_seed(settings.seed)
        batches = [sampler.next() for _ in range(SCORE_BATCHES)]
        scores = ONE_SHOT[settings.start](source.model(), batches, generator)
        mask = one_shot_mask(source.config, scores, settings.target)
        return cut(source.model(), mask), {"layers": mask["layer"].nonzero().flatten().tolist()}
    return sheared(source, settings, config)


def sheared(source, settings, config):
    file = CACHE / f"{digest({**settings.prune_stage(), **source.data})}.pt"
    if not file.exists():
        weights = start_weights(source.corpus, settings.prune_weights)
        sampler, model = source.sampler(settings, weights, 0), source.model()
        alpha = prune(model, sampler, settings, source.loader(settings.prune_mixture, settings))
        mask = learnt_mask(source.config, alpha, settings.target)
        facts = {"layers": mask["layer"].nonzero().flatten().tolist(), "prune_mixture": sampler.weights.tolist()}
        CACHE.mkdir(parents=True, exist_ok=True)
        torch.save({"weights": cut(model, mask).state_dict(), "facts": facts}, file)
    saved = torch.load(file)
    model = Llama(config)
    model.load_state_dict(saved["weights"])
    return model, saved["facts"]


def run(source, settings):
    """One experiment from beginning to end: its losses by domain on the test windows, and its cost."""
    began = time.monotonic()
    test = heldout.windows(source.corpus, "test", settings.context, TEST_WINDOWS)
    model, facts = pruned(source, settings)
    after_cut = heldout.losses(model, test)
    prune_steps = settings.prune_steps if settings.start == "sheared" else 0
    if settings.retrain_weights == "carried":
        weights = np.array(facts["prune_mixture"])
    else:
        weights = start_weights(source.corpus, settings.retrain_weights)
    sampler = source.sampler(settings, weights, 1)
    retrain(model, sampler, settings.steps - prune_steps, settings, source.loader(settings.retrain_mixture, settings))
    tokens = settings.tokens_a_step
    flops = prune_steps * tokens * flops_a_token(source.config, settings.context)
    flops += (settings.steps - prune_steps) * tokens * flops_a_token(model.config, settings.context)
    return {
        "natural": dict(zip(source.corpus.domains, source.corpus.weights.tolist())),
        "source": heldout.losses(source.model(), test),
        "cut": after_cut,
        "final": heldout.losses(model, test),
        "retrain_mixture": sampler.weights.tolist(),
        **facts,
        "flops": flops,
        "seconds": round(time.monotonic() - began, 1),
    }


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plans", nargs="*", choices=[[], *PLANS], metavar="PLAN")
    parser.add_argument("--list", action="store_true", help="name the plans and how many runs each has")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.list:
        print("\n".join(f"{name}: {len(runs)} runs" for name, runs in PLANS.items()))
    torch.set_num_threads(args.threads)
    args.results.parent.mkdir(parents=True, exist_ok=True)
    lines = args.results.read_text().splitlines() if args.results.exists() else []
    done = {json.loads(line)["key"] for line in lines}
    sources = {}
    for plan in args.plans:
        for settings in PLANS[plan]:
            source = sources.get(settings.source) or sources.setdefault(settings.source, Source(settings.source))
            key = digest({**asdict(settings), **source.data})
            if key in done:
                continue
            result = run(source, settings)
            line = {"key": key, "settings": asdict(settings), **source.data, **rounded(result)}
            with args.results.open("a") as file:
                file.write(json.dumps({**line, "torch": torch.__version__}) + "\n")
            done.add(key)
            mean = sum(result["final"].values()) / len(result["final"])
            what = f"{plan}: {settings.start} {settings.target} seed {settings.seed}"
            print(f"{what}, uniform loss {mean:.4f}, {result['seconds']} s", flush=True)


if __name__ == "__main__":
    main()
