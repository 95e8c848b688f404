"""Writes the tables of docs/study.md from docs/study/results.jsonl, between their markers.

    python3 scripts/study/table.py

A table belongs to a plan. Its rows are the plan's settings, named by those that differ within it; its figures are
mean and standard deviation over the seeds.
"""

import json
import re
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev

from plans import PLANS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/study.md"
RESULTS = ROOT / "docs/study/results.jsonl"


def mixture_loss(result, losses):
    return sum(result["natural"][name] * loss for name, loss in losses.items())


def excess(result):
    """Loss above the source model's, by domain."""
    return [loss - result["source"][name] for name, loss in result["final"].items()]


# Column title -> figure of one run. Losses are nats a token on the test windows.
FIGURES = {
    "after the cut": lambda r: mixture_loss(r, r["cut"]),
    "natural": lambda r: mixture_loss(r, r["final"]),
    "uniform": lambda r: mean(r["final"].values()),
    "worst excess": lambda r: max(excess(r)),
    "spread": lambda r: max(excess(r)) - min(excess(r)),
}


def shown(values):
    return f"{mean(values):.3f} ± {stdev(values):.3f}" if len(values) > 1 else f"{values[0]:.3f}"


def grouped(results):
    """{settings without the seed, as JSON: results}, in order of appearance."""
    groups = {}
    for result in results:
        settings = {key: value for key, value in result["settings"].items() if key != "seed"}
        groups.setdefault(json.dumps(settings), []).append(result)
    return groups


def setting(value):
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def table(results):
    if not results:
        return "Not run yet."
    groups = [(json.loads(settings), runs) for settings, runs in grouped(results).items()]
    differs = {key for key in groups[0][0] if len({json.dumps(settings[key]) for settings, _ in groups}) > 1}
    varied = [key for key in groups[0][0] if key in differs or key == "start"]
    rows = [[key.replace("_", " ") for key in varied] + list(FIGURES) + ["10¹² FLOP", "n"]]
    for settings, runs in groups:
        figures = [shown([figure(run) for run in runs]) for figure in FIGURES.values()]
        flops = f"{mean(run['flops'] for run in runs) / 1e12:.1f}"
        rows.append([setting(settings[key]) for key in varied] + figures + [flops, str(len(runs))])
    widths = [max(3, *map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * width for width in widths])
    # Padded as prettier wants it.
    return "\n".join(f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows)


def main():
    results = {}
    for line in RESULTS.read_text().splitlines():
        result = json.loads(line)
        results[json.dumps(result["settings"])] = result
    text = DOCUMENT.read_text()
    for name in re.findall(r"<!-- plan: ([a-z-]+) -->", text):
        planned = [json.dumps(asdict(settings)) for settings in PLANS[name]]
        found = [results[settings] for settings in planned if settings in results]
        marker = re.compile(rf"(<!-- plan: {name} -->\n).*?(<!-- end -->)", re.S)
        text = marker.sub(lambda match: f"{match[1]}\n{table(found)}\n\n{match[2]}", text)
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
