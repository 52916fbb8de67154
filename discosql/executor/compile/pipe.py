"""A pipe: the part of a pipeline between two places where rows are kept.

It is a chain of clauses, ``for`` over something, ``if`` and the setting of a variable, with the code of each column
at its end. The same pipe can be written as a comprehension, which Python runs fastest, or as nested loops, which may
wait for storage inside and may be left early.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from discosql.executor.compile.code import ANYTHING, Code, Kind, column_of, row_of, variable
from discosql.executor.compile.module import Function


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: ``for name in code``, ``if code`` or ``name = code``."""

    kind: Literal["for", "if", "let"]
    code: Code
    name: str = ""

    @property
    def text(self) -> str:
        """The clause as part of a comprehension."""
        if self.kind == "for":
            return f"for {self.name} in {self.code.text}"
        if self.kind == "if":
            return f"if {self.code.text}"
        if self.code.bound:  # Python takes no := in what a comprehension iterates over
            return f"if [{self.name} := {self.code.text}]"
        return f"for {self.name} in ({self.code.text},)"


@dataclass(frozen=True, slots=True)
class Pipe:
    """Clauses, and the columns of the rows that come out."""

    columns: Mapping[int, Code]
    clauses: tuple[Clause, ...] = ()

    def where(self, condition: Code) -> Pipe:
        """Return the pipe with only the rows for which a condition is true in Python."""
        return replace(self, clauses=(*self.clauses, Clause("if", condition)))

    def let(self, name: str, code: Code) -> Pipe:
        """Return the pipe with a variable set for each row."""
        return replace(self, clauses=(*self.clauses, Clause("let", code, name)))

    def each(self, name: str, code: Code, columns: Mapping[int, Code]) -> Pipe:
        """Return the pipe with a row for each item of an iterable, and further columns."""
        return Pipe({**self.columns, **columns}, (*self.clauses, Clause("for", code, name)))

    def with_columns(self, columns: Mapping[int, Code]) -> Pipe:
        """Return the pipe with other columns."""
        return replace(self, columns=columns)

    @property
    def loops(self) -> int:
        """The number of loops that it is written with."""
        return sum(clause.kind != "if" for clause in self.clauses)

    def is_comprehension(self, *items: Code) -> bool:
        """Whether it can be written as a comprehension that makes the given items."""
        if not self.clauses or any(item.yields for item in items):
            return False
        if not self.clauses[0].text.startswith("for "):
            return False
        return not any(clause.code.yields or (clause.kind == "for" and clause.code.bound) for clause in self.clauses)

    def comprehension(self, item: str) -> str:
        """Return it as the inside of a comprehension."""
        return " ".join([item, *[clause.text for clause in self.clauses]])

    @contextmanager
    def written(self, function: Function) -> Iterator[None]:
        """Write it as nested loops; what is written meanwhile is their body."""
        with ExitStack() as stack:
            for clause in self.clauses:
                if clause.kind == "let":
                    function.line(f"{clause.name} = {clause.code.text}")
                else:
                    stack.enter_context(function.block(f"{clause.text}:"))
            yield


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns and the extra values of a kept row are. `width` is the number of its values, 0 if not known."""

    positions: Mapping[int, int]
    kinds: Mapping[int, Kind]
    extras: tuple[int, ...] = ()
    width: int = 0
    extra_kinds: tuple[Kind, ...] = ()

    def columns(self, row: str, extra_kind: Kind = 0) -> dict[int, Code]:
        """Return the code of each column of a row in the named variable; `extra_kind` is added to every kind."""
        return {
            column: column_of(row, position, self.kinds[column] | extra_kind, self.width)
            for column, position in self.positions.items()
        }


def pack(columns: Mapping[int, Code], extras: Iterable[Code] = (), *, copied: bool = False) -> tuple[Code, Layout]:
    """Return the code of a row that holds the given columns, and further values, with its layout.

    Unless it must be `copied`, the row of a table itself is taken where it has all of them.
    """
    extras = tuple(extras)
    codes = {code.text: code for code in (*columns.values(), *extras)}
    slots = [code.slot for code in codes.values()]
    if not copied and slots and None not in slots and len({slot[0] for slot in slots if slot is not None}) == 1:
        places = {text: code.slot[1] for text, code in codes.items() if code.slot is not None}
        row, _, width = next(slot for slot in slots if slot is not None)
        item = variable(row, ANYTHING)
    else:
        places = {text: place for place, text in enumerate(codes)}
        item, width = row_of(codes.values()), len(codes)
    layout = Layout(
        {column: places[code.text] for column, code in columns.items()},
        {column: code.kind for column, code in columns.items()},
        tuple(places[code.text] for code in extras),
        width,
        tuple(code.kind for code in extras),
    )
    return item, layout
