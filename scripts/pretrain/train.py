"""Trains a LLaMA on public/corpus and exports it as a Hugging Face folder.

    python3 scripts/pretrain/train.py --config scripts/pretrain/nano.json --out public/models/nano --lr 8e-3 --compile

Runs on a CPU or a CUDA device, resumes from its checkpoint, and logs one JSON object a line. --compile needs
PyTorch 2 and a C++ compiler: on a CPU with bfloat16 matrix units it is two to three times faster, because what is
left is reading and writing activations, and the compiler fuses that.
"""

import argparse
import json
import math
import shlex
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import export
from corpus import Corpus, Sampler
from evaluate import domain_losses, mixture_loss
from loss import cross_entropy
from model import Llama, defaults

ROOT = Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--corpus", type=Path, default=ROOT / "public/corpus")
    parser.add_argument("--work", type=Path, help="checkpoint and log; default .cache/pretrain/NAME")
    parser.add_argument("--tokens", type=float, default=24e6, help="one budget for the whole family")
    parser.add_argument("--minutes", type=float, help="end after this time if the tokens take longer")
    parser.add_argument("--batch", type=int, default=8, help="sequences a step")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile (PyTorch 2)")
    parser.add_argument("--check-every", type=int, default=1000, help="steps between quick validations")
    return parser.parse_args()


def make_optimiser(model, args):
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    norms = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": args.weight_decay}, {"params": norms, "weight_decay": 0.0}]
    fused = {"fused": True} if args.compile else {}
    return torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.95), eps=1e-8, **fused)


class Run:
    def __init__(self, args):
        self.args = args
        self.config = defaults(json.loads(args.config.read_text()))
        self.context = self.config["max_position_embeddings"]
        self.corpus = Corpus(args.corpus)
        self.windows = self.corpus.windows("validation", self.context)
        # One token more than the context: as many inputs as the context, each with its next token.
        self.sampler = Sampler(self.corpus.train(), self.corpus.weights, args.batch, self.context + 1, args.seed)
        self.model = Llama(self.config).to(args.device)
        self.model.initialise(args.seed)
        self.optimiser = make_optimiser(self.model, args)
        self.loss = torch.compile(self.batch_loss) if args.compile else self.batch_loss
        self.step, self.elapsed = 0, 0.0
        self.tokens_a_step = args.batch * self.context
        self.steps = math.ceil(args.tokens / self.tokens_a_step)
        self.work = args.work or ROOT / ".cache/pretrain" / args.out.name
        self.work.mkdir(parents=True, exist_ok=True)
        self.checkpoint, self.log_file = self.work / "checkpoint.pt", self.work / "log.jsonl"
        if self.checkpoint.exists():
            self.resume()
        else:
            self.log_file.write_text("")

    def resume(self):
        state = torch.load(self.checkpoint, map_location=self.args.device)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.elapsed = state["step"], state["elapsed"]
        kept = [entry for entry in self.curve() if entry["step"] <= self.step]
        self.log_file.write_text("".join(json.dumps(entry) + "\n" for entry in kept))
        for _ in range(self.step):
            self.sampler.draw()

    def save(self):
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        partial = self.checkpoint.with_suffix(".partial")
        torch.save({**state, "step": self.step, "elapsed": self.elapsed}, partial)
        partial.replace(self.checkpoint)

    def curve(self):
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]

    def log(self, entry):
        entry = {"step": self.step, "tokens": self.step * self.tokens_a_step, **entry}
        with self.log_file.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def progress(self):
        """0 at the start, 1 at the end: by tokens, or by the clock where that is further on."""
        by_time = self.elapsed / (60 * self.args.minutes) if self.args.minutes else 0.0
        return max(self.step / self.steps, by_time)

    def learning_rate(self):
        """Linear warm-up, then linear down to zero at the end of the budget."""
        warm = min(1.0, (self.step + 1) / self.args.warmup)
        return self.args.lr * warm * (1 - min(1.0, self.progress()))

    def batch_loss(self, x):
        """x (B, T + 1): mean loss of its B * T predictions."""
        with torch.autocast(self.args.device, dtype=torch.bfloat16):
            logits = self.model(x[:, :-1])
        # The compiler fuses the plain form; without it the written-down gradient saves two passes over the logits.
        loss = F.cross_entropy if self.args.compile else cross_entropy
        return loss(logits.float().flatten(0, 1), x[:, 1:].flatten())

    def train_step(self):
        loss = self.loss(self.sampler.next().to(self.args.device))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.args.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        self.optimiser.step()
        self.step += 1
        return loss.item(), norm.item()

    def check(self):
        """Losses on up to 64 evenly spread validation windows a domain."""
        few = {name: rows[:: max(1, len(rows) // 64)][:64] for name, rows in self.windows.items()}
        losses = domain_losses(self.model, few, self.args.device)
        mixture = mixture_loss(losses, self.corpus.domains, self.corpus.weights)
        self.log({"validation": {k: round(v, 4) for k, v in losses.items()}, "mixture": round(mixture, 4)})
        rate = self.step * self.tokens_a_step / max(self.elapsed, 1e-9)
        print(f"step {self.step} of {self.steps}: mixture {mixture:.4f}, {rate:.0f} tokens/s", flush=True)

    def train(self):
        last, saved, recent = time.monotonic(), time.monotonic(), []
        while self.progress() < 1:
            recent.append(self.train_step())
            now = time.monotonic()
            self.elapsed, last = self.elapsed + now - last, now
            if self.step % 10 == 0:
                loss, norm = (sum(column) / len(recent) for column in zip(*recent))
                self.log({"loss": round(loss, 4), "grad_norm": round(norm, 3), "lr": round(self.learning_rate(), 6)})
                recent = []
            if self.step % self.args.check_every == 0:
                self.check()
            if now - saved > 60:
                self.save()
                saved = now
        self.save()

    def finish(self):
        command = "python3 " + shlex.join(sys.argv)
        card = export.export(
            self.args.out, self.model, self.config, self.corpus,
            self.step * self.tokens_a_step, self.curve(), command, self.args.device,
        )  # fmt: skip
        print(json.dumps(card, indent=2))


if __name__ == "__main__":
    args = arguments()
    torch.set_num_threads(args.threads)
    run = Run(args)
    run.train()
    run.finish()
