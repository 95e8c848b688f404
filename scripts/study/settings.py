"""What one run of the study is: plain data. The defaults are those of the lab (src/experiment/schema.ts)."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Settings:
    source: str = "nano"
    # Layers, hidden size, attention heads, MLP width.
    target: tuple = (4, 48, 3, 128)
    # Where retraining starts: scratch, or units kept by random, magnitude, activation, taylor, or sheared.
    start: str = "sheared"
    # Gate sets that sheared learns; a one-shot score keeps what the target asks for.
    gates: tuple = ("hidden", "head", "intermediate", "layer")
    # Optimiser steps in all. Only sheared spends some of them on pruning, the rest is retraining.
    steps: int = 600
    prune_steps: int = 300
    tokens_a_step: int = 2048
    context: int = 128
    prune_lr: float = 1.5e-3
    gate_lr: float = 0.5
    multiplier_lr: float = 0.2
    lambda2: float = 200.0
    log_alpha: float = 3.0
    sparsity_warmup: float = 0.5
    retrain_lr: float = 2e-3
    # constant or dynamic; the weights it starts from are a name of mixture.WEIGHTS, or "carried": those that
    # the dynamic mixture of the prune stage ended with.
    prune_mixture: str = "constant"
    prune_weights: str = "natural"
    retrain_mixture: str = "constant"
    retrain_weights: str = "natural"
    evaluation_interval: int = 20
    evaluation_windows: int = 64
    seed: int = 1

    def prune_stage(self):
        """The settings that a pruned model depends on: runs that agree on them share it."""
        retraining = ("steps", "retrain_lr", "retrain_mixture", "retrain_weights")
        return {key: value for key, value in asdict(self).items() if key not in retraining}
