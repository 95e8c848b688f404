"""Writes golden.json: logits, losses and every gradient of three tiny models, joint training traces, and adapters.

    python3 scripts/reference/golden.py

All arithmetic is float64. Weights, gates and noise are float32 values, so that a float32 engine starts from the
same numbers; they are written with nine significant digits, which is enough to give them back exactly.
"""

import json
import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pretrain"))

import gated  # noqa: E402
import lora  # noqa: E402
from model import Llama, defaults  # noqa: E402
from threefry import threefry  # noqa: E402

SETS = ["hidden", "head", "intermediate", "layer"]
B, T = 2, 17

COMMON = {"num_hidden_layers": 2, "max_position_embeddings": 32, "rms_norm_eps": 1e-5, "rope_theta": 10000.0}
MODELS = {
    "a": {
        **COMMON, "vocab_size": 61, "hidden_size": 24, "num_attention_heads": 3, "num_key_value_heads": 3,
        "head_dim": 8, "intermediate_size": 40, "tie_word_embeddings": False, "attention_bias": False,
    },
    "b": {
        **COMMON, "vocab_size": 67, "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 12, "intermediate_size": 48, "tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True,
    },
    "c": {
        **COMMON, "vocab_size": 53, "hidden_size": 24, "num_attention_heads": 2, "num_key_value_heads": 2,
        "head_dim": 12, "intermediate_size": 36, "tie_word_embeddings": False, "attention_bias": False,
        "rope_theta": 500.0,
        "rope_scaling": {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 128,
        },
    },
}  # fmt: skip


def as_float32(tensor):
    return tensor.float().double()


def build(config, generator):
    """Random float32 weights of ordinary size (norm weights about 1, biases about 0), held in float64."""
    model = Llama(config).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            if "norm" in name:
                value = 1 + 0.2 * noise
            elif parameter.dim() == 1:
                value = 0.1 * noise
            else:
                value = noise * (0.6 if "embed" in name else 1.2 / parameter.shape[1] ** 0.5)
            parameter.copy_(as_float32(value))
    return model


def gate_shapes(config):
    layers = config["num_hidden_layers"]
    return {
        "hidden": (config["hidden_size"],),
        "head": (layers, config["num_key_value_heads"]),
        "intermediate": (layers, config["intermediate_size"]),
        "layer": (layers,),
    }


def random_gates(config, generator):
    """A third zero, a third one, a third between; no row wholly zero, and layers stay partly open."""
    gates = {}
    for name, shape in gate_shapes(config).items():
        u = torch.rand(shape, generator=generator, dtype=torch.float64)
        z = as_float32((u * 3 - 1).clamp(0, 1))
        z[..., 0] = 0 if z.shape[-1] > 2 else 0.75
        z[..., -1] = as_float32(torch.tensor(0.4)) if z.shape[-1] <= 3 else z[..., -1]
        z[..., 1] = 1
        gates[name] = z
    return gates


def weights_of(model):
    """{name: parameter}; a tied head is the embedding and is not listed twice."""
    return dict(model.named_parameters())


def gradients(model, tokens, gates=None):
    """Loss, logits and the gradient of every weight, and of every gate where gates are given."""
    parameters = weights_of(model)
    inputs = {name: z.clone().requires_grad_() for name, z in gates.items()} if gates else {}
    logits = gated.gated_logits(model, tokens, inputs) if gates else model(tokens)
    loss = gated.next_token_loss(logits, tokens)
    found = torch.autograd.grad(loss, [*parameters.values(), *inputs.values()])
    weight_gradients = dict(zip(parameters, found))
    result = {"loss": loss, "logits": logits, "weight_gradients": weight_gradients}
    if gates:
        result["gate_gradients"] = dict(zip(inputs, found[len(parameters) :]))
    return result


