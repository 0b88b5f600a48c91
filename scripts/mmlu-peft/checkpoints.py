"""Stops of a fine-tuning as one safetensors file, in the form of kind `mmlu-finetune`: of each stop the whole matrices that training
changed, `STEP.NAME` in f32, and in the header what was reached and what was missed.

Does not know who trained.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from errors import UserError

ENTRY = "icl-repro"
HINT = "name the output `checkpoints` of train.py, or of a stage of kind mmlu-finetune"


@dataclass(frozen=True)
class Stop:
    """After so many steps, which end an epoch."""

    step: int
    epoch: int


@dataclass(frozen=True)
class About:
    """Stops that were reached, and those that were planned beyond the step at which training diverged."""

    stops: list[Stop]
    missed: list[Stop]


def write(path: Path, about: About, changed: list[dict[str, torch.Tensor]]) -> None:
    """`changed` has the matrices of each stop that was reached."""
    tensors = {
        f"{stop.step}.{name}": tensor for stop, matrices in zip(about.stops, changed, strict=True) for name, tensor in matrices.items()
    }
    save_file(tensors, path, metadata={ENTRY: json.dumps(asdict(about))})


class Checkpoints:
    """A file that is open for reading, a stop at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = safe_open(path, framework="pt")
            about = json.loads(self._file.metadata()[ENTRY])
            stops, missed = ([Stop(**stop) for stop in about[name]] for name in ("stops", "missed"))
        except (OSError, SafetensorError, TypeError, KeyError, ValueError) as error:
            raise UserError(f"{path}: no checkpoints of a fine-tuning: {error!r}", HINT) from error
        self.about = About(stops, missed)
        steps = {str(stop.step) for stop in stops}
        self._keys = list(self._file.keys())
        lost = [key for key in self._keys if key.partition(".")[0] not in steps]
        if lost:
            raise UserError(f"{path}: `{lost[0]}` is of no stop", HINT)

    def names(self) -> set[str]:
        """Matrices that some stop has."""
        return {key.partition(".")[2] for key in self._keys}

    def at(self, stop: Stop) -> dict[str, torch.Tensor]:
        """Matrices of a stop by name."""
        keys = [key for key in self._keys if key.partition(".")[0] == str(stop.step)]
        return {key.partition(".")[2]: self._file.get_tensor(key) for key in keys}
