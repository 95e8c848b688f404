"""Checks of the study's own parts, on random small models: `python3 scripts/study/check.py`."""

import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/pretrain"), str(ROOT / "scripts/reference")]

import gated  # noqa: E402
from masks import close_smallest, cut, gate_shapes, learnt_mask, one_shot_mask  # noqa: E402
from mixture import updated  # noqa: E402
from model import Llama, defaults  # noqa: E402
from scores import ONE_SHOT  # noqa: E402

CONFIG = defaults(
    {
        "vocab_size": 61, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 4,
        "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 8, "max_position_embeddings": 16,
    }
)  # fmt: skip
TARGET = (2, 16, 4, 24)


def source():
    """Float64, so that only a wrong formula differs."""
    model = Llama(CONFIG).double()
    model.initialise(5)
    return model


def the_cut_model_is_the_masked_model():
    model, generator = source(), torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 61, (2, 16), generator=generator)
    alpha = {name: torch.randn(shape, generator=generator) for name, shape in gate_shapes(CONFIG).items()}
    mask = {name: value.double() for name, value in learnt_mask(CONFIG, alpha, TARGET).items()}
    difference = (gated.gated_logits(model, tokens, mask) - cut(model, mask).double()(tokens)).abs().max()
    # cut builds a float32 model of float64 products.
    assert difference < 1e-5, difference


def masks_keep_the_target_and_break_ties_by_index():
    assert close_smallest(torch.zeros(4), torch.tensor([3])).tolist() == [True, False, False, False]
    assert close_smallest(torch.tensor([[3.0, 1, 2], [1, 2, 3]]), torch.tensor([1, 2])).tolist() == [
        [True, False, True],
        [False, False, True],
    ]
    # At log alpha 4.6 a gate is closed with probability .002, at -4.6 with .95 (docs/method.md, section 1): of 24, none and 23.
    open_all = learnt_mask(CONFIG, {"hidden": torch.full((24,), 4.6)})["hidden"]
    assert (open_all > 0.99).all()
    assert learnt_mask(CONFIG, {"hidden": torch.full((24,), -4.6)})["hidden"].count_nonzero() == 1


def every_score_keeps_the_target():
    model, generator = source().float(), torch.Generator().manual_seed(2)
    batches = [torch.randint(0, 61, (3, 16), generator=generator) for _ in range(2)]
    for name, score in ONE_SHOT.items():
        scores = score(model, batches, generator)
        assert {key: tuple(value.shape) for key, value in scores.items()} == gate_shapes(CONFIG), name
        small = cut(model, one_shot_mask(CONFIG, scores, TARGET))
        assert small(batches[0]).shape == (3, 16, 61), name


def taylor_sees_a_unit_that_does_nothing():
    model, generator = source().float(), torch.Generator().manual_seed(3)
    with torch.no_grad():
        model.model.layers[1].mlp.down_proj.weight[:, 7] = 0
    scores = ONE_SHOT["taylor"](model, [torch.randint(0, 61, (2, 16), generator=generator)], generator)
    assert scores["intermediate"].argmin() == CONFIG["intermediate_size"] + 7


def the_mixture_follows_the_excess():
    """docs/method.md, section 5: weights 1/2, 1/2 with excess losses ln 3 and 0 become 3/4, 1/4, but for the smoothing."""
    weights = updated(torch.tensor([0.5, 0.5]).numpy(), {"a": 3 + 1.0986123, "b": 2.0}, {"a": 3.0, "b": 2.5})
    assert abs(weights[0] - (0.9999 * 0.75 + 0.00005)) < 1e-6, weights


if __name__ == "__main__":
    for check in (
        the_cut_model_is_the_masked_model,
        masks_keep_the_target_and_break_ties_by_index,
        every_score_keeps_the_target,
        taylor_sees_a_unit_that_does_nothing,
        the_mixture_follows_the_excess,
    ):
        check()
        print(f"{check.__name__}: holds")
