"""Batches of fine-tuning: their order, and the loss on responses alone of zero-shot prompts and of few-shot prompts of the same items.

loss(step) = mean cross-entropy over the response tokens of the zero-shot prompts + weight(epoch) times the same of the few-shot
prompts. Does not know optimisers, nor where prompts come from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from torch.nn import functional

from prompts import Prompt
from stream import Stream


@dataclass(frozen=True)
class Pair:
    """An item's prompts; the second is None where there is no few-shot loss."""

    zero_shot: Prompt
    few_shot: Prompt | None

    def longest(self) -> int:
        """Tokens of the longer prompt with its response."""
        both = [self.zero_shot] if self.few_shot is None else [self.zero_shot, self.few_shot]
        return max(len(prompt.tokens) + len(prompt.response) for prompt in both)


@dataclass(frozen=True)
class Weighted:
    """A prompt, and the weight of each token of its response in the loss."""

    prompt: Prompt
    weight: float


@dataclass(frozen=True)
class Epochs:
    """Passes over pairs, each in an order of its own, drawn by the seed."""

    pairs: list[Pair]
    epochs: int
    batch: int
    few_shot_weight: float
    seed: int

    def steps_of_epoch(self) -> int:
        return -(-len(self.pairs) // self.batch)

    def weight(self, epoch: int) -> float:
        """Of the few-shot loss: as given in the first epoch, falling linearly to 0 in the last; of a single epoch as given."""
        if self.epochs <= 1:
            return self.few_shot_weight
        return self.few_shot_weight * (self.epochs - 1 - epoch) / (self.epochs - 1)

    def steps(self) -> Iterator[list[Weighted]]:
        """What each step learns: zero-shot prompts, then few-shot prompts where their weight is not 0."""
        for epoch in range(self.epochs):
            order = list(range(len(self.pairs)))
            stream = Stream(self.seed, "mmlu order", [epoch])
            for place in range(len(order)):
                other = place + stream.index(len(order) - place)
                order[place], order[other] = order[other], order[place]
            for start in range(0, len(order), self.batch):
                pairs = [self.pairs[at] for at in order[start : start + self.batch]]
                few = [pair.few_shot for pair in pairs if pair.few_shot is not None] if self.weight(epoch) > 0 else []
                yield _weighted([pair.zero_shot for pair in pairs], 1.0) + _weighted(few, self.weight(epoch))


def _weighted(prompts: Sequence[Prompt], weight: float) -> list[Weighted]:
    count = sum(len(prompt.response) for prompt in prompts)
    return [Weighted(prompt, weight / count) for prompt in prompts]


def backward(model: PeftModel, step: Sequence[Weighted], at_once: int) -> float:
    """The loss of a step; its gradient is added to the parameters' gradients. So many prompts are computed at once: the more, the
    faster and the more memory."""
    loss = 0.0
    for start in range(0, len(step), at_once):
        part = _loss(model, step[start : start + at_once])
        part.backward()
        loss += part.item()
    return loss


def _loss(model: PeftModel, prompts: Sequence[Weighted]) -> torch.Tensor:
    base = model.get_base_model()
    rows = [torch.tensor(one.prompt.tokens + one.prompt.response) for one in prompts]
    # Zeros on the right: nothing looks at what is behind it.
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(model.device)
    hidden = base.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
    losses = []
    for at, one in enumerate(prompts):
        first, end = len(one.prompt.tokens), len(one.prompt.tokens) + len(one.prompt.response)
        # The token before predicts each.
        logits = base.get_output_embeddings()(hidden[at, first - 1 : end - 1])
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        losses.append(one.weight * functional.cross_entropy(logits, ids[at, first:end], reduction="sum"))
    return torch.stack(losses).sum()
