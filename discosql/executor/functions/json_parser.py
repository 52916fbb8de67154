"""A parser for JSON5, with the liberties that SQLite takes (https://sqlite.org/json1.html).

It keeps a stack of its own, so that text can nest as deep as it may, and knows where an error is.
"""

import re
from typing import Any, Final, Literal, NoReturn

from discosql.executor.functions.json_nodes import (
    Escaped,
    Integer,
    Loose,
    LooseInteger,
    LooseReal,
    Node,
    Object,
    Real,
    malformed,
)

MAX_DEPTH: Final = 1_000
"""How deep arrays and objects may nest."""

_DIGITS: Final = frozenset("0123456789")
_SPACE = re.compile(r"[ \t\n\r]*+")
_LOOSE_SPACE = re.compile(
    r"(?:[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
    r"|/\*(?s:.*?)\*/|//[^\0\n\r\u2028\u2029]*[\n\r\u2028\u2029]?)*+"
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![0-9.eExX])")
_HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
_WORD = re.compile(r"(?:true|false|null|(?i:nan|qnan|snan|infinity|inf))(?![0-9A-Za-z])")
_PLAIN = re.compile(r"[^\"'\\\x00-\x1f]*+")
_ESCAPE = re.compile(r"\\(?:([\"\\/bfnrt]|u[0-9a-fA-F]{4})|'|v|\r?\n|\r|0(?![0-9])|\u2028|\u2029|x[0-9a-fA-F]{2})")
_LABEL = re.compile(
    r"(?:[A-Za-z_$]|[^\x00-\x7f]|\\u[0-9a-fA-F]{4})"
    r"(?:[A-Za-z_$0-9]|[^\x00-\x7f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]|\\u[0-9a-fA-F]{4})*"
)
_NUMBERS: Final = frozenset({Integer, Real, LooseInteger, LooseReal})
_WORDS: Final[dict[str, Node]] = {"true": True, "false": False, "null": None}


class JsonSyntaxError(Exception):
    """Text is no JSON."""


class _Frame:
    """An array or object that is being read: what it `wants` next, and the `position` where that should be."""

    __slots__ = ("is_object", "label", "node", "position", "wants")

    def __init__(self, is_object: bool) -> None:
        self.is_object = is_object
        self.node: list[Any] = Object() if is_object else []
        self.wants: Literal["label", "colon", "value"] = "label" if is_object else "value"
        self.label = ""
        self.position = 0


