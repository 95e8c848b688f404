"""Writes distillation.json: a student that learns from a teacher of another width and depth, as golden.json has it.

    python3 scripts/reference/distillation.py

The objective is w * tau^2 * KL(softmax(teacher / tau) || softmax(student / tau)) + (1 - w) * cross-entropy, each the
mean over the B * (T - 1) positions that have a next token. Numbers are made and written as in golden.py.
"""

import json

import torch
import torch.nn.functional as F

from golden import (
    B, COMMON, HERE, SETS, T, TRAINING, Adam, NearKink, as_float32, away_from_kinks, build, defaults, flat, gate_shapes,
    gated, noise_of_step, plain_data, random_gates, training_inputs, weights_of,
)  # fmt: skip

STUDENT = {
    **COMMON, "vocab_size": 61, "hidden_size": 20, "num_attention_heads": 2, "num_key_value_heads": 2,
    "head_dim": 12, "intermediate_size": 28, "tie_word_embeddings": False, "attention_bias": False,
}  # fmt: skip
TEACHER = {
    **COMMON, "vocab_size": 61, "num_hidden_layers": 3, "hidden_size": 16, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 8, "intermediate_size": 24, "tie_word_embeddings": True,
    "attention_bias": True, "rope_theta": 500.0,
}  # fmt: skip
OBJECTIVES = [{"weight": 0.7, "temperature": 2.0}, {"weight": 1.0, "temperature": 1.0}]
TARGET_SPARSITY = [0.2, 0.3, 0.25, 0.4]


def parts(logits, teacher_logits, tokens, temperature):
    """Cross-entropy and divergence, without tau^2, in nats."""
    student = F.log_softmax(logits[:, :-1].flatten(0, 1) / temperature, -1)
    teacher = F.log_softmax(teacher_logits[:, :-1].flatten(0, 1) / temperature, -1)
    divergence = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return gated.next_token_loss(logits, tokens), divergence


def objective(loss, divergence, weight, temperature):
    return weight * temperature**2 * divergence + (1 - weight) * loss


def measure(student, teacher_logits, tokens, gates, weight, temperature):
    """Loss, divergence and the objective's gradient of every weight and, where gates are given, of every gate."""
    parameters = weights_of(student)
    inputs = {name: z.clone().requires_grad_() for name, z in gates.items()} if gates else {}
    logits = gated.gated_logits(student, tokens, inputs) if gates else student(tokens)
    loss, divergence = parts(logits, teacher_logits, tokens, temperature)
    total = objective(loss, divergence, weight, temperature)
    found = torch.autograd.grad(total, [*parameters.values(), *inputs.values()])
    result = {
        "weight": weight,
        "temperature": temperature,
        "loss": loss,
        "divergence": divergence,
        "weight_gradients": dict(zip(parameters, found)),
    }
    if gates:
        result["gate_gradients"] = dict(zip(inputs, found[len(parameters) :]))
    return result


def check_by_differences(student, teacher_logits, tokens, gates, weight, temperature, step=1e-6):
    """The middle entry of every weight's gradient against central differences."""
    exact = measure(student, teacher_logits, tokens, gates, weight, temperature)["weight_gradients"]
    with torch.no_grad():
        for name, parameter in weights_of(student).items():
            entries, at = parameter.view(-1), parameter.numel() // 2
            kept = entries[at].item()
            totals = []
            for sign in (1, -1):
                entries[at] = kept + sign * step
                logits = gated.gated_logits(student, tokens, gates)
                loss, divergence = parts(logits, teacher_logits, tokens, temperature)
                totals.append(objective(loss, divergence, weight, temperature).item())
            entries[at] = kept
            slope = (totals[0] - totals[1]) / (2 * step)
            assert abs(slope - exact[name].reshape(-1)[at].item()) < 1e-7, name


def copied(student):
    """The same float64 weights in another model, to be trained."""
    model = build(student.config, torch.Generator().manual_seed(0))
    model.load_state_dict(student.state_dict())
    return model


