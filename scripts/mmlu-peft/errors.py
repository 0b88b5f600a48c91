"""What the user can mend, told in two lines instead of a traceback. Does not know what was asked for."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """Words that say what is wrong and where; a hint says what to do next."""

    def __init__(self, words: str, hint: str) -> None:
        super().__init__(words)
        self.hint = hint


def run(main: Callable[[], None]) -> None:
    """Runs a program; ends with 1 where a UserError was raised."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}\n  hint: {error.hint}", file=sys.stderr)
        sys.exit(1)
