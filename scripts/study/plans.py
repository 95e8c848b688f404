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
LACKING = "without-speeches-mathematics"


def seeded(*runs, seeds=SEEDS):
    """Each of the runs with every seed, seed by seed, so that an interrupted plan has whole comparisons."""
    return [replace(run, seed=seed) for seed, run in product(seeds, runs)]


def started(start, **changes):
    return replace(BASE, start=start, **changes)


PLANS = {
    # Which rate of retraining suits which start?
    "rates": seeded(
        *(
            started(start, retrain_lr=rate)
            for start in ("scratch", "activation", "sheared")
            for rate in (2e-3, 4e-3, 8e-3)
        ),
        seeds=(1,),
    ),
    # What is the start worth, at equal total tokens?
    "starts": seeded(SCRATCH, *(started(start) for start in ("random", "magnitude", "activation", "taylor", "sheared"))),
    "severe": seeded(
        replace(SCRATCH, target=SEVERE), *(started(start, target=SEVERE) for start in ("activation", "taylor", "sheared"))
    ),
    "depth": seeded(started("activation", target=DEPTH), started("sheared", target=DEPTH, gates=("layer",))),
    # How long to prune, at equal total tokens, and does a longer run change the order?
    "prune-length": seeded(*(started("sheared", prune_steps=steps) for steps in (150, 300, 450))),
    "longer": seeded(
        replace(SCRATCH, steps=1800), *(started(start, steps=1800) for start in ("activation", "sheared"))
    ),
    # Does dynamic batch loading do something that the natural mixture does not?
    "dynamic": seeded(
        started("sheared"),
        started("sheared", **DYNAMIC),
        started("activation"),
        started("activation", retrain_mixture="dynamic"),
    ),
    # The mixture lacks two domains: does it find them again?
    "lacking": seeded(
        started("sheared"),
        started("sheared", prune_weights=LACKING, retrain_weights=LACKING),
        started("sheared", prune_weights=LACKING, **DYNAMIC),
        started("sheared", prune_weights=LACKING),
        started("sheared", prune_weights=LACKING, retrain_mixture="dynamic"),
    ),
}
