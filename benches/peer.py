"""What the comparisons of training steps with other libraries share: sizes, names of kernels, and the timing.

Both sides run in alternation on the same cores: `--threads` takes so many of those that there are, before
the library starts, and the Rust benchmark inherits them. A library may compute on a GPU in their place.
"""

import argparse
import os
import statistics
import subprocess

D, SHOTS, BATCH, PAIRS, NOISE = 5, 20, 5000, 100_000, 0.1**0.5

# By name: layers, heads, and whether queries and keys have matrices of their own.
SHAPES = {
    "merged": (1, 1, False),
    "separate (1, 1)": (1, 1, True),
    "separate (4, 1)": (1, 4, True),
    "separate (1, 2)": (2, 1, True),
    "separate (1, 3)": (3, 1, True),
}
OBJECTIVES = ["pretraining", "ZS", "ZS+FS"]
EVALUATED = 7
EVALUATION = f"evaluation of {EVALUATED} models"


def arguments(description, platforms=()):
    """Of the command line, and the cores that are asked for taken. `platforms` are those that the library knows beside
    the processor."""
    parser = argparse.ArgumentParser(description=description.split("\n\n")[0])
    parser.add_argument("names", nargs="*", help="parts of the names of kernels; all if left out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="the library's steps in a round")
    parser.add_argument("--threads", type=int, help="cores that both sides use; all if left out")
    parser.add_argument("--kernels", metavar="PROGRAM", help="the benchmark `kernels`, built; cargo builds it if left out")
    if platforms:
        parser.add_argument("--platform", choices=["cpu", *platforms], default="cpu", help="what the library computes on")
    args = parser.parse_args()
    if args.threads is not None:
        cores = sorted(os.sched_getaffinity(0))
        if not 0 < args.threads <= len(cores):
            parser.error(f"--threads {args.threads}: there are {len(cores)} cores")
        os.sched_setaffinity(0, cores[: args.threads])
    args.threads = len(os.sched_getaffinity(0))
    return args


def rust_nanoseconds(name, built=None):
    """Of a prompt, in double precision."""
    program = [built] if built else ["cargo", "bench", "--quiet", "--locked", "--bench", "kernels", "--"]
    done = subprocess.run([*program, "--plain", name], stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout.split()[-1])


def compare(args, title, libraries):
    """Prints medians over rounds. `libraries` maps a column's title to a function from a kernel's name to one that
    makes so many steps and returns the seconds of each."""
    threads = "1 thread" if args.threads == 1 else f"{args.threads} threads"
    print(f"{title}, {threads}; nanoseconds a prompt, medians of {args.rounds} rounds")
    print(f"{'kernel':<28} {'icl-repro':>10}" + "".join(f" {label:>12} {'ratio':>7}" for label in libraries))
    names = [f"{objective}, {shape}" for shape in SHAPES for objective in OBJECTIVES] + [EVALUATION]
    for name in names:
        if args.names and not any(part in name for part in args.names):
            continue
        sides = {label: kernel(name) for label, kernel in libraries.items()}
        ours, theirs = [], {label: [] for label in sides}
        for _ in range(args.rounds):
            for label, seconds in sides.items():
                theirs[label].append(seconds(args.steps) / BATCH * 1e9)
            ours.append(rust_nanoseconds(name, args.kernels))
        ours = statistics.median(ours)
        medians = [statistics.median(times) for times in theirs.values()]
        columns = "".join(f" {median:>12.0f} {median / ours:>6.1f}x" for median in medians)
        print(f"{name:<28} {ours:>10.0f}{columns}", flush=True)
