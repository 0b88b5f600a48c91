"""One token drawn from logits: temperature, the most likely ones, and of these enough for a share of the probability.

In this order, as crates/tuning/src/mmlu/sampling.rs has it. Equal logits are in the order of their tokens. Does not know models.
"""

import math
from dataclasses import dataclass

import torch

from stream import Stream


@dataclass(frozen=True)
class Sampling:
    """The most likely `top_k` tokens; of these the fewest whose probabilities sum to at least `top_p`; logits are divided by
    `temperature`."""

    top_k: int
    top_p: float
    temperature: float

    def draw(self, logits: torch.Tensor, stream: Stream) -> int:
        """A token; logits of the whole vocabulary."""
        kept = self._kept(logits)
        left = stream.uniform() * _sum(weight for _, weight in kept)
        for token, weight in kept:
            left -= weight
            if left < 0.0:
                return token
        # Rounding may leave the last.
        return kept[-1][0]

    def _kept(self, logits: torch.Tensor) -> list[tuple[int, float]]:
        """Tokens that may be drawn and their weights, the most likely first."""
        lowest = logits.topk(min(self.top_k, logits.numel())).values[-1]
        tokens = (logits >= lowest).nonzero().flatten()
        order = sorted(zip(logits[tokens].double().tolist(), tokens.tolist(), strict=True), key=lambda one: (-one[0], one[1]))[: self.top_k]
        largest = order[0][0]
        kept = [(token, math.exp((logit - largest) / self.temperature)) for logit, token in order]
        enough, sum_ = self.top_p * _sum(weight for _, weight in kept), 0.0
        for count, (_, weight) in enumerate(kept, 1):
            sum_ += weight
            if sum_ >= enough:
                return kept[:count]
        return kept


def _sum(numbers) -> float:
    """From the left, with every rounding: Python's own sum corrects it since 3.12."""
    total = 0.0
    for number in numbers:
        total += number
    return total
