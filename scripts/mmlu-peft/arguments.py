"""Numbers of a command line, each checked where it is read. Does not know what they are for."""

import argparse
import math


def whole(text: str) -> int:
    """A whole number of at least 0."""
    return int(_fit(float(int(text)), text, 0.0, math.inf, "a whole number of at least 0"))


def count(text: str) -> int:
    """A whole number of at least 1."""
    return int(_fit(float(int(text)), text, 1.0, math.inf, "a whole number of at least 1"))


def not_negative(text: str) -> float:
    """A number of at least 0."""
    return _fit(float(text), text, 0.0, math.inf, "a number of at least 0")


def positive(text: str) -> float:
    """A number above 0."""
    return _fit(float(text), text, math.nextafter(0.0, 1.0), math.inf, "a number above 0")


def share(text: str) -> float:
    """A number from 0 to 1."""
    return _fit(float(text), text, 0.0, 1.0, "a share from 0 to 1")


def _fit(number: float, text: str, least: float, most: float, words: str) -> float:
    if not (least <= number <= most and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"{text} is not {words}")
    return number
