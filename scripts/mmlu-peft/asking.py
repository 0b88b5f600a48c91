"""Asks a model: the probabilities of the four letters, and sampled answers.

The rules are those of crates/tuning/src/mmlu/grading.rs. A prompt is read once; letters and answers go on from what was kept. Does not know
what scores are averaged over.
"""

import math
from dataclasses import dataclass

import torch
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from answers import LETTERS, is_complete, letter, line
from errors import UserError
from prompts import Prompt, encode
from sampling import Sampling
from stream import Stream


@dataclass(frozen=True)
class Asking:
    """How many answers to each prompt, how long, and how they are drawn."""

    answers: int
    most_tokens: int
    sampling: Sampling
    ends: frozenset[int]
    seed: int


@dataclass(frozen=True)
class Score:
    """Of one prompt. Shares of right samples and of those that give no letter, NaN where none are drawn; the probability of the right
    letter among the four; 1 where it is the most probable."""

    accuracy: float
    unanswered: float
    probability: float
    letter_accuracy: float


class Reader:
    """A model that answers prompts."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asking: Asking | None) -> None:
        self._model, self._tokenizer, self._asking = model, tokenizer, asking
        answers = [encode(tokenizer, line(one)) for one in LETTERS]
        self._before = answers[0][:-1]
        self._letters = [answer[-1] for answer in answers]
        if any(answer[:-1] != self._before for answer in answers) or len(set(self._letters)) < len(LETTERS):
            raise UserError(f"the tokenizer does not write the letters of `{line('A')}` as one token each", "take another model")

    @torch.inference_mode()
    def score(self, prompt: Prompt) -> Score:
        cache = DynamicCache()
        logits = self._read([prompt.tokens], cache)
        letters = self._probabilities(self._read([self._before], cache)[0])
        most = max(letters, key=lambda one: (letters[one], -ord(one)))
        cache.crop(len(prompt.tokens))
        accuracy = unanswered = math.nan
        if self._asking is not None:
            given = self._answers(prompt, logits, cache, self._asking)
            accuracy = given.count(prompt.answer) / len(given)
            unanswered = given.count(None) / len(given)
        return Score(accuracy, unanswered, letters[prompt.answer], float(most == prompt.answer))

    def _read(self, rows: list[tuple[int, ...]], cache: DynamicCache) -> torch.Tensor:
        """Logits of what follows, a row each; the cache has what was read before, and then this too."""
        ids = torch.tensor(rows, device=self._model.device)
        logits = self._model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
        return logits.to(torch.promote_types(logits.dtype, torch.float32))

    def _probabilities(self, logits: torch.Tensor) -> dict[str, float]:
        four = logits[self._letters].double().tolist()
        if not all(map(math.isfinite, four)):
            raise UserError("the letters' logits are no numbers", "train with a lower rate: the loss of each step is in --losses")
        weights = [math.exp(one - max(four)) for one in four]
        all_ = weights[0] + weights[1] + weights[2] + weights[3]
        return {one: weight / all_ for one, weight in zip(LETTERS, weights, strict=True)}

    def _answers(self, prompt: Prompt, logits: torch.Tensor, cache: DynamicCache, asking: Asking) -> list[str | None]:
        """Letters of the sampled answers, all drawn at once: each has random numbers of its own."""
        context = self._model.config.max_position_embeddings
        if len(prompt.tokens) + asking.most_tokens > context:
            words = f"the prompt of item {prompt.item} has {len(prompt.tokens)} tokens: with an answer of {asking.most_tokens} "
            words += f"they are more than the {context} that the model reads"
            raise UserError(words, "lower --most-tokens, or take fewer shots")
        streams = [Stream(asking.seed, "mmlu answer", [prompt.item, number]) for number in range(asking.answers)]
        said: list[list[int]] = [[] for _ in streams]
        texts = ["" for _ in streams]
        going = list(range(asking.answers))
        cache.batch_repeat_interleave(asking.answers)
        logits = logits.repeat(asking.answers, 1)
        for _ in range(asking.most_tokens):
            rows = []
            for row, answer in enumerate(going):
                token = asking.sampling.draw(logits[row], streams[answer])
                if token in asking.ends:
                    continue
                said[answer].append(token)
                texts[answer] = self._tokenizer.decode(said[answer], clean_up_tokenization_spaces=False)
                if not is_complete(texts[answer]):
                    rows.append(row)
            if len(rows) < len(going):
                going = [going[row] for row in rows]
                if not going:
                    break
                cache.batch_select_indices(torch.tensor(rows, device=self._model.device))
            logits = self._read([(said[answer][-1],) for answer in going], cache)
        return [letter(text) for text in texts]