def model_case(config, seed):
    generator = torch.Generator().manual_seed(seed)
    config = defaults(config)
    model = build(config, generator)
    tokens = torch.randint(0, config["vocab_size"], (B, T), generator=generator)
    gates = random_gates(config, generator)
    ones = {name: torch.ones_like(z) for name, z in gates.items()}
    plain, open_gates = gradients(model, tokens), gradients(model, tokens, ones)
    assert abs(plain["loss"] - open_gates["loss"]) < 1e-12, "gates of one have to change nothing"
    check_by_differences(model, tokens, gates)
    return {
        "config": config,
        "weights": {name: {"shape": list(p.shape), "data": p} for name, p in weights_of(model).items()},
        "tokens": tokens,
        "plain": plain,
        "gates": gates,
        "gated": gradients(model, tokens, gates),
    }


def check_by_differences(model, tokens, gates, step=1e-6):
    """The gated gradients against central differences, at a few entries that are not at a kink."""
    exact = gradients(model, tokens, gates)
    with torch.no_grad():
        for name, parameter in weights_of(model).items():
            flat, at = parameter.view(-1), parameter.numel() // 2
            kept = flat[at].item()
            losses = []
            for sign in (1, -1):
                flat[at] = kept + sign * step
                losses.append(gated.next_token_loss(gated.gated_logits(model, tokens, gates), tokens).item())
            flat[at] = kept
            slope = (losses[0] - losses[1]) / (2 * step)
            assert abs(slope - exact["weight_gradients"][name].reshape(-1)[at].item()) < 1e-7, name
        for name, z in gates.items():
            flat = z.view(-1)
            at = int((flat > 0).nonzero()[0])
            kept = flat[at].item()
            losses = []
            for sign in (1, -1):
                flat[at] = kept + sign * step
                losses.append(gated.next_token_loss(gated.gated_logits(model, tokens, gates), tokens).item())
            flat[at] = kept
            slope = (losses[0] - losses[1]) / (2 * step)
            assert abs(slope - exact["gate_gradients"][name].reshape(-1)[at].item()) < 1e-7, name


TRAINING = {
    "steps": 5,
    "target_shape": {"hidden": 16, "head": 2, "intermediate": 24, "layer": 1},
    "sparsity_warmup_share": 0.8,
    "beta": gated.BETA,
    "stretch": [gated.LOW, gated.HIGH],
    "epsilon": gated.EPSILON,
    "log_alpha_init": 3.0,
    "log_alpha_clamp": gated.CLAMP,
    "lambda1_init": 0.0,
    "lambda2_init": 10.0,
    "learning_rates": {"weights": 1e-3, "log_alpha": 0.5, "lambda": 0.2},
    "betas": [0.9, 0.95],
    "adam_epsilon": 1e-8,
    "clip": 1.0,
}


class Adam:
    """AdamW for one list of tensors: bias-corrected moments, decoupled decay, constant rate."""

    def __init__(self, tensors, rate, decays):
        self.tensors, self.rate, self.decays, self.t = tensors, rate, decays, 0
        self.m = [torch.zeros_like(p) for p in tensors]
        self.v = [torch.zeros_like(p) for p in tensors]

    def step(self, gradients):
        (b1, b2), eps = TRAINING["betas"], TRAINING["adam_epsilon"]
        self.t += 1
        for p, g, m, v, decay in zip(self.tensors, gradients, self.m, self.v, self.decays):
            m.mul_(b1).add_((1 - b1) * g)
            v.mul_(b2).add_((1 - b2) * g * g)
            update = (m / (1 - b1**self.t)) / ((v / (1 - b2**self.t)).sqrt() + eps)
            p.data.mul_(1 - self.rate * decay).sub_(self.rate * update)


