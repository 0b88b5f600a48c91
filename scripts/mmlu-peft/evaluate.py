"""Asks a language model MMLU before fine-tuning and after each epoch with PyTorch, as kind `mmlu-evaluate` does with the program's own
transformer.

    python3 evaluate.py --model FOLDER --items table.parquet --prompts prompts.csv --checkpoints checkpoints.safetensors ...

All test items in all forms that the table of prompts has. Checkpoints are train.py's or those of kind `mmlu-finetune`. Writes CSV with that
kind's columns.
"""

import argparse
from pathlib import Path

import torch

import items
import model as models
import prompts
from arguments import count, positive, share, whole
from asking import Asking, Reader
from checkpoints import Checkpoints, Stop
from errors import UserError, run
from prompts import Form, Prompt
from sampling import Sampling
from scores import Scored, Tables


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    models.add_arguments(parser)
    parser.add_argument("--items", type=Path, required=True, help="the table of a stage of kind mmlu-items")
    parser.add_argument("--prompts", type=Path, required=True, help="the table of a stage of kind mmlu-prompts")
    parser.add_argument("--checkpoints", type=Path, required=True, help="safetensors of train.py or of kind mmlu-finetune")
    parser.add_argument("--scores", type=Path, required=True, help="CSV to write, a row for each item")
    parser.add_argument("--accuracy", type=Path, required=True, help="CSV to write, means by category")
    parser.add_argument("--answers", type=whole, required=True, help="sampled to each prompt; 0: the letters' probabilities alone")
    parser.add_argument("--most-tokens", type=count, default=2000, help="of an answer [default: 2000]")
    parser.add_argument("--top-k", type=count, default=20, help="the most likely tokens that may be drawn [default: 20]")
    parser.add_argument("--top-p", type=share, default=0.95, help="of these the fewest whose probabilities sum to this [default: 0.95]")
    parser.add_argument("--temperature", type=positive, default=0.05, help="logits are divided by it [default: 0.05]")
    parser.add_argument("--seed", type=whole, default=0, help="of the answers [default: 0]")
    return parser.parse_args()


class Weights:
    """The model's matrices, replaced by those of a stop."""

    def __init__(self, model: torch.nn.Module, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        parameters = dict(model.named_parameters())
        lost = sorted(checkpoints.names() - set(parameters))
        if lost:
            raise UserError(f"{checkpoints.path}: the model has no {lost[0]}", "give the model that was fine-tuned")
        self._parameters = {name: parameters[name] for name in checkpoints.names()}
        self._before = {name: parameter.detach().cpu().clone() for name, parameter in self._parameters.items()}

    @torch.no_grad()
    def become(self, stop: Stop | None) -> None:
        """Those of a stop; of none those before training."""
        found = {} if stop is None else self._checkpoints.at(stop)
        for name, parameter in self._parameters.items():
            values = found.get(name, self._before[name])
            if values.shape != parameter.shape:
                words = f"{self._checkpoints.path}: {name} has shape {list(values.shape)}, the model's {list(parameter.shape)}"
                raise UserError(words, "give the model that was fine-tuned")
            parameter.copy_(values)


def check_whole(found: dict[Form, list[Prompt]], categories: dict[int, str], path: Path) -> None:
    """Every test item has a prompt of every form."""
    for form, of in found.items():
        lost = sorted(set(categories) ^ {prompt.item for prompt in of})
        if lost:
            words = f"{path}: {len(lost)} items of the split `test` are in one of both tables alone, "
            words += f"the first is {lost[0]} ({form.task}, {form.shots} shots)"
            raise UserError(words, "give mmlu-prompts as many `items` as there are of a split, and the same table of items")


def main() -> None:
    given = arguments()
    model, tokenizer = models.load(given)
    categories = items.categories(given.items, "test")
    asked = prompts.read(given.prompts, "test", tokenizer)
    check_whole(asked, categories, given.prompts)
    saved = Checkpoints(given.checkpoints)
    weights = Weights(model, saved)
    asking = None
    if given.answers > 0:
        sampling = Sampling(given.top_k, given.top_p, given.temperature)
        asking = Asking(given.answers, given.most_tokens, sampling, models.ends(model, tokenizer), given.seed)
    reader, tables = Reader(model, tokenizer, asking), Tables()
    for stop in [None, *saved.about.stops]:
        weights.become(stop)
        at = stop or Stop(0, 0)
        for form, of in asked.items():
            tables.push(at, form, [Scored(prompt.item, categories[prompt.item], reader.score(prompt)) for prompt in of])
            print(f"epoch {at.epoch}: {form.task}, {form.shots} shots, {form.dummies} dummies: {len(of)} items", flush=True)
    for stop in saved.about.missed:
        for form in asked:
            tables.push_missed(stop, form, categories.values())
    tables.write(given.scores, given.accuracy)


if __name__ == "__main__":
    run(main)
