"""How the command tells of errors and of numbers."""

import sys

from discosql.errors import Error
from discosql.output_text import harmless


def report(exc: Error) -> int:
    """Write an error for a person to standard error, and return the exit status that goes with it."""
    text = f"discosql: {type(exc).__name__}: {exc}"
    # What an error quotes may have been stored by anybody.
    sys.stderr.write(f"{harmless(text) if sys.stderr.isatty() else text}\n")
    return 1


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts: ``1 row``, ``1,000 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