class Parser:
    """Reads one text. `loose` tells afterwards whether only JSON5 has it, `error` where an error was, from 0."""

    def __init__(self, text: str) -> None:
        self.loose = False
        self.error = 0
        self._text = text + "\0"  # a character that fits nowhere, as at the end of a string in C
        self._frames: list[_Frame] = []

    def parse(self) -> Node:
        """Return the tree. Raises OperationalError for text that is no JSON."""
        try:
            return self.read()
        except JsonSyntaxError:
            raise malformed() from None

    def read(self) -> Node:
        """Return the tree. Raises JsonSyntaxError."""
        frames = self._frames
        position = 0
        while True:
            kind, node, position = self._item(position)
            if kind in ("{", "["):
                if len(frames) == MAX_DEPTH:
                    self._fail(position)
                frames.append(_Frame(kind == "{"))
                position += 1
                continue
            if kind == ":":
                frames[-1].wants = "value"
                position += 1
                continue
            if kind:
                node = frames.pop().node
                self.loose = self.loose or bool(node)  # a comma before the closing bracket
                position += 1
            while frames and self._add(node):
                position, closed = self._separator(position)
                if not closed:
                    break
                node = frames.pop().node
            if not frames:
                self._check_end(position)
                return node

    def _fail(self, position: int) -> NoReturn:
        self.error = position
        raise JsonSyntaxError

    # Between values ---------------------------------------------------------------------------------------------------

    def _item(self, position: int) -> tuple[str, Node, int]:
        """Read a value, a label, a colon, or a bracket that opens the one or ends the innermost array or object."""
        if not self._frames:
            token = self._token(position)
            if token[0] not in ("", "{", "["):
                raise JsonSyntaxError
            return token
        frame = self._frames[-1]
        if frame.wants == "colon":
            position = self._after(_SPACE, position)
            if self._text[position] == ":":
                return ":", None, position
        frame.position = position
        if frame.wants == "label":
            return self._label(position)
        token = self._token(position)
        end = ":" if frame.wants == "colon" else "" if frame.is_object else "]"
        return token if token[0] in ("", "{", "[", end) else self._fail(position)

    def _label(self, position: int) -> tuple[str, Node, int]:
        """Read a label, which JSON5 allows without quotes, or the end of the object."""
        is_token = True
        try:
            token = self._token(position)
            if token[0] in ("", "{", "[", "}"):
                return token
        except JsonSyntaxError:
            is_token = False
        start = self._after(_LOOSE_SPACE, position)
        match = _LABEL.match(self._text, start)
        if match is None or match[0] == "\0":
            if is_token:
                self.error = start
            raise JsonSyntaxError
        self.loose = True
        return "", Escaped(match[0]) if "\\" in match[0] else match[0], match.end()

    def _add(self, node: Node) -> bool:
        """Give a node to the innermost array or object; tell whether it was an element or value and no label."""
        frame = self._frames[-1]
        if frame.wants == "label" and isinstance(node, str) and type(node) not in _NUMBERS:
            frame.label, frame.wants = node, "colon"
            return False
        if frame.wants != "value":
            self._fail(frame.position)
        if frame.is_object:
            frame.node.append((frame.label, node))
            frame.wants = "label"
        else:
            frame.node.append(node)
        return True

    def _separator(self, position: int) -> tuple[int, bool]:
        """Go over what is behind an element or value; tell whether it is the closing bracket."""
        close = "}" if self._frames[-1].is_object else "]"
        position = self._after(_SPACE, position)
        letter = self._text[position]
        if letter not in (",", close):
            start = self._after(_LOOSE_SPACE, position)
            letter = self._text[start]
            if letter not in (",", close):
                self._fail(position)
            self.loose = True
            self.error = position = start
        return position + 1, letter == close

    def _check_end(self, position: int) -> None:
        position = self._after(_SPACE, position)
        if self._text[position] != "\0":
            position = self._after(_LOOSE_SPACE, position)
            if self._text[position] != "\0":
                raise JsonSyntaxError
            self.loose = True

    def _after(self, pattern: re.Pattern[str], position: int) -> int:
        match = pattern.match(self._text, position)
        return position if match is None else match.end()

    # Values -----------------------------------------------------------------------------------------------------------

    def _token(self, position: int) -> tuple[str, Node, int]:
        """Return a bracket, comma, colon or NUL and where it is, or an empty kind, a scalar and where it ends."""
        text = self._text
        position = self._after(_SPACE, position)
        letter = text[position]
        if letter in "\"'":
            return "", *self._string(position)
        if letter in "{[\0":
            return letter, None, position
        if letter in "}],:":
            self.error = position
            return letter, None, position
        match = _NUMBER.match(text, position)
        if match is not None:
            kind = Real if match[1] or match[2] else Integer
            return "", kind(match[0]), match.end()
        if letter in "+-.0123456789":
            return "", *self._loose_number(position)
        match = _WORD.match(text, position)
        if match is not None:
            return "", self._word(match[0]), match.end()
        start = self._after(_LOOSE_SPACE, position)
        if start == position:
            self._fail(position)
        self.loose = True
        return self._token(start)

    def _word(self, word: str) -> Node:
        if word in _WORDS:
            return _WORDS[word]
        self.loose = True
        return Real("9e999") if word[0] in "iI" else None

    def _string(self, start: int) -> tuple[str, int]:
        text = self._text
        quote = text[start]
        has_escapes, is_loose = False, False
        self.loose = self.loose or quote == "'"
        position = start + 1
        while True:
            position = self._after(_PLAIN, position)
            letter = text[position]
            if letter == quote:
                break
            if letter == "\\":
                match = _ESCAPE.match(text, position)
                if match is None:
                    self._fail(position + 1)
                has_escapes = True
                if match[1] is None:
                    self.loose = is_loose = True
                position = match.end()
                continue
            if letter == "\0":
                self._fail(position)
            if letter != "'":
                is_loose = True
                self.loose = self.loose or letter != '"'
            position += 1
        content = text[start + 1 : position]
        kind = Loose if is_loose else Escaped if has_escapes else str
        return kind(content), position + 1

    def _loose_number(self, start: int) -> tuple[str, int]:
        """Read a number that JSON does not have."""
        text = self._text
        match = _HEXADECIMAL.match(text, start)
        if match is not None:
            self.loose = True
            return LooseInteger(match[0].removeprefix("+")), match.end()
        first = start + (text[start] in "+-")
        if text[first : first + 3].lower() == "inf" and first > start:
            self.loose = True
            end = first + (8 if text[first : first + 8].lower() == "infinity" else 3)
            return Real("-9e999" if text[start] == "-" else "9e999"), end
        if not (text[first] in _DIGITS or text[first] == "."):
            self._fail(start)
        if text[first] == "." and first == start and text[first + 1] not in _DIGITS:
            self._fail(start)
        if text[first] == "0" and text[first + 1] in _DIGITS:
            self._fail(first + (first == start))
        end, kind = self._number_end(first)
        if text[start] == "+" or kind is LooseReal:
            self.loose = True
        return kind(text[start:end].removeprefix("+")), end

    def _number_end(self, start: int) -> tuple[int, type[str]]:
        """Return where the digits of a number end, and which kind of number they are."""
        text = self._text
        kind: type[str] = LooseReal if text[start] == "." else Integer
        position = start
        while True:
            letter = text[position]
            if letter == ".":
                if kind is Real or (kind is LooseReal and position > start):
                    self._fail(position)
                kind = LooseReal if kind is LooseReal else Real
            elif letter in "eE":
                return self._exponent_end(start, position, kind)
            elif letter not in _DIGITS:
                break
            position += 1
        if text[position - 1] == ".":
            kind = self._without_digits(start, position)
        return position, kind

    def _exponent_end(self, start: int, position: int, kind: type[str]) -> tuple[int, type[str]]:
        text = self._text
        if text[position - 1] == ".":
            kind = self._without_digits(start, position)
        position += 1 + (text[position + 1] in "+-")
        if text[position] not in _DIGITS:
            self._fail(position - 1)
        while text[position] in _DIGITS:
            position += 1
        if text[position] in ".eE":
            self._fail(position)
        return position, Real if kind is Integer else kind

    def _without_digits(self, start: int, position: int) -> type[str]:
        """Check that digits are before a point with none behind it."""
        if position - 2 < start or self._text[position - 2] not in _DIGITS:
            self._fail(position)
        return LooseReal
