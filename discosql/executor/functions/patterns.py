"""LIKE, GLOB and REGEXP. Patterns are compiled once and kept.

A LIKE or GLOB pattern is cut at its ``%`` or ``*`` into stretches of fixed length. The first must stand at the start of
the text, the last at its end, and each one between at the first place where it fits, since any later place would
leave less for the rest. So a match takes time proportional to the text times its longest stretch and never goes back.
"""

import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from discosql.errors import OperationalError
from discosql.executor.functions.registry import ScalarFunction, scalar
from discosql.executor.functions.values import c_text
from discosql.planner.plan import FunctionSignature
from discosql.types import SqlType, Value, fold_case, text_of

if TYPE_CHECKING:
    from discosql.executor.context import Context

MAX_PATTERN: Final = 50_000
"""The most bytes a LIKE or GLOB pattern may have, as in SQLite."""

_FEW: Final = 20
_NOTHING = "(?!)"
"""A regular expression that matches nowhere."""


class _Stretch:
    """Part of a pattern between wildcards for any text: a regular expression for each of its characters.

    `literal` is the text that it is where it holds no wildcard, otherwise None.
    """

    def __init__(self, parts: list[str], literal: list[str] | None) -> None:
        self.length = len(parts)
        self.expression = "".join(parts)
        self.literal = None if literal is None else "".join(literal)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.expression, re.DOTALL)

    def fits(self, text: str, place: int) -> bool:
        """Return whether the stretch stands at that place."""
        if self.literal is not None:
            return text.startswith(self.literal, place)
        return self._compiled.match(text, place) is not None

    def find(self, text: str, start: int, end: int) -> int:
        """Return the first place between two at which the whole stretch stands, -1 if none."""
        if self.literal is not None:
            return text.find(self.literal, start, end)
        match = self._compiled.search(text, start, end)
        return -1 if match is None else match.start()


Matcher = Callable[[str], bool]


def _matcher(stretches: list[_Stretch]) -> Matcher:
    """Return what tells whether a text is made of stretches with any text between them."""
    match [stretch.literal for stretch in stretches]:
        case [str(only)]:
            return lambda text: text == only
        case [str(head), ""]:
            return lambda text: text.startswith(head)
        case ["", str(tail)]:
            return lambda text: text.endswith(tail)
        case ["", str(middle), ""]:
            return lambda text: middle in text
    if len(stretches) <= _FEW:
        return _expression_matcher(stretches)
    return _general_matcher(stretches)


def _expression_matcher(stretches: list[_Stretch]) -> Matcher:
    """Return a matcher of one regular expression. The groups around inner stretches keep it from going back."""
    first, *rest = [stretch.expression for stretch in stretches]
    if rest:
        *inner, last = rest
        first += "".join([f"(?>.*?{stretch})" for stretch in inner if stretch]) + ".*" + last
    fullmatch = re.compile(first, re.DOTALL).fullmatch
    return lambda text: fullmatch(text) is not None


def _general_matcher(stretches: list[_Stretch]) -> Matcher:
    first, *inner, last = stretches
    inner = [stretch for stretch in inner if stretch.length]
    least = first.length + last.length

    def matches(text: str) -> bool:
        end = len(text) - last.length
        if len(text) < least or not first.fits(text, 0) or not last.fits(text, end):
            return False
        place = first.length
        for stretch in inner:
            place = stretch.find(text, place, end)
            if place < 0:
                return False
            place += stretch.length
        return True

    return matches


def _never(_text: str) -> bool:
    return False


def _check_size(pattern: str) -> None:
    if len(pattern) > MAX_PATTERN // 4 and len(pattern.encode("utf-8", "replace")) > MAX_PATTERN:
        raise OperationalError("LIKE or GLOB pattern too complex")


@lru_cache(maxsize=512)
def compile_like(pattern: str, escape: str | None = None, sensitive: bool = False) -> Matcher:
    """Return what matches texts against a LIKE pattern; unless `sensitive`, it is given texts after `fold_case`.

    Raises OperationalError for a pattern that is too long and an escape that is not one character.
    """
    _check_size(pattern)
    if escape is not None:
        escape = c_text(escape)
        if len(escape) != 1:
            raise OperationalError("ESCAPE expression must be a single character")
    pattern = c_text(pattern)
    stretches: list[_Stretch] = []
    parts: list[str] = []
    literal: list[str] | None = []
    marks = iter(pattern)
    for mark in marks:
        if mark == "%" != escape:
            stretches.append(_Stretch(parts, literal))
            parts, literal = [], []
            continue
        if mark == "_" != escape:
            parts.append(".")
            literal = None
            continue
        if mark == escape:
            mark = next(marks, "")
            if not mark:
                return _never
        mark = mark if sensitive else fold_case(mark)
        parts.append(re.escape(mark))
        if literal is not None:
            literal.append(mark)
    stretches.append(_Stretch(parts, literal))
    return _matcher(stretches)