def training_trace(student, teacher, inputs, weight, temperature, weight_decay):
    """Steps of all weights, every gate open: clipped gradients, AdamW with constant rates as in golden.py."""
    model = copied(student)
    weights = list(weights_of(model).values())
    adam = Adam(weights, TRAINING["learning_rates"]["weights"], [weight_decay if p.dim() == 2 else 0.0 for p in weights])
    steps = []
    for entry in inputs:
        tokens = entry["tokens"]
        found = measure(model, teacher(tokens).detach(), tokens, None, weight, temperature)
        gradients = list(found["weight_gradients"].values())
        norm = torch.sqrt(sum(g.pow(2).sum() for g in gradients))
        scale = min(1.0, TRAINING["clip"] / (norm.item() + 1e-6))
        adam.step([g * scale for g in gradients])
        steps.append({"loss": found["loss"], "divergence": found["divergence"], "gradient_norm": norm})
    return {
        "weight": weight,
        "temperature": temperature,
        "weight_decay": weight_decay,
        "steps": steps,
        "final_weights": flat(weights_of(model)),
    }


def joint_step(student, teacher_logits, tokens, seed, weight, temperature, log_alpha_init=0.0):
    """One step's gradients with sampled gates: of the weights, of log alpha (with the constraint's part)."""
    noise = noise_of_step(student.config, seed, 0)
    log_alpha = {
        name: torch.full(shape, log_alpha_init, dtype=torch.float64, requires_grad=True)
        for name, shape in gate_shapes(student.config).items()
    }
    away_from_kinks(log_alpha, noise)
    gates = {name: gated.sample(log_alpha[name], noise[name]) for name in SETS}
    logits = gated.gated_logits(student, tokens, gates)
    loss, divergence = parts(logits, teacher_logits, tokens, temperature)
    constraint = sum(
        gated.lagrangian(gated.expected_sparsity(log_alpha[name]), target, 0.0, TRAINING["lambda2_init"])
        for name, target in zip(SETS, TARGET_SPARSITY)
    )
    parameters = weights_of(student)
    total = objective(loss, divergence, weight, temperature) + constraint
    found = torch.autograd.grad(total, [*parameters.values(), *log_alpha.values()])
    return {
        "seed": seed,
        "weight": weight,
        "temperature": temperature,
        "log_alpha_init": log_alpha_init,
        "lambda2_init": TRAINING["lambda2_init"],
        "target_sparsity": TARGET_SPARSITY,
        "loss": loss,
        "divergence": divergence,
        "lagrangian": constraint,
        "weight_gradients": flat(dict(zip(parameters, found))),
        "log_alpha_gradients": dict(zip(SETS, found[len(parameters) :])),
    }


def described(model):
    weights = {name: {"shape": list(p.shape), "data": p.detach().reshape(-1)} for name, p in weights_of(model).items()}
    return {"config": model.config, "weights": weights}


def main():
    generator = torch.Generator().manual_seed(21)
    student = build(defaults(STUDENT), generator)
    teacher = build(defaults(TEACHER), generator)
    tokens = torch.randint(0, STUDENT["vocab_size"], (B, T), generator=generator)
    gates = random_gates(student.config, generator)
    teacher_logits = teacher(tokens).detach()
    measured = []
    for settings in OBJECTIVES:
        check_by_differences(student, teacher_logits, tokens, gates, **settings)
        plain = measure(student, teacher_logits, tokens, None, **settings)
        plain["weight_gradients"] = flat(plain["weight_gradients"])
        measured.append(plain)
    with_gates = measure(student, teacher_logits, tokens, gates, **OBJECTIVES[0])
    with_gates["weight_gradients"] = flat(with_gates["weight_gradients"])
    for seed in range(1, 1000):
        try:
            joint = joint_step(student, teacher_logits, tokens, seed, **OBJECTIVES[0])
            break
        except NearKink:
            continue
    inputs = training_inputs(student.config, generator, seed, TRAINING["steps"])
    result = {
        "version": 1,
        "student": described(student),
        "teacher": described(teacher),
        "tokens": tokens,
        "plain": measured,
        "gates": gates,
        "gated": with_gates,
        "joint": joint,
        "training": {
            "learning_rate": TRAINING["learning_rates"]["weights"],
            "tokens": [entry["tokens"] for entry in inputs],
            "traces": [
                training_trace(student, teacher, inputs, weight_decay=decay, **settings)
                for settings, decay in zip(OBJECTIVES, (0.1, 0.0))
            ],
        },
    }
    text = json.dumps(plain_data(result), separators=(",", ":"))
    (HERE / "distillation.json").write_text(text + "\n")
    print(f"distillation.json: {len(text) / 1e6:.2f} MB")
    for case in [*measured, with_gates, joint]:
        print(f"w {case['weight']} tau {case['temperature']}: {case['loss']:.9f} {case['divergence']:.9f}")
    for trace in result["training"]["traces"]:
        print([f"{step['divergence']:.6f}" for step in trace["steps"]])


if __name__ == "__main__":
    main()