def noise_of_step(config, seed, step):
    """u of every gate: the middle of one of 2^23 cells, from the first word of threefry(seed, (gate, step))."""
    u, index = {}, 0
    for name, shape in gate_shapes(config).items():
        count = torch.Size(shape).numel()
        words = [threefry((seed, 0), (index + i, step))[0] for i in range(count)]
        cells = [(2 * (word >> 9) + 1) / 2**24 for word in words]
        u[name] = as_float32(torch.tensor(cells, dtype=torch.float64).reshape(shape).clamp(1e-6, 1 - 1e-6))
        index += count
    return u


def training_inputs(config, generator, seed, steps):
    """For every step: tokens, and the noise that a run with this seed draws."""
    return [
        {
            "tokens": torch.randint(0, config["vocab_size"], (B, T), generator=generator),
            "u": noise_of_step(config, seed, step),
        }
        for step in range(steps)
    ]


def training_trace(case, inputs, weight_decay=0.0, log_alpha_init=TRAINING["log_alpha_init"], exact=True):
    """Joint steps: weights and log alpha descend, the multipliers ascend. `exact`: no gate may be near a kink."""
    config = case["config"]
    model = Llama(config).double()
    with torch.no_grad():
        for name, parameter in weights_of(model).items():
            parameter.copy_(case["weights"][name]["data"].detach())
    weights = list(weights_of(model).values())
    shapes = gate_shapes(config)
    full = {name: shape[-1] for name, shape in shapes.items()}
    targets = {name: 1 - TRAINING["target_shape"][name] / full[name] for name in SETS}
    log_alpha = {
        name: torch.full(shape, log_alpha_init, dtype=torch.float64, requires_grad=True)
        for name, shape in shapes.items()
    }
    scalar = lambda value: torch.tensor(value, dtype=torch.float64, requires_grad=True)  # noqa: E731
    lambda1 = {name: scalar(TRAINING["lambda1_init"]) for name in SETS}
    lambda2 = {name: scalar(TRAINING["lambda2_init"]) for name in SETS}
    rates = TRAINING["learning_rates"]
    adam_weights = Adam(weights, rates["weights"], [weight_decay if p.dim() == 2 else 0.0 for p in weights])
    alphas = [log_alpha[name] for name in SETS]
    multipliers = [*(lambda1[name] for name in SETS), *(lambda2[name] for name in SETS)]
    adam_alphas = Adam(alphas, rates["log_alpha"], [0.0] * len(alphas))
    adam_multipliers = Adam(multipliers, rates["lambda"], [0.0] * len(multipliers))

    warmup = TRAINING["sparsity_warmup_share"] * len(inputs)
    steps = []
    for step, entry in enumerate(inputs):
        for alpha in alphas:
            alpha.data.clamp_(-gated.CLAMP, gated.CLAMP)
        gates = {name: gated.sample(log_alpha[name], entry["u"][name]) for name in SETS}
        if exact:
            away_from_kinks(log_alpha, entry["u"])
        loss = gated.next_token_loss(gated.gated_logits(model, entry["tokens"], gates), entry["tokens"])
        sparsity = {name: gated.expected_sparsity(log_alpha[name]) for name in SETS}
        share = min(1.0, step / warmup)
        constraint = sum(
            gated.lagrangian(sparsity[name], targets[name] * share, lambda1[name], lambda2[name]) for name in SETS
        )
        found = torch.autograd.grad(loss + constraint, [*weights, *alphas, *multipliers])
        norm = torch.sqrt(sum(g.pow(2).sum() for g in found))
        scale = min(1.0, TRAINING["clip"] / (norm.item() + 1e-6))
        found = [g * scale for g in found]
        n, k = len(weights), len(alphas)
        adam_weights.step(found[:n])
        adam_alphas.step(found[n : n + k])
        adam_multipliers.step([-g for g in found[n + k :]])
        steps.append(
            {
                "loss": loss,
                "lagrangian": constraint,
                "expected_sparsity": {name: sparsity[name].mean() for name in SETS},
                "target_sparsity": {name: targets[name] * share for name in SETS},
                "gates": gates,
                "gradient_norm": norm,
                "after": {
                    "lambda1": {name: lambda1[name] for name in SETS},
                    "lambda2": {name: lambda2[name] for name in SETS},
                    "log_alpha": {name: log_alpha[name].clone() for name in SETS},
                    "weights_sum": sum(p.sum() for p in weights).item(),
                    "weights_sum_of_squares": sum(p.pow(2).sum() for p in weights).item(),
                },
            }
        )
        steps[-1] = plain_data(steps[-1])
    return {
        "weight_decay": weight_decay,
        "log_alpha_init": log_alpha_init,
        "steps": steps,
        "final_weights": {name: p for name, p in weights_of(model).items()},
    }


