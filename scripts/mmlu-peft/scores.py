"""Tables of kind `mmlu-evaluate` as CSV: a row for each item, and means by category and over all. Does not know how scores came about."""

import csv
import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from asking import Score
from checkpoints import Stop
from prompts import Form

NUMBERS = ["accuracy", "unanswered", "probability", "letter_accuracy"]
SCORES = ["step", "epoch", "task", "n_shots", "dummies", "category", "item", *NUMBERS]
ACCURACY = ["epoch", "task", "n_shots", "dummies", "category", "items", *(f"{name}{end}" for name in NUMBERS for end in ("", "_std"))]
# All categories together, and each in the order of the program.
AVERAGE = "average"
CATEGORIES = ["stem", "humanities", "social_sciences", "other"]


@dataclass(frozen=True)
class Scored:
    """An item's score."""

    item: int
    category: str
    score: Score


class Tables:
    """Rows of both tables."""

    def __init__(self) -> None:
        self._scores: list[list[object]] = []
        self._accuracy: list[list[object]] = []

    def push(self, stop: Stop, form: Form, scored: list[Scored]) -> None:
        """All items in one form."""
        for one in scored:
            self._scores.append([stop.step, stop.epoch, form.task, form.shots, form.dummies, one.category, one.item, *astuple(one.score)])
        self._summarise(stop, form, [(one.category, astuple(one.score)) for one in scored])

    def push_missed(self, stop: Stop, form: Form, categories: Iterable[str]) -> None:
        """A stop that training did not reach: no numbers."""
        self._summarise(stop, form, [(category, (math.nan,) * len(NUMBERS)) for category in categories])

    def _summarise(self, stop: Stop, form: Form, scored: list[tuple[str, tuple[float, ...]]]) -> None:
        for name in [AVERAGE, *CATEGORIES]:
            of = [numbers for category, numbers in scored if name in (AVERAGE, category)]
            if of:
                summaries = [number for column in zip(*of, strict=True) for number in _mean_and_std(column)]
                self._accuracy.append([stop.epoch, form.task, form.shots, form.dummies, name, len(of), *summaries])

    def write(self, scores: Path, accuracy: Path) -> None:
        for path, names, rows in [(scores, SCORES, self._scores), (accuracy, ACCURACY, self._accuracy)]:
            with path.open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file, lineterminator="\n")
                table.writerow(names)
                table.writerows(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row] for row in rows)


def _mean_and_std(numbers: tuple[float, ...]) -> tuple[float, float]:
    """Over items; the deviation of a single one is NaN."""
    n = len(numbers)
    mean = math.fsum(numbers) / n
    squares = math.fsum((number - mean) ** 2 for number in numbers)
    return mean, math.sqrt(squares / (n - 1)) if n > 1 else math.nan
