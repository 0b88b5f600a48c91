"""Prompts and responses as kind `mmlu-prompts` writes them, as token ids.

Nothing is composed here: items, shots, padding and the chat template are in the text. Each prompt's number of tokens must be the
table's, so that another tokenizer than the program's shows at once. Does not know what is trained.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from errors import UserError

COLUMNS = ["split", "item", "task", "n_shots", "dummies", "tokens", "shots", "prompt", "response"]
HINT = "name the output `prompts` of a stage of kind mmlu-prompts"


@dataclass(frozen=True)
class Form:
    """What is asked, and what stands before it: solved samples, or zeros in the place of so many."""

    task: str
    shots: int
    dummies: int


@dataclass(frozen=True)
class Prompt:
    """One row; response has the token that ends it."""

    item: int
    form: Form
    tokens: tuple[int, ...]
    response: tuple[int, ...]
    answer: str
    is_reasoned: bool


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
    """Token ids with nothing added."""
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])


def read(path: Path, split: str, tokenizer: PreTrainedTokenizerBase) -> dict[Form, list[Prompt]]:
    """Prompts of a split by form, in the order of the table."""
    # A long prompt is longer than the cell that the module takes by default.
    csv.field_size_limit(1 << 30)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames != COLUMNS:
                raise UserError(f"{path}: its columns are {rows.fieldnames}, expected {COLUMNS}", HINT)
            found: dict[Form, list[Prompt]] = {}
            for number, row in enumerate(rows, 1):
                if row["split"] == split:
                    prompt = _prompt(f"{path}: row {number}", row, tokenizer)
                    found.setdefault(prompt.form, []).append(prompt)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: {error}", HINT) from error
    if not found:
        raise UserError(f"{path}: it has no prompt of the split `{split}`", HINT)
    return found


def _prompt(place: str, row: dict[str, str], tokenizer: PreTrainedTokenizerBase) -> Prompt:
    try:
        item, shots, dummies, count = (int(row[name]) for name in ("item", "n_shots", "dummies", "tokens"))
    except (TypeError, ValueError) as error:
        raise UserError(f"{place}: {error}", HINT) from error
    tokens, response = encode(tokenizer, row["prompt"]), encode(tokenizer, row["response"])
    if len(tokens) != count:
        words = f"{place}: the prompt of item {item} has {len(tokens)} tokens with this tokenizer, {count} in the table"
        raise UserError(words, "give the model that the stage of kind mmlu-prompts had")
    # The token that ends the response is no letter, and the line of the answer is its last.
    _, _, answer = row["response"].rpartition("Answer: ")
    if answer[:1] not in tuple("ABCD"):
        raise UserError(f"{place}: the response of item {item} gives no letter", HINT)
    return Prompt(item, Form(row["task"], shots, dummies), tokens, response, answer[:1], row["response"].startswith("Reasoning: "))
