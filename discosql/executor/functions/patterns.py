"""LIKE, GLOB and REGEXP. Patterns are compiled once and kept.

LIKE and GLOB become regular expressions whose wildcards cannot run back over each other: between two ``%`` the first
place that fits is as good as any later one, so each stretch is an atomic group and matching stays linear in most
patterns.
"""

import re
from functools import lru_cache
from typing import Final

from discosql.errors import NotSupportedError, OperationalError
from discosql.executor.context import Context
from discosql.executor.functions.define import scalar
from discosql.executor.functions.registry import ScalarFunction
from discosql.types import SqlType, Value, fold_case, text_of

MAX_PATTERN: Final = 50_000
"""The most bytes a LIKE or GLOB pattern may have, as in SQLite."""


def like(context: Context, pattern: Value, value: Value, escape: Value = "") -> Value:
    """Return whether a text matches a LIKE pattern: ``%`` any text, ``_`` one character; A to Z equal a to z."""
    if pattern is None or value is None or escape is None:
        return None
    sensitive = context.state.case_sensitive_like
    text = text_of(value)
    matcher = _like(text_of(pattern), text_of(escape), sensitive)
    return int(matcher.fullmatch(text if sensitive else fold_case(text)) is not None)


def glob(pattern: Value, value: Value) -> Value:
    """Return whether a text matches a GLOB pattern: ``*``, ``?``, ``[a-z]`` and ``[^a-z]``."""
    if pattern is None or value is None:
        return None
    return int(_glob(text_of(pattern)).fullmatch(text_of(value)) is not None)


def regexp(pattern: Value, value: Value) -> Value:
    """Return whether a regular expression of Python's re module matches somewhere in a text."""
    if pattern is None or value is None:
        return None
    return int(_regexp(text_of(pattern)).search(text_of(value)) is not None)


def match(_pattern: Value, _value: Value) -> Value:
    """Refuse MATCH, which only full-text tables have."""
    raise NotSupportedError("MATCH is not supported: there are no full-text tables")


def _check_size(pattern: str) -> None:
    if len(pattern.encode()) > MAX_PATTERN:
        raise OperationalError("LIKE or GLOB pattern too complex")


def _joined(stretches: list[str]) -> "re.Pattern[str]":
    """Return the expression of stretches with any text between; all but the last are atomic."""
    if len(stretches) == 1:
        body = stretches[0]
    else:
        *inner, last = stretches
        body = inner[0] + "".join(f"(?>.*?{stretch})" for stretch in inner[1:]) + f".*{last}"
    return re.compile(body, re.DOTALL)


@lru_cache(maxsize=512)
def _like(pattern: str, escape: str, sensitive: bool) -> "re.Pattern[str]":
    _check_size(pattern)
    if escape and len(escape) != 1:
        raise OperationalError("ESCAPE expression must be a single character")
    stretches, current = [], ""
    characters = iter(pattern)
    for char in characters:
        if escape and char == escape:
            following = next(characters, None)
            if following is None:
                return re.compile(r"(?!)")  # an escape at the end matches nothing
            current += re.escape(following if sensitive else fold_case(following))
        elif char == "%":
            stretches.append(current)
            current = ""
        else:
            current += "." if char == "_" else re.escape(char if sensitive else fold_case(char))
    return _joined([*stretches, current])


@lru_cache(maxsize=512)
def _glob(pattern: str) -> "re.Pattern[str]":
    _check_size(pattern)
    stretches, current, place = [], "", 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == "*":
            stretches.append(current)
            current = ""
        elif char == "[":
            members, place = _glob_set(pattern, place)
            if members is None:
                return re.compile(r"(?!)")
            current += members
        else:
            current += "." if char == "?" else re.escape(char)
    return _joined([*stretches, current])


def _glob_set(pattern: str, place: int) -> tuple[str | None, int]:
    """Return the class of a bracket that opened before `place`, None if it is never closed, and what follows it."""
    negated = pattern.startswith("^", place)
    place += negated
    members: list[str] = []
    if pattern.startswith("]", place):
        members.append(r"\]")
        place += 1
    last: str | None = None
    while place < len(pattern) and pattern[place] != "]":
        char = pattern[place]
        after = pattern[place + 1 : place + 2]
        if char == "-" and last is not None and after not in ("", "]"):
            if last <= after:
                members.append(f"{re.escape(last)}-{re.escape(after)}")
            last = None
            place += 2
            continue
        members.append(re.escape(char))
        last = char
        place += 1
    if place >= len(pattern):
        return None, place
    if not members:
        return ("." if negated else "(?!)"), place + 1
    return f"[{'^' if negated else ''}{''.join(members)}]", place + 1


@lru_cache(maxsize=512)
def _regexp(pattern: str) -> "re.Pattern[str]":
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as exc:
        raise OperationalError(f"invalid regular expression: {exc}") from exc


PATTERN_FUNCTIONS: Final[tuple[ScalarFunction, ...]] = (
    scalar("like", like, 2, 3, result=SqlType.INTEGER, null_safe=True, needs_context=True),
    scalar("glob", glob, 2, result=SqlType.INTEGER, null_safe=True),
    scalar("regexp", regexp, 2, result=SqlType.INTEGER, null_safe=True),
    scalar("match", match, 2, result=SqlType.INTEGER),
)
"""The functions of this module."""
