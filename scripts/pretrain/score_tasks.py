"""Scores a model of the family on public/tasks, as `npm run -s cli -- tasks MODEL --tasks all --json` does.

    pip install tokenizers
    python3 scripts/pretrain/score_tasks.py public/models/base > results.json

The same items, rules and names of fields as the lab's own scorer (docs/evaluation.md), written apart from it: for
machines whose CPU is quick and whose GPU is none, and as a check of that scorer.
"""

import argparse
import hashlib
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

import safetensors_file
from model import Llama
from weights_hash import weights_hash

ROOT = Path(__file__).resolve().parents[2]
Z = 1.959963984540054  # the two-sided 95 % point of the normal distribution
BATCH = 64


def requests(tokenizer, item, context_length):
    """[(tokens, how many of the last are scored)] of an item's choices, or of its one word."""
    context = item["context"].rstrip()
    spaces = item["context"][len(context) :]
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    before = encode(context) if context else [0]
    for text in item.get("choices") or [item["word"]]:
        tokens = encode(context + spaces + text) if context else [0, *encode(spaces + text)]
        yield tokens[-(context_length + 1) :], len(tokens) - len(before)


@torch.no_grad()
def likelihoods(model, wanted):
    """(sum of ln p, whether every token was the likeliest) of each request; requests of like length share a batch."""
    answers = [None] * len(wanted)
    order = sorted(range(len(wanted)), key=lambda i: len(wanted[i][0]))
    for at in range(0, len(order), BATCH):
        group = order[at : at + BATCH]
        length = max(len(wanted[i][0]) for i in group)
        rows = torch.zeros(len(group), length, dtype=torch.long)
        for row, i in enumerate(group):
            tokens = wanted[i][0]
            rows[row, : len(tokens)] = torch.tensor(tokens)  # padded on the right: causal attention never looks there
        logits = torch.log_softmax(model(rows[:, :-1]), dim=-1)
        for row, i in enumerate(group):
            tokens, scored = wanted[i]
            targets = torch.tensor(tokens[-scored:])
            own = logits[row, len(tokens) - 1 - scored : len(tokens) - 1]
            answers[i] = (
                own[torch.arange(scored), targets].sum().item(),
                bool((own.argmax(-1) == targets).all()),
            )
    return answers


def share(name, right):
    """A share with its standard error and Wilson's 95 % interval."""
    n, p = len(right), sum(right) / len(right)
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    error = math.sqrt(p * (1 - p) / (n - 1)) if n > 1 else None
    return {name: p, f"{name}_stderr": error, f"{name}_interval": [max(0, centre - half), min(1, centre + half)]}


def outcome(item, answers):
    """(acc, acc_norm or None, ln p of the word or None)"""
    if "word" in item:
        [(total, greedy)] = answers
        return greedy, None, total
    sums = [total for total, _ in answers]
    lengths = [max(1, len(choice.removeprefix(" "))) for choice in item["choices"]]
    best = lambda values: int(np.argmax(values)) == item["answer"]
    return best(sums), best([total / length for total, length in zip(sums, lengths)]), None


def scores(outcomes):
    acc, acc_norm, words = zip(*outcomes)
    result = {"n": len(acc), **share("acc", acc)}
    if acc_norm[0] is not None:
        result.update(share("acc_norm", acc_norm))
    if words[0] is not None:
        result["word_perplexity"] = math.exp(-sum(words) / len(words))
    return result


def score_task(model, tokenizer, folder, entry):
    content = (folder / entry["file"]).read_bytes()
    items = json.loads(content)["items"]
    wanted = [list(requests(tokenizer, item, model.config["max_position_embeddings"])) for item in items]
    answers = iter(likelihoods(model, [request for of_item in wanted for request in of_item]))
    outcomes = [outcome(item, [next(answers) for _ in of_item]) for item, of_item in zip(items, wanted)]
    groups = list(dict.fromkeys(item["group"] for item in items if item.get("group") is not None))
    in_group = lambda group: [done for item, done in zip(items, outcomes) if item.get("group") == group]
    return {
        **{key: entry[key] for key in ("name", "form", "domain", "metric", "chance")},
        **scores(outcomes),
        "groups": {group: scores(in_group(group)) for group in groups},
        "file_sha256": hashlib.sha256(content).hexdigest(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--tasks", type=Path, default=ROOT / "public/tasks")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = Llama(json.loads((args.model / "config.json").read_text()))
    weights = safetensors_file.load(args.model / "model.safetensors")
    model.load_state_dict(weights)
    model.eval()
    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    index = json.loads((args.tasks / "index.json").read_text())
    began, tasks = time.monotonic(), []
    for entry in index["tasks"]:
        tasks.append(score_task(model, tokenizer, args.tasks, entry))
        print(f"{entry['name']}: {tasks[-1][entry['metric']]:.3f}", file=sys.stderr, flush=True)
    result = {
        "model": {
            "name": args.model.resolve().name,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "weights_sha256": weights_hash(args.model / "model.safetensors"),
        },
        "corpus_manifest_sha256": index["corpus_manifest_sha256"],
        "seconds": round(time.monotonic() - began, 1),
        "tasks": tasks,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
