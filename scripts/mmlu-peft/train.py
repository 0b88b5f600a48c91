"""Fine-tunes a language model on MMLU with PyTorch and PEFT, as kind `mmlu-finetune` does with the program's own transformer.

    python3 train.py --model FOLDER --items table.parquet --prompts prompts.csv --checkpoints OUT.safetensors --losses OUT.csv ...

Prompts are those of kind `mmlu-prompts`, all items of them, with the forms that are trained on. Order of items, first values of
LoRA, schedule, optimiser and loss are the program's, so that only the arithmetic is another. Writes the matrices that changed after each
epoch, and columns `step`, `epoch`, `loss` (of the step's batch, before its update). Divergence is recorded, not an error.
"""

import argparse
import csv
import math
import sys
from pathlib import Path

import adapter
import checkpoints
import items
import model as models
import optimisation
import prompts
from arguments import count, not_negative, positive, share, whole
from checkpoints import About, Stop
from errors import UserError, run
from prompts import Form, Prompt
from training import Epochs, Pair, backward

TASK = "question"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    models.add_arguments(parser)
    parser.add_argument("--items", type=Path, required=True, help="the table of a stage of kind mmlu-items")
    parser.add_argument("--prompts", type=Path, required=True, help="the table of a stage of kind mmlu-prompts")
    parser.add_argument("--checkpoints", type=Path, required=True, help="safetensors to write")
    parser.add_argument("--losses", type=Path, required=True, help="CSV to write")
    parser.add_argument("--trainable", choices=adapter.TRAINABLE, required=True, help="which matrices")
    parser.add_argument("--rank", type=count, required=True, help="of the low-rank additions")
    parser.add_argument("--alpha", type=positive, required=True, help="the addition is alpha / rank times B A")
    parser.add_argument("--few-shots", type=count, required=True, help="solved samples in the prompts of the few-shot loss")
    parser.add_argument(
        "--few-shot-weight", type=not_negative, required=True, help="of that loss in the first epoch; 0 where there is none"
    )
    parser.add_argument(
        "--dummies", type=whole, default=0, help="zeros in the place of so many samples before zero-shot prompts [default: 0]"
    )
    parser.add_argument(
        "--cutoff", type=count, required=True, help="items of which a prompt and its response have more tokens are left out"
    )
    parser.add_argument("--epochs", type=count, required=True)
    parser.add_argument("--batch", type=count, required=True, help="items of a step")
    parser.add_argument("--learning-rate", type=positive, required=True)
    parser.add_argument("--warmup", type=share, default=0.0, help="share of the steps over which the rate rises [default: 0]")
    parser.add_argument("--decay", choices=optimisation.DECAYS, required=True)
    parser.add_argument("--betas", type=share, nargs=2, required=True, metavar=("FIRST", "SECOND"))
    parser.add_argument("--weight-decay", type=not_negative, required=True)
    parser.add_argument("--clip-norm", type=positive, required=True, help="joint norm of the gradient that is not exceeded")
    parser.add_argument("--seed", type=whole, required=True, help="of the low-rank additions and of the order of items")
    parser.add_argument("--at-once", type=count, default=1, help="prompts in one pass, which changes rounding alone [default: 1]")
    parser.add_argument("--gradient-checkpointing", action="store_true", help="less memory, a third more time")
    return parser.parse_args()


def pairs(found: dict[Form, list[Prompt]], all_: dict[int, str], given: argparse.Namespace) -> list[Pair]:
    """Prompts of all items that have a response and are short enough."""
    few = _of_form(found, Form(TASK, given.few_shots, 0), given.prompts) if given.few_shot_weight > 0 else None
    zero = _of_form(found, Form(TASK, 0, given.dummies), given.prompts)
    for of in [zero] if few is None else [zero, few]:
        strange = sorted(set(of) - set(all_))
        if strange:
            raise UserError(
                f"{given.prompts}: item {strange[0]} is no training item of {given.items}", "give the items that the prompts were made of"
            )
        # With rationales an item without one has no prompt; without them, each has one.
        lost = sorted(set(all_) - set(of))
        if lost and not any(prompt.is_reasoned for prompt in of.values()):
            words = f"{given.prompts}: {len(lost)} of {len(all_)} training items have no prompt, the first is {lost[0]}"
            raise UserError(words, "give mmlu-prompts as many `items` as there are of a split")
    both = [Pair(prompt, None if few is None else few[item]) for item, prompt in zero.items()]
    fit = [pair for pair in both if pair.longest() <= given.cutoff]
    silent, too_long = len(all_) - len(both), len(both) - len(fit)
    print(f"{len(fit)} of {len(all_)} items; {silent} have no rationale, {too_long} have more than {given.cutoff} tokens", flush=True)
    if not fit:
        shortest = min(pair.longest() for pair in both)
        raise UserError(
            f"none of {len(all_)} training items can be used: the shortest has {shortest} tokens", "raise --cutoff, or take fewer shots"
        )
    return fit


def _of_form(found: dict[Form, list[Prompt]], form: Form, path: Path) -> dict[int, Prompt]:
    if form not in found:
        known = "; ".join(f"{one.task} with {one.shots} shots and {one.dummies} dummies" for one in found)
        words = f"{path}: no training prompt asks {form.task} with {form.shots} shots and {form.dummies} dummies; there are: {known}"
        raise UserError(words, "name this form in `forms` of the stage of kind mmlu-prompts")
    return {prompt.item: prompt for prompt in found[form]}


def main() -> None:
    given = arguments()
    base, tokenizer = models.load(given)
    found = prompts.read(given.prompts, "training", tokenizer)
    learnt = pairs(found, items.categories(given.items, "training"), given)
    epochs = Epochs(learnt, given.epochs, given.batch, given.few_shot_weight, given.seed)
    if given.gradient_checkpointing:
        base.gradient_checkpointing_enable({"use_reentrant": False})
        # Only a model in training mode recomputes; those of the hub that are read here have no dropout.
        base.train()
    adapted = adapter.add(base, given.trainable, given.rank, given.alpha, given.seed)
    every, losses, changed = epochs.steps_of_epoch(), [], []
    stops = [Stop(epoch * every, epoch) for epoch in range(1, given.epochs + 1)]
    for step, loss in enumerate(follow(adapted, epochs, given)):
        if step > 0 and step % every == 0:
            changed.append(adapter.changed(adapted))
        if loss is not None:
            losses.append(loss)
            print(f"step {step + 1} of {given.epochs * every}: loss {loss:.6f}", flush=True)
    checkpoints.write(given.checkpoints, About(stops[: len(changed)], stops[len(changed) :]), changed)
    with given.losses.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["step", "epoch", "loss"])
        table.writerows([step, step // every + 1, loss] for step, loss in enumerate(losses))


def follow(adapted: adapter.PeftModel, epochs: Epochs, given: argparse.Namespace):
    """Trains. The loss of each step, told before its update; None after the last; ends early where training diverges."""
    parameters = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimizer = optimisation.adam_w(parameters, tuple(given.betas), given.weight_decay)
    steps = epochs.epochs * epochs.steps_of_epoch()
    schedule = optimisation.Schedule(given.learning_rate, given.warmup, given.decay, steps)
    for step, batch in enumerate(epochs.steps()):
        optimizer.zero_grad()
        loss = backward(adapted, batch, given.at_once)
        norm = optimisation.clip(parameters, given.clip_norm)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            print(f"training diverged at step {step}", file=sys.stderr, flush=True)
            return
        yield loss
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        optimizer.step()
    yield None


if __name__ == "__main__":
    run(main)