@lru_cache(maxsize=512)
def compile_glob(pattern: str) -> Matcher:
    """Return what matches texts against a GLOB pattern. Raises OperationalError for a pattern that is too long."""
    _check_size(pattern)
    pattern = c_text(pattern)
    stretches: list[_Stretch] = []
    parts: list[str] = []
    literal: list[str] | None = []
    place = 0
    while place < len(pattern):
        mark = pattern[place]
        place += 1
        if mark == "*":
            stretches.append(_Stretch(parts, literal))
            parts, literal = [], []
        elif mark in "?[":
            part, place = (".", place) if mark == "?" else _glob_set(pattern, place)
            if place < 0:
                return _never
            parts.append(part)
            literal = None
        else:
            parts.append(re.escape(mark))
            if literal is not None:
                literal.append(mark)
    stretches.append(_Stretch(parts, literal))
    return _matcher(stretches)


def _glob_set(pattern: str, place: int) -> tuple[str, int]:
    """Return the expression for a set that opened before `place`, and where it ends, -1 if nowhere."""
    inverted = pattern.startswith("^", place)
    place += inverted
    members: list[str] = []
    if pattern.startswith("]", place):
        members.append(r"\]")
        place += 1
    before = ""
    while place < len(pattern) and pattern[place] != "]":
        mark, after = pattern[place], pattern[place + 1 : place + 2]
        place += 1
        if mark == "-" and before and after not in ("", "]"):
            if before <= after:
                members.append(f"{re.escape(before)}-{re.escape(after)}")
            before = ""
            place += 1
        else:
            members.append(re.escape(mark))
            before = mark
    if place >= len(pattern):
        return "", -1
    if not members:
        return ("." if inverted else _NOTHING), place + 1
    return f"[{'^' if inverted else ''}{''.join(members)}]", place + 1


@lru_cache(maxsize=512)
def compile_regexp(pattern: str) -> re.Pattern[str]:
    """Return a regular expression of Python's re module. Raises OperationalError for an invalid one."""
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as exc:
        raise OperationalError(f"invalid regular expression: {exc}") from exc


def prepare_like(context: "Context", pattern: str, *escape: str) -> Callable[[Value], Value]:
    """Return what tells whether a value matches a LIKE pattern, NULL for NULL."""
    sensitive = context.state.case_sensitive_like
    matches = compile_like(pattern, *escape, sensitive=sensitive)

    def match(value: Value) -> Value:
        if value is None:
            return None
        text = value if isinstance(value, str) and "\0" not in value else c_text(value)
        if not sensitive:
            text = text.lower() if text.isascii() else fold_case(text)
        return 1 if matches(text) else 0

    return match


def like(context: "Context", pattern: Value, value: Value, *escape: Value) -> Value:
    """Return whether a text matches a LIKE pattern: ``%`` any text, ``_`` one character; A to Z equal a to z."""
    if None in escape:
        return None
    match = prepare_like(context, "" if pattern is None else text_of(pattern), *map(text_of, escape))
    return None if pattern is None else match(value)


def glob(pattern: Value, value: Value) -> Value:
    """Return whether a text matches a GLOB pattern: ``*``, ``?``, ``[a-z]`` and ``[^a-z]``."""
    if pattern is None or value is None:
        return None
    matches = compile_glob(pattern if isinstance(pattern, str) else text_of(pattern))
    return 1 if matches(value if isinstance(value, str) and "\0" not in value else c_text(value)) else 0


def regexp(pattern: Value, value: Value) -> Value:
    """Return whether a regular expression of Python's re module matches somewhere in a text.

    Unlike LIKE and GLOB, a regular expression can take time exponential in the length of the text.
    """
    if pattern is None or value is None:
        return None
    return 1 if compile_regexp(text_of(pattern)).search(text_of(value)) else 0


FUNCTIONS: Final[tuple[ScalarFunction, ...]] = (
    ScalarFunction(FunctionSignature("like", 2, 3, result=SqlType.INTEGER, null_safe=True), like, needs_context=True),
    scalar("glob", glob, 2, SqlType.INTEGER, null_safe=True),
    scalar("regexp", regexp, 2, SqlType.INTEGER, null_safe=True),
)
"""The scalar functions of this module."""
