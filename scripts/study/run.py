"""Runs the study's experiments that have no result yet and appends one JSON line each to docs/study/results.jsonl.

    python3 scripts/study/run.py starts dynamic      the plans of scripts/study/plans.py, by name
    python3 scripts/study/run.py --list

It can be stopped and started again at any time. --compile needs PyTorch 2 and a C++ compiler, and halves the time.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/pretrain"), str(ROOT / "scripts/reference")]

from experiment import run  # noqa: E402
from plans import PLANS  # noqa: E402
from source import Source, digest  # noqa: E402
from stages import forward_loss  # noqa: E402

RESULTS = ROOT / "docs/study/results.jsonl"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plans", nargs="*", metavar="PLAN")
    parser.add_argument("--list", action="store_true", help="name the plans and how many runs each has")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    if unknown := set(args.plans) - set(PLANS):
        parser.error(f"no such plan: {', '.join(sorted(unknown))}")
    return args


def rounded(value):
    """Five significant digits: far finer than what two seeds differ by."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main():
    args = arguments()
    if args.list:
        print("\n".join(f"{name}: {len(runs)} runs" for name, runs in PLANS.items()))
    torch.set_num_threads(args.threads)
    loss_of = torch.compile(forward_loss) if args.compile else forward_loss
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    done = {json.loads(line)["key"] for line in lines}
    sources = {}
    for settings in [settings for plan in args.plans for settings in PLANS[plan]]:
        if settings.source not in sources:
            sources[settings.source] = Source(settings.source)
        source = sources[settings.source]
        key = digest({**asdict(settings), **source.identity})
        if key in done:
            continue
        result = run(source, settings, loss_of)
        line = {"key": key, "settings": asdict(settings), **source.identity, **rounded(result)}
        with RESULTS.open("a") as file:
            file.write(json.dumps({**line, "torch": torch.__version__}) + "\n")
        done.add(key)
        mean = sum(result["final"].values()) / len(result["final"])
        what = f"{settings.start} {settings.target} {settings.retrain_mixture} seed {settings.seed}"
        print(f"{what}: uniform loss {mean:.4f}, {result['seconds']} s", flush=True)


if __name__ == "__main__":
    main()
