"""How long a value may be (https://www.sqlite.org/limits.html)."""

from typing import Final

from discosql.errors import DataError

MAX_LENGTH: Final = 1_000_000_000
"""The most bytes a text or blob may have."""


def check_length(count: int) -> int:
    """Return a number of bytes that is about to be made. Raises DataError if no value may be that long."""
    if count > MAX_LENGTH:
        raise DataError("string or blob too big")
    return count


def sized(text: str) -> str:
    """Return a text that was made. Raises DataError if no value may be that long."""
    check_length(len(text))
    return text
