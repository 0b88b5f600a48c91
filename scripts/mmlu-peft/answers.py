"""Which letter an answer gives, and when a model has said enough: the rules of crates/tuning/src/mmlu/answer.rs.

Does not know prompts.
"""

import re

LETTERS = "ABCD"
# Begins the next prompt: what is behind it is no answer.
NEXT = "[Query]"
MARK = "Answer:"


def line(letter: str) -> str:
    """The line that gives a letter."""
    return f"{MARK} {letter}"


def _first(text: str) -> tuple[str, bool] | None:
    """The letter at the beginning, and whether something stands behind it."""
    rest = text.lstrip(" *(")
    if not rest or rest[0] not in LETTERS or rest[1:2].isalnum():
        return None
    return rest[0], len(rest) > 1


def _found(text: str) -> list[tuple[str, bool]]:
    ends = (mark.end() for mark in re.finditer(re.escape(MARK), text))
    return [found for end in ends if (found := _first(text[end:])) is not None]


def letter(text: str) -> str | None:
    """The last letter that a text gives before another prompt begins."""
    found = _found(text.split(NEXT, 1)[0])
    return found[-1][0] if found else None


def is_complete(text: str) -> bool:
    """Whether another prompt begins, or something stands behind a letter: one at the very end may become a word."""
    return NEXT in text or any(is_ended for _, is_ended in _found(text))
