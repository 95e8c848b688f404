"""Writes a Hugging Face folder: config, weights, tokenizer, generation defaults, card.json and README.md."""

import json
import shutil

import safetensors_file
from evaluate import domain_losses, mixture_loss
from weights_hash import weights_hash

TOKEN = "<|endoftext|>"
# The engine's test measures this many windows a domain: enough to show a wrong kernel, few enough for a software adapter.
SAMPLE_WINDOWS = 16


def hugging_face_config(config):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **config,
        "hidden_act": "silu",
        "attention_dropout": 0.0,
        "mlp_bias": config.get("mlp_bias", False),
        "initializer_range": 0.02,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "torch_dtype": "float32",
        "use_cache": True,
    }


def parameter_count(model):
    return sum(parameter.numel() for parameter in {id(p): p for p in model.parameters()}.values())


def write_json(path, value, indent=2):
    path.write_text(json.dumps(value, indent=indent) + "\n")


def block_parameter_count(model):
    return sum(parameter.numel() for name, parameter in model.named_parameters() if ".layers." in name)


def held_out_losses(model, corpus, context, device):
    """The card's losses: both held-out splits whole, and a sample of validation's windows, evenly spread."""
    splits = {split: corpus.windows(split, context) for split in ("validation", "test")}
    spread = lambda rows: rows[[i * len(rows) // SAMPLE_WINDOWS for i in range(SAMPLE_WINDOWS)]]
    sample = {name: spread(rows) for name, rows in splits["validation"].items()}
    rounded = lambda losses: {name: round(loss, 5) for name, loss in losses.items()}
    validation, test = (domain_losses(model, splits[split], device) for split in ("validation", "test"))
    return {
        "validation_loss": rounded(validation),
        "validation_loss_mixture": round(mixture_loss(validation, corpus.domains, corpus.weights), 5),
        "validation_windows": {name: len(rows) for name, rows in splits["validation"].items()},
        "validation_sample_windows": SAMPLE_WINDOWS,
        "validation_loss_sample": rounded(domain_losses(model, sample, device)),
        "test_loss": rounded(test),
        "test_loss_mixture": round(mixture_loss(test, corpus.domains, corpus.weights), 5),
    }


def export(folder, model, config, corpus, tokens_trained, curve, command, device):
    """curve: the log's entries, thinned here; command: what made the model."""
    folder.mkdir(parents=True, exist_ok=True)
    context = config["max_position_embeddings"]
    write_json(folder / "config.json", hugging_face_config(config))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": TOKEN,
            "eos_token": TOKEN,
            "clean_up_tokenization_spaces": False,
            "model_max_length": context,
        },
    )
    write_json(
        folder / "generation_config.json",
        {"bos_token_id": 0, "eos_token_id": 0, "do_sample": True, "temperature": 0.8, "top_p": 0.95},
    )
    shutil.copyfile(corpus.folder / corpus.manifest["tokenizer"]["file"], folder / "tokenizer.json")
    tensors = dict(model.state_dict())
    if config.get("tie_word_embeddings"):
        tensors.pop("lm_head.weight")
    safetensors_file.save(folder / "model.safetensors", tensors)

    card = {
        "name": folder.name,
        "parameters": parameter_count(model),
        "block_parameters": block_parameter_count(model),
        "tokens_trained": tokens_trained,
        "context": context,
        **held_out_losses(model, corpus, context, device),
        "corpus_tokenizer_sha256": corpus.manifest["tokenizer"]["sha256"],
        "weights_sha256": weights_hash(folder / "model.safetensors"),
        "trained_with": command,
    }
    write_json(folder / "card.json", card)
    thinned = thin(curve)
    (folder / "training.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in thinned))
    (folder / "README.md").write_text(model_card(card, config, corpus, thinned))
    return card


def thin(curve, points=200):
    """About `points` training entries (each the mean of those it stands for) and every validation entry."""
    training = [entry for entry in curve if "loss" in entry]
    step = max(1, len(training) // points)
    kept = []
    for at in range(0, len(training), step):
        group = training[at : at + step]
        mean = sum(entry["loss"] for entry in group) / len(group)
        kept.append({**group[-1], "loss": round(mean, 4)})
    return sorted(kept + [entry for entry in curve if "validation" in entry], key=lambda entry: entry["step"])


def model_card(card, config, corpus, curve):
    titles = {domain["name"]: domain["title"] for domain in corpus.manifest["domains"]}
    rows = "\n".join(
        f"| {titles[name]} | {weight:.2f} | {card['validation_loss'][name]:.3f} | "
        f"{card['test_loss'][name]:.3f} | {card['validation_windows'][name]} |"
        for name, weight in zip(corpus.domains, corpus.weights)
    )
    checks = [entry for entry in curve if "validation" in entry]
    picked = [checks[round(i * (len(checks) - 1) / 9)] for i in range(10)] if len(checks) > 10 else checks
    figures = "\n".join(f"| {entry['step']} | {entry['tokens'] / 1e6:.1f} | {entry['mixture']:.3f} |" for entry in picked)
    shape = (
        f"{config['num_hidden_layers']} layers, hidden size {config['hidden_size']}, "
        f"{config['num_attention_heads']} heads of {config['head_dim']} "
        f"({config['num_key_value_heads']} key/value heads), intermediate size {config['intermediate_size']}, "
        f"vocabulary {config['vocab_size']:,}, context {card['context']}, "
        f"{'tied' if config['tie_word_embeddings'] else 'untied'} embeddings"
    )
    return f"""---
license: mit
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [llama, tiny, pruning]
---

# shear-lab {card['name']}

A very small LLaMA to prune: one of the lab's family of source models. It writes text that looks like
its domains and means nothing; it knows no facts and is no use for anything but studying pruning.

- **Shape**: {shape}. {card['parameters']:,} parameters ({card['block_parameters']:,} in blocks), float32.
- **Training**: {card['tokens_trained']:,} tokens of the lab's seven-domain corpus at its natural mixture.
- **Text begins and ends** with `<|endoftext|>` (id 0): put it before a prompt that opens a document.

## Losses on held-out text

| domain | weight | validation (nats a token) | test | validation windows |
|---|---|---|---|---|
{rows}

Natural mixture: **{card['validation_loss_mixture']:.3f}** (validation), **{card['test_loss_mixture']:.3f}** (test).
Each domain's whole split is cut into non-overlapping windows of {card['context']} tokens, run one by one: {card['context'] - 1} predictions a window, the first
token of a window is not predicted, the remainder of the split is dropped. Mean over predicted tokens, float32.

## Training curve

Quick checks on 64 validation windows a domain while it trained, so slightly off the table above.

| step | million tokens | loss on the mixture |
|---|---|---|
{figures}

`training.jsonl` holds the whole curve, thinned; `card.json` the figures of this page.

## Train it again

    {card['trained_with']}

Matrix products run in bfloat16 on a CPU, and where `--minutes` is given the schedule follows the clock, so a second
run is close, not equal. The texts and their licences are listed in `public/corpus/LICENCES.md`; `docs/corpus.md`
says how they were prepared and what they cannot show.
"""
