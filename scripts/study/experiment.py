"""One experiment of the study, from a source model to the losses of the retrained one."""

import time

import numpy as np
import torch

import heldout
from masks import cut, learnt_mask, one_shot_mask, target_config
from mixture import start_weights
from model import Llama
from scores import ONE_SHOT
from source import ROOT, digest, load
from stages import prune, retrain

# Pruned models that several runs share.
CACHE = ROOT / ".cache/study"
SCORE_BATCHES = 8


def flops_a_token(config, context):
    """Of training, three times the forward pass, as in src/pruning/cost.ts."""
    H, K, D = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    C, L = config["hidden_size"], config["num_hidden_layers"]
    block = 2 * C * (H + K) * D + 3 * C * config["intermediate_size"]
    return 3 * (2 * (L * block + config["vocab_size"] * C) + L * 4 * H * D * (context + 1) / 2)


def kept_layers(mask):
    return mask["layer"].nonzero().flatten().tolist()


def scratch(source, settings):
    model = Llama(target_config(source.config, settings.target))
    model.initialise(settings.seed)
    return model.state_dict(), {}


def one_shot(source, settings):
    sampler = source.sampler(settings, start_weights(source.corpus, settings.prune_weights), 2)
    generator = torch.Generator().manual_seed(settings.seed)
    batches = [sampler.next() for _ in range(SCORE_BATCHES)]
    scores = ONE_SHOT[settings.start](source.model(), batches, generator)
    mask = one_shot_mask(source.config, scores, settings.target)
    return cut(source.model(), mask).state_dict(), {"layers": kept_layers(mask)}


def sheared(source, settings, loss_of):
    file = CACHE / f"{digest({**settings.prune_stage(), **source.identity})}.pt"
    if not file.exists():
        mixture = source.mixture(settings.prune_mixture, settings)
        sampler = source.sampler(settings, start_weights(source.corpus, settings.prune_weights), 0)
        model = source.model()
        alpha = prune(model, loss_of, sampler, settings, mixture)
        mask = learnt_mask(source.config, alpha, settings.target)
        facts = {"layers": kept_layers(mask), "prune_mixture": sampler.weights.tolist()}
        CACHE.mkdir(parents=True, exist_ok=True)
        torch.save([cut(model, mask).state_dict(), facts], file)
    return torch.load(file)


def pruned(source, settings, loss_of):
    """(weights in the target's shape, facts about how they came about)."""
    if settings.start == "scratch":
        return scratch(source, settings)
    if settings.start in ONE_SHOT:
        return one_shot(source, settings)
    return sheared(source, settings, loss_of)


def run(source, settings, loss_of):
    """Losses by domain on the test windows, before and after retraining, and what they cost."""
    began = time.monotonic()
    test, source_losses = source.test(settings)
    mixture = source.mixture(settings.retrain_mixture, settings)
    weights, facts = pruned(source, settings, loss_of)
    model = load(target_config(source.config, settings.target), weights)
    after_cut = heldout.losses(model, test)
    carried = settings.retrain_weights == "carried"
    start = np.array(facts["prune_mixture"]) if carried else start_weights(source.corpus, settings.retrain_weights)
    sampler = source.sampler(settings, start, 1)
    prune_steps = settings.prune_steps if settings.start == "sheared" else 0
    retrain_steps = settings.steps - prune_steps
    retrain(model, loss_of, sampler, retrain_steps, settings, mixture)
    flops = prune_steps * flops_a_token(source.config, settings.context)
    flops += retrain_steps * flops_a_token(model.config, settings.context)
    return {
        "natural": dict(zip(source.corpus.domains, source.corpus.weights.tolist())),
        "source": source_losses,
        "cut": after_cut,
        "final": heldout.losses(model, test),
        **facts,
        "retrain_mixture": sampler.weights.tolist(),
        "flops": flops * settings.tokens_a_step,
        "seconds": round(time.monotonic() - began, 1),
    }
