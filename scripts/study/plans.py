"""The runs of the study, by plan. A plan answers one question; every run in it is a Settings."""

from dataclasses import replace
from itertools import product

from settings import Settings

SEEDS = (1, 2, 3)
BASE = Settings(retrain_lr=4e-3)
# Twice the rate of the pruned ones: a model from nothing wants more (plan rates).
SCRATCH = replace(BASE, start="scratch", retrain_lr=8e-3)
DYNAMIC = {"prune_mixture": "dynamic", "retrain_mixture": "dynamic", "retrain_weights": "carried"}
SEVERE = (4, 32, 2, 96)
DEPTH = (3, 64, 4, 192)
# The largest of the family, with its usual target and slower rates, as in its pretraining.
LARGE = {"source": "base", "target": (5, 144, 4, 384)}
LACKING = "without-code-mathematics"


def seeded(*runs, seeds=SEEDS):
    """Each of the runs with every seed, seed by seed, so that an interrupted plan has whole comparisons."""
    return [replace(run, seed=seed) for seed, run in product(seeds, runs)]


def started(start, **changes):
    return replace(BASE, start=start, **changes)


PLANS = {
    # Which rate of retraining suits which start?
    "rates": seeded(
        *(started("scratch", retrain_lr=rate) for rate in (4e-3, 8e-3, 16e-3)),
        *(started("sheared", retrain_lr=rate) for rate in (2e-3, 4e-3, 8e-3)),
        seeds=(1,),
    ),
    # What is the start worth, at equal total tokens?
    "starts": seeded(SCRATCH, started("activation"), started("sheared")),
    "scores": seeded(*(started(score) for score in ("random", "magnitude", "activation", "taylor"))),
    "severe": seeded(started("activation", target=SEVERE), started("sheared", target=SEVERE))
    + seeded(replace(SCRATCH, target=SEVERE)),
    "depth": seeded(started("activation", target=DEPTH), started("sheared", target=DEPTH, gates=("layer",))),
    # How long and how fast to prune, at equal total tokens, and does a longer run change the order?
    "prune-stage": seeded(
        *(
            started("sheared", prune_steps=steps, prune_lr=rate)
            for steps, rate in ((300, 1.5e-3), (300, 4e-3), (150, 4e-3), (300, 8e-3))
        ),
        seeds=(1,),
    ),
    "longer": seeded(
        replace(SCRATCH, steps=1800),
        started("activation", steps=1800),
        started("sheared", steps=1800),
    ),
    # At equal tokens of retraining, with the pruning for nothing?
    "equal-retraining": seeded(started("activation", steps=300), started("sheared")),
    "large": seeded(
        replace(SCRATCH, **LARGE, retrain_lr=4e-3),
        started("activation", **LARGE, retrain_lr=2e-3),
        started("sheared", **LARGE, retrain_lr=2e-3),
    ),
    # Does dynamic batch loading do something that the natural mixture does not?
    "dynamic": seeded(started("sheared"), started("sheared", **DYNAMIC)),
    "dynamic-one-shot": seeded(started("activation"), started("activation", retrain_mixture="dynamic")),
    # The mixture lacks two domains: does it find them again?
    "lacking": seeded(
        started("sheared"),
        started("sheared", prune_weights=LACKING, retrain_weights=LACKING),
        started("sheared", prune_weights=LACKING, **DYNAMIC),
    ),
}
