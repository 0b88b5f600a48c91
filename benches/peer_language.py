"""One step of fine-tuning SmolLM2-135M by low-rank additions in PyTorch, beside the program's.

The model of `transformers` on the weights that `make check-peer PEER=language` writes to target/language/hub, single precision, W + 2 B A on Q, K, V and
O as PEFT does it, AdamW; sizes as in benches/language.rs, whose `--plain` is timed in alternation. The machine must be idle.

    PYTHON=... python3 benches/peer_language.py [--rounds 3]
"""

import argparse
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHAPES = {"ZS": [(16, 9)], "ZS and six with examples": [(16, 9), (6, 48)]}
ASKED, RANK, ALPHA, WARMUP, STEPS = 3, 16, 32, 1, 6


def lora(torch, model):
    """Adds B A to the attention's maps; the rest is frozen."""

    class Added(torch.nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base
            self.a = torch.nn.Parameter(torch.randn(RANK, base.in_features) * base.in_features**-0.5)
            self.b = torch.nn.Parameter(torch.zeros(base.out_features, RANK))

        def forward(self, x):
            return self.base(x) + (ALPHA / RANK) * (x @ self.a.T) @ self.b.T

    model.requires_grad_(False)
    for layer in model.model.layers:
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(layer.self_attn, name, Added(getattr(layer.self_attn, name)))
    return [p for p in model.parameters() if p.requires_grad]


def measure(torch, model, trained, shape, threads):
    torch.set_num_threads(threads)
    optimizer = torch.optim.AdamW(trained, 1e-4, weight_decay=0)
    parts = [torch.randint(49152, size) for size in shape]

    def step():
        loss = 0
        for tokens in parts:
            hidden = model.model(tokens).last_hidden_state[:, -ASKED - 1 : -1]
            logits = model.lm_head(hidden)
            loss = loss + torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, -ASKED:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    for _ in range(WARMUP):
        step()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        step()
    return (time.perf_counter() - wall) / STEPS, (time.process_time() - cpu) / STEPS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    import torch
    from transformers import AutoModelForCausalLM

    folder = ROOT / "target" / "language" / "hub"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    trained = lora(torch, model)
    found = {}
    for _ in range(rounds):
        for threads in (1, 2):
            ours = subprocess.run(
                ["cargo", "bench", "--locked", "--quiet", "--bench", "language", "--", "--plain", str(threads)],
                cwd=ROOT, check=True, capture_output=True, text=True,
            ).stdout
            for line in ours.splitlines():
                name, _, rest = line.split(": ")
                found.setdefault((name, threads, "ours"), []).append(float(rest.split()[0]))
            for name, shape in SHAPES.items():
                wall, _ = measure(torch, model, trained, shape, threads)
                found.setdefault((name, threads, "PyTorch"), []).append(wall)
    for (name, threads, whose), walls in found.items():
        tokens = sum(prompts * length for prompts, length in SHAPES[name])
        wall = statistics.median(walls)
        print(f"{name}, {threads} threads, {whose}: {wall:.3f} s wall, {tokens / wall:.0f} tokens a second")


if __name__ == "__main__":
    main()
