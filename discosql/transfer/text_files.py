"""Rows as text, part by part: CSV, TSV, JSON, JSON Lines, Markdown, HTML and aligned tables.

How values are written is told by `output_fields`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring as json_string
from types import MappingProxyType
from typing import Any, Final, Protocol

from discosql.detecting import readers, shown
from discosql.output import html_line, markdown_line, table
from discosql.output_fields import (
    JSON_BETWEEN,
    csv_field,
    csv_line,
    field,
    json_field,
    json_template,
    tsv_field,
    tsv_line,
)
from discosql.output_text import printable
from discosql.planner.plan import OutputColumn
from discosql.types import Row, SqlType, Value


class TextFormat(Protocol):
    """How the rows of columns are written: `head`, then `rows` any number of times, then `tail`."""

    def __init__(self, columns: Sequence[OutputColumn]) -> None: ...

    def head(self) -> str:
        """Return what comes before the rows."""

    def rows(self, rows: Sequence[Row]) -> str:
        """Return some rows."""

    def tail(self) -> str:
        """Return what comes behind the rows."""


# Values -----------------------------------------------------------------------------------------------------------


def plain(value: Value, kind: SqlType | None) -> str:
    """Return a value that is not NULL as text; `kind` is the type of its column."""
    return field(_boolean(value) if kind is SqlType.BOOLEAN else value)


def _boolean(value: Value) -> Value:
    return bool(value) if isinstance(value, int) and value in (0, 1) else value


def _json(value: Value, kind: SqlType | None) -> str:
    """Return a value as JSON, that of a column of the type JSON as it is."""
    if kind is SqlType.JSON and isinstance(value, str):
        return _nested(value)
    return json_field(_boolean(value) if kind is SqlType.BOOLEAN else value)


def _nested(text: str) -> str:
    """Return JSON text on one line: outside of strings, where they are escaped, line breaks are only space.

    What is no JSON, as an expression may give it, becomes a string, and so do the numbers that only Python reads.
    """
    try:
        read = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return json_string(text)
    if "NaN" in text or "Infinity" in text:
        return json.dumps(read, ensure_ascii=False)
    return text.replace("\n", " ").replace("\r", " ")


class _Fields:
    """Columns of values and how each becomes a field."""

    def __init__(self, columns: Sequence[OutputColumn]) -> None:
        self._names = [column.name for column in columns]
        self._kinds = [column.type for column in columns]

    def _lines(self, rows: Sequence[Row], field: Callable[[Any, SqlType | None], str]) -> "zip[tuple[str, ...]]":
        columns = zip(zip(*rows, strict=True), self._kinds, strict=True)
        return zip(*[[field(value, kind) for value in values] for values, kind in columns], strict=True)

    def tail(self) -> str:
        """Return nothing: the rows are all there is."""
        return ""


# Formats ----------------------------------------------------------------------------------------------------------


class _Separated(_Fields):
    _field: Callable[[Any], str]
    _line: Callable[[Sequence[str]], str]

    def head(self) -> str:
        """Return the names of the columns."""
        return self._line(list(map(self._field, self._names)))

    def rows(self, rows: Sequence[Row]) -> str:
        """Return a line a row."""

        def text(value: Value, kind: SqlType | None) -> str:
            return self._field(_boolean(value) if kind is SqlType.BOOLEAN else value)

        return "".join(map(self._line, self._lines(rows, text)))


class Csv(_Separated):
    """RFC 4180 with line feeds. NULL is an empty field, empty text is ``""``, as PostgreSQL's COPY has them."""

    _field = staticmethod(csv_field)
    _line = staticmethod(csv_line)


class Tsv(_Separated):
    """Values between tabs, as PostgreSQL's COPY has them: NULL is ``\\N``, and there are escapes."""

    _field = staticmethod(tsv_field)
    _line = staticmethod(tsv_line)


class JsonLines(_Fields):
    """A JSON object a line."""

    def __init__(self, columns: Sequence[OutputColumn]) -> None:
        super().__init__(columns)
        self._template = json_template(self._names)

    def head(self) -> str:
        """Return nothing: every object has the names."""
        return ""

    def rows(self, rows: Sequence[Row]) -> str:
        """Return an object a line."""
        return "".join([self._template % line + "\n" for line in self._lines(rows, _json)])


class Json(JsonLines):
    """One JSON array of objects, an object a line."""

    _between = ""

    def head(self) -> str:
        """Return the start of the array."""
        return "["

    def rows(self, rows: Sequence[Row]) -> str:
        """Return objects with commas between them and before them, but for the first."""
        text = self._between + JSON_BETWEEN.join([self._template % line for line in self._lines(rows, _json)])
        self._between = JSON_BETWEEN
        return text

    def tail(self) -> str:
        """Return the end of the array."""
        return "]\n"


class Markdown(_Fields):
    """A table as GitHub and Discord's own preview of files know it; NULL is written out."""

    def head(self) -> str:
        """Return the names of the columns, and the line below."""
        return markdown_line([printable(name) for name in self._names]) + markdown_line(["---"] * len(self._names))

    def rows(self, rows: Sequence[Row]) -> str:
        """Return a line a row; line breaks and other control characters become escapes."""
        return "".join(map(markdown_line, self._lines(rows, lambda value, kind: printable(_or_null(value, kind)))))


class Html(_Fields):
    """A table element, with all of the values' characters escaped; NULL is written out."""

    def head(self) -> str:
        """Return the start of the element and its first row."""
        return f"<table>\n{html_line('th', self._names)}"

    def rows(self, rows: Sequence[Row]) -> str:
        """Return a row element a line."""
        return "".join(html_line("td", line) for line in self._lines(rows, _or_null))

    def tail(self) -> str:
        """Return the end of the element."""
        return "</table>\n"


def _or_null(value: Value, kind: SqlType | None) -> str:
    return "NULL" if value is None else plain(value, kind)


class Aligned(_Fields):
    """The shell's own table for people. Its columns are as wide as the widest value: it is written at the end."""

    def __init__(self, columns: Sequence[OutputColumn]) -> None:
        super().__init__(columns)
        self._readers = readers(columns)
        self._waiting: list[Row] = []

    def head(self) -> str:
        """Return nothing yet."""
        return ""

    def rows(self, rows: Sequence[Row]) -> str:
        """Return nothing yet."""
        self._waiting += shown(list(rows), self._readers)
        return ""

    def tail(self) -> str:
        """Return the table."""
        return table(self._names, self._waiting)


TEXT_FORMATS: Final[Mapping[str, type[TextFormat]]] = MappingProxyType(
    {
        "csv": Csv,
        "tsv": Tsv,
        "json": Json,
        "jsonl": JsonLines,
        "markdown": Markdown,
        "html": Html,
        "table": Aligned,
    }
)
"""The formats by name."""