ADAPTERS = {
    # Every projection of fused and unfused products, an odd rank, dropout.
    "every": {"model": "b", "rank": 3, "alpha": 5.0, "dropout": 0.25, "projections": list(lora.PROJECTIONS)},
    # Some rows of a fused product, as PEFT adapts a LLaMA by default, and one layer without any.
    "some": {"model": "a", "rank": 4, "alpha": 4.0, "dropout": 0.0, "projections": ["q", "v", "down"]},
}
ADAPTER_STEPS, ADAPTER_SEED, ADAPTER_DECAY = 3, 2**40 + 7, 0.1


def adapter_case(case, settings, generator_seed):
    """Adapters that are not zero: logits, loss and gradients without dropout, then steps of AdamW with it."""
    generator = torch.Generator().manual_seed(generator_seed)
    config = case["config"]
    model = Llama(config).double()
    with torch.no_grad():
        for name, parameter in weights_of(model).items():
            parameter.copy_(case["weights"][name]["data"].detach())
    model.requires_grad_(False)
    adapters = lora.adapt(model, settings["rank"], settings["alpha"], settings["projections"])
    tensors = lora.tensors_of(adapters)
    for name, tensor in tensors.items():
        noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        tensor.data.copy_(as_float32(noise * (0.3 if "lora_A" in name else 0.2)))
    tokens = torch.randint(0, config["vocab_size"], (B, T), generator=generator)
    values = list(tensors.values())

    def loss_of(tokens):
        logits = model(tokens)
        return logits, gated.next_token_loss(logits, tokens)

    logits, loss = loss_of(tokens)
    found = torch.autograd.grad(loss, values)
    check_adapters(loss_of, tokens, tensors, found)
    result = {
        **settings,
        "adapters": plain_data(flat(tensors)),
        "tokens": tokens,
        "loss": loss,
        "logits": logits,
        "gradients": flat(dict(zip(tensors, found))),
    }
    adam = Adam(values, TRAINING["learning_rates"]["weights"], [ADAPTER_DECAY] * len(values))
    steps = []
    for step in range(ADAPTER_STEPS):
        tokens = torch.randint(0, config["vocab_size"], (B, T), generator=generator)
        lora.draw(adapters, settings["dropout"], ADAPTER_SEED, step, B * T)
        _, loss = loss_of(tokens)
        found = torch.autograd.grad(loss, values)
        norm = torch.sqrt(sum(g.pow(2).sum() for g in found))
        adam.step([g * min(1.0, TRAINING["clip"] / (norm.item() + 1e-6)) for g in found])
        steps.append(plain_data({"tokens": tokens, "loss": loss, "gradient_norm": norm}))
    return {**result, "steps": steps, "final_adapters": flat(tensors)}


def check_adapters(loss_of, tokens, tensors, exact, step=1e-6):
    """The adapters' gradients against central differences, at an entry of each."""
    with torch.no_grad():
        for (name, tensor), gradient in zip(tensors.items(), exact):
            values, at = tensor.view(-1), tensor.numel() // 2
            kept = values[at].item()
            losses = []
            for sign in (1, -1):
                values[at] = kept + sign * step
                losses.append(loss_of(tokens)[1].item())
            values[at] = kept
            assert abs((losses[0] - losses[1]) / (2 * step) - gradient.reshape(-1)[at].item()) < 1e-7, name


