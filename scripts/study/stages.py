"""The two stages of an experiment: gates and weights trained together, and the cut model trained on."""

import math

import torch
from torch import nn
import torch.nn.functional as F

import gated
from masks import gate_shapes, kept_units, learnt_mask

ADAM = {"betas": (0.9, 0.95), "eps": 1e-8}
CLIP = 1.0


def rate_share(step, steps, warmup, floor=0.1):
    """Linear warm-up, then a cosine to the floor; the same numbers as src/training/schedule.ts."""
    rising = round(steps * warmup)
    if step < rising:
        return (step + 1) / rising
    progress = 0 if steps - rising <= 1 else (step - rising) / (steps - rising)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))


class Masked(nn.Module):
    """A model seen through gates, for evaluation."""

    def __init__(self, model, mask):
        super().__init__()
        self.model, self.mask = model, mask

    def forward(self, tokens):
        return gated.gated_logits(self.model, tokens, self.mask)


def forward_loss(model, tokens, gates=None):
    """Mean next-token loss of (B, T); products in bfloat16, everything else in float32."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = gated.gated_logits(model, tokens[:, :-1], gates) if gates else model(tokens[:, :-1])
    return F.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())


def update(optimiser, loss, share):
    """One step; gradients are clipped over all groups together, every group's rate is its peak times `share`."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], CLIP)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * share
    optimiser.step()


def group_of(parameters, peak, **options):
    return {"params": list(parameters), "peak": peak, "lr": peak, **options}


def prune(model, loss_of, sampler, settings, on_evaluation):
    """Trains model and gates in place and returns log alpha. `loss_of` is forward_loss, compiled or not. `on_evaluation(masked model, sampler)` is called every
    evaluation interval and after the last step, with as many units closed as the gates expect at that time."""
    generator = torch.Generator().manual_seed(settings.seed)
    shapes, kept = gate_shapes(model.config), kept_units(model.config, settings.target)
    sets = [name for name in shapes if name in settings.gates]
    alpha = {name: torch.full(shapes[name], settings.log_alpha, requires_grad=True) for name in sets}
    final = {name: 1 - kept[name] / shapes[name][-1] for name in sets}
    # One pair (lambda 1, lambda 2) a gate set.
    multipliers = {name: torch.tensor([0.0, settings.lambda2], requires_grad=True) for name in sets}
    optimiser = torch.optim.Adam(
        [
            group_of(model.parameters(), settings.prune_lr),
            group_of(alpha.values(), settings.gate_lr),
            group_of(multipliers.values(), settings.multiplier_lr, maximize=True),
        ],
        **ADAM,
    )
    for step in range(settings.prune_steps):
        gates = {name: torch.ones(shape) for name, shape in shapes.items()}
        rise = min(1.0, step / (settings.prune_steps * settings.sparsity_warmup))
        penalty = 0.0
        for name in sets:
            with torch.no_grad():
                alpha[name].clamp_(-gated.CLAMP, gated.CLAMP)
            u = torch.empty(shapes[name]).uniform_(gated.EPSILON, 1 - gated.EPSILON, generator=generator)
            gates[name] = gated.sample(alpha[name], u)
            sparsity = gated.expected_sparsity(alpha[name])
            penalty = penalty + gated.lagrangian(sparsity, final[name] * rise, *multipliers[name])
        loss = loss_of(model, sampler.next(), gates)
        update(optimiser, loss + penalty, rate_share(step, settings.prune_steps, 0.1))
        if (step + 1) % settings.evaluation_interval == 0 or step + 1 == settings.prune_steps:
            on_evaluation(Masked(model, learnt_mask(model.config, alpha)), sampler)
    return {name: value.detach().clamp(-gated.CLAMP, gated.CLAMP) for name, value in alpha.items()}


def retrain(model, loss_of, sampler, steps, settings, on_evaluation):
    """Trains all weights in place for `steps`; `on_evaluation(model, sampler)` as in `prune`."""
    optimiser = torch.optim.Adam([group_of(model.parameters(), settings.retrain_lr)], **ADAM)
    for step in range(steps):
        update(optimiser, loss_of(model, sampler.next()), rate_share(step, steps, 0.03))
        if (step + 1) % settings.evaluation_interval == 0 and step + 1 < steps:
            on_evaluation(model, sampler)
