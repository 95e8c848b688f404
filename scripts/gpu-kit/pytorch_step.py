"""Time of a training step of the same LLaMA in PyTorch, on the same GPU, in float32: what the lab is compared with.

python3 pytorch_step.py eager|compiled CONFIG.json BATCH CONTEXT -> one JSON object on standard output, written anew after
each part, so that the last line is what was done when the time was up.
"""

import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pretrain"))
from model import Llama  # noqa: E402

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def sync():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def time_steps(step, warm_up, count):
    for _ in range(warm_up):
        step()
    sync()
    times = []
    for _ in range(count):
        started = time.perf_counter()
        step()
        sync()
        times.append(1000 * (time.perf_counter() - started))
    started = time.perf_counter()
    for _ in range(count):
        step()
    sync()
    mean = 1000 * (time.perf_counter() - started) / count
    return {"milliseconds": sorted(times)[len(times) // 2], "pipelined_milliseconds": mean, "steps": count}


def training_step(model, parameters, tokens):
    optimiser = torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)

    def step():
        logits = model(tokens)[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()

    return step


def main():
    mode, config, batch, context = sys.argv[1:]
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    config = json.loads(Path(config).read_text())
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu"
    result = {"torch": torch.__version__, "device": name, "batch": int(batch), "context": int(context)}

    def say():
        print(json.dumps(result), flush=True)

    count = 100 if DEVICE == "cuda" else 2
    torch.manual_seed(1)
    model = Llama(config).to(DEVICE)
    tokens = torch.randint(0, config["vocab_size"], (int(batch), int(context)), device=DEVICE)
    parameters = list(model.parameters())
    model = torch.compile(model) if mode == "compiled" else model
    result[mode] = time_steps(training_step(model, parameters, tokens), 10, count)
    say()
    n = 2048
    a, b = torch.randn(n, n, device=DEVICE), torch.randn(n, n, device=DEVICE)
    product = time_steps(lambda: torch.mm(a, b), 3, 20)
    result["product_2048"] = {**product, "gflops": 2 * n**3 / (product["pipelined_milliseconds"] * 1e6)}
    say()


main()