class NearKink(Exception):
    pass


def away_from_kinks(log_alpha, noise):
    """No gate may lie so near to 0 or 1 that float32 would put it on the other side."""
    for name in SETS:
        u = noise[name]
        s = torch.sigmoid((torch.log(u) - torch.log(1 - u) + log_alpha[name].detach()) / gated.BETA)
        stretched = s * (gated.HIGH - gated.LOW) + gated.LOW
        nearest = torch.minimum(stretched.abs(), (stretched - 1).abs()).min()
        if nearest <= 2e-5:
            raise NearKink(f"{name}: a gate is {nearest:.1e} from a kink")


def plain_data(value):
    """Tensors to (nested) lists, numbers to nine significant digits."""
    if isinstance(value, torch.Tensor):
        return plain_data(value.detach().tolist())
    if isinstance(value, dict):
        return {key: plain_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def flat(tensors):
    """{name: tensor} -> {name: row-major list}."""
    return {name: tensor.detach().reshape(-1) for name, tensor in tensors.items()}


def flatten_case(case):
    result = dict(case)
    result["weights"] = {
        name: {"shape": entry["shape"], "data": entry["data"].detach().reshape(-1)}
        for name, entry in case["weights"].items()
    }
    for kind in ("plain", "gated"):
        result[kind] = {**case[kind], "weight_gradients": flat(case[kind]["weight_gradients"])}
    return result


def main():
    cases = {name: model_case(config, seed) for seed, (name, config) in enumerate(MODELS.items(), start=1)}
    config = cases["a"]["config"]
    for seed in range(1, 1000):
        inputs = training_inputs(config, torch.Generator().manual_seed(11), seed, TRAINING["steps"])
        try:
            traces = [training_trace(cases["a"], inputs, decay) for decay in (0.0, 0.1)]
            # From 0, a sixth of the gates are exactly zero and most others fractional.
            traces.append(training_trace(cases["a"], inputs, log_alpha_init=0.0))
            break
        except NearKink:
            continue
    for trace in traces:
        trace["final_weights"] = flat(trace["final_weights"])
    drift_inputs = training_inputs(config, torch.Generator().manual_seed(12), seed, 50)
    drift = training_trace(cases["a"], drift_inputs, exact=False)
    adapted = {
        name: adapter_case(cases[settings["model"]], settings, 21 + i)
        for i, (name, settings) in enumerate(ADAPTERS.items())
    }
    golden = {
        "version": 3,
        "models": {name: flatten_case(case) for name, case in cases.items()},
        "training": {"model": "a", "settings": TRAINING, "seed": seed, "inputs": inputs, "traces": traces},
        "drift": {
            "tokens": [entry["tokens"] for entry in drift_inputs],
            "loss": [step["loss"] for step in drift["steps"]],
            "expected_sparsity": [step["expected_sparsity"] for step in drift["steps"]],
        },
        "adapters": {"seed": ADAPTER_SEED, "weight_decay": ADAPTER_DECAY, "cases": adapted},
    }
    text = json.dumps(plain_data(golden), separators=(",", ":"))
    (HERE / "golden.json").write_text(text + "\n")
    print(f"golden.json: {len(text) / 1e6:.2f} MB")
    for name, case in cases.items():
        print(name, f"plain {case['plain']['loss']:.9f}, gated {case['gated']['loss']:.9f}")
    print("seed", seed, "drift", golden["drift"]["loss"][0], golden["drift"]["loss"][-1])
    for name, case in adapted.items():
        print("adapters", name, [round(step["loss"], 6) for step in case["steps"]])
    for trace in traces:
        print([round(step["loss"] + step["lagrangian"], 6) for step in trace["steps"]])


if __name__ == "__main__":
    main()
