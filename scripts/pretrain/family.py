"""Writes public/models/index.json, and the family's table and curves in docs/source-model.md, from the cards.

    python3 scripts/pretrain/family.py
"""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "public/models"
DOCUMENT = ROOT / "docs/source-model.md"
BEGIN, END = "<!-- family -->", "<!-- /family -->"


def read(path):
    return json.loads(path.read_text())


def family():
    """[(folder, card, config)], smallest first."""
    members = [(path.parent, read(path), read(path.parent / "config.json")) for path in MODELS.glob("*/card.json")]
    return sorted(members, key=lambda member: member[1]["parameters"])


def shape(config):
    return (
        f"{config['num_hidden_layers']} layers, hidden size {config['hidden_size']}, "
        f"{config['num_attention_heads']} heads, intermediate size {config['intermediate_size']}"
    )


def index_entry(folder, card, config):
    return {
        "name": card["name"],
        "title": card["name"],
        "description": f"{shape(config)}; trained on {card['tokens_trained'] / 1e6:.0f} million tokens.",
        "parameters": card["parameters"],
        "bytes": (folder / "model.safetensors").stat().st_size,
    }


def table(members):
    domains = list(members[0][1]["validation_loss"])
    head = ["model", "shape", "parameters", "in blocks", "tokens", "mixture", *domains]
    rows = [
        [
            f"[{card['name']}](../public/models/{card['name']}/README.md)",
            shape(config),
            f"{card['parameters']:,}",
            f"{card['block_parameters']:,}",
            f"{card['tokens_trained'] / 1e6:.1f} M",
            f"{card['validation_loss_mixture']:.3f}",
            *(f"{card['validation_loss'][name]:.3f}" for name in domains),
        ]
        for _, card, config in members
    ]
    return markdown(head, rows)


def curves(members, points=12):
    """Quick checks of all members at about the same tokens."""
    checks = [
        {round(e["tokens"] / 1e6, 1): e["mixture"] for e in map(json.loads, (folder / "training.jsonl").open()) if "mixture" in e}
        for folder, _, _ in members
    ]
    shared = sorted(set.intersection(*(set(check) for check in checks)))
    step = max(1, len(shared) // points)
    picked = shared[step - 1 :: step]
    rows = [[f"{tokens:.1f}", *(f"{check[tokens]:.3f}" for check in checks)] for tokens in picked]
    return markdown(["million tokens", *(card["name"] for _, card, _ in members)], rows)


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    members = family()
    index = [index_entry(*member) for member in members]
    (MODELS / "index.json").write_text(json.dumps(index, indent=2) + "\n")
    text = DOCUMENT.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    part = (
        f"Loss on the whole validation split, nats a token:\n\n{table(members)}\n\n"
        "While they trained: loss on the natural mixture over 64 validation windows a domain, so slightly off the "
        f"table above.\n\n{curves(members)}"
    )
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{part}\n\n{END}{after}")


if __name__ == "__main__":
    main()
