"""Writing the nodes of a plan as pipelines (https://www.vldb.org/pvldb/vol4/p539-neumann.pdf).

A node *produces* rows by writing code at whose innermost place the *consumer* it was given writes what is done with
them. Consumers are called exactly once. Rows are only kept (in lists and dicts) where a node needs them all: sorts,
groups, the built side of joins and the like; from one such place to the next all nodes together are one loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from discosql.executor.compile.code import ANYTHING, Code, Kind, row_of, variable
from discosql.executor.compile.module import Function, Module
from discosql.executor.compile.pipe import Clause, Layout, Pipe, pack
from discosql.executor.compile.scope import Scope
from discosql.executor.compile.walk import is_volatile, references
from discosql.executor.reads import growing_pieces, pieces
from discosql.planner.plan import (
    CatalogScan,
    Expression,
    Filter,
    IndexLookup,
    Node,
    Projection,
    Scan,
    Shared,
    Values,
    WorkingScan,
)

Consumer: TypeAlias = Callable[[Pipe], None]
Needed: TypeAlias = frozenset[int]
Producing: TypeAlias = Callable[["Producer", Any, Needed, Consumer], None]

PRODUCERS: Final[dict[type, Producing]] = {}
"""How each kind of node is written."""

STEP: Final = 8192
"""Rows of work between two ticks."""

FIRST_STEP: Final = 32
"""Rows whose keys are looked up at first where a few may do."""

MAX_LOOPS: Final = 10
"""Loops in one pipe; Python allows 20 blocks inside one another."""

_LEAVES: Final = (Scan, IndexLookup, CatalogScan, WorkingScan, Shared)
"""Nodes that keep their rows themselves, or need not."""

STATE: Final = ("context", "memo")
"""The first arguments of every generated function that reads: `memo` keeps what is computed once a statement."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of rows in a variable."""

    name: str
    layout: Layout


class Producer:
    """Writes nodes into one function. `outer` is the code of what comes from around it."""

    def __init__(self, function: Function, outer: Mapping[int, Code] | None = None) -> None:
        self.function = function
        self.module: Module = function.module
        self.outer: Mapping[int, Code] = outer or {}
        self.factors: tuple[str, ...] = ()
        self.cautious = False
        function.generates = True

    def scope(self, columns: Mapping[int, Code] | None = None) -> Scope:
        """Return the scope of expressions over the given columns."""
        if not self.outer or not columns:
            return Scope(self.function, columns or self.outer)
        return Scope(self.function, {**self.outer, **columns})

    def value(self, expression: Expression, pipe: Pipe | None = None) -> Code:
        """Return the code of an expression's value at the end of a pipe."""
        scope = self.scope(pipe.columns if pipe is not None else None)
        scope.prepare(expression)
        return scope.value(expression)

    def kept(self, expression: Expression, pipe: Pipe) -> Code:
        """Return the code of an expression's value in which JSON is still known to be JSON."""
        scope = self.scope(pipe.columns)
        scope.prepare(expression)
        return scope.kept(expression)

    def truth(self, expression: Expression, pipe: Pipe) -> Code:
        """Return the code that is true in Python where the expression is true."""
        scope = self.scope(pipe.columns)
        scope.prepare(expression)
        return scope.truth(expression)

    def produce(self, node: Node, needed: Needed, consume: Consumer) -> None:
        """Write the code that makes the rows of a node and does with them what the consumer writes.

        `needed` are the columns that the consumer uses.
        """
        if self.function.repeated and self._is_fixed(node):
            self._produce_once(node, needed, consume)
            return
        if self.module.counted is not None:
            consume = self._counting(self.module.counted, node, consume)
        PRODUCERS[type(node)](self, node, needed, consume)

    def _counting(self, counted: dict[int, int], node: Node, consume: Consumer) -> Consumer:
        """Return a consumer that counts the rows on their way; the counter's condition is always true."""
        place = counted.setdefault(id(node), -1 - len(counted))
        name = f"count{-place}"

        def count(pipe: Pipe) -> None:
            self.function.local(name, f"memo[{place}].__next__")
            consume(pipe.where(Code(f"{name}() >= 0", ANYTHING, names=frozenset((name,)))))

        return count

    def _is_fixed(self, node: Node) -> bool:
        """Whether a node gives the same rows each time the function is called, and takes some work to do so."""
        below = node
        while isinstance(below, Filter | Projection):
            below = below.child
        if isinstance(below, Values) or isinstance(node, _LEAVES):
            return False
        known: dict[int, bool] = self.module.facts.setdefault("fixed", {})
        if id(node) not in known:
            known[id(node)] = not references(node) and not is_volatile(node)
        return known[id(node)]

    def _produce_once(self, node: Node, needed: Needed, consume: Consumer) -> None:
        """Write the code of a node as a function of its own, whose rows are kept for the whole statement."""
        inner, _ = start_subfunction(self.module, node, "k", {}, False)
        kept = inner.collect(node, needed)
        inner.function.line(f"return {kept.name}")
        rows, place = self.function.name("rows"), self.memo_place(("kept", inner.function.label))
        self.function.line(f"{rows} = memo.get({place})")
        with self.function.block(f"if {rows} is None:"):
            self.function.line(f"{rows} = memo[{place}] = yield from {inner.function.label}(context, memo)")
        self.each(Rows(rows, kept.layout), consume)

    def memo_place(self, key: object) -> int:
        """Return the number under which the statement's memo keeps something; 0 is the work since the last tick."""
        places: dict[object, int] = self.module.facts.setdefault("memo", {})
        return places.setdefault(key, len(places) + 1)

    # Keeping rows ------------------------------------------------------------------------------------------------

    def collect(self, node: Node, needed: Needed, extras: Callable[[Pipe], Iterable[Code]] = lambda pipe: ()) -> Rows:
        """Write code that keeps the rows of a node in a list: the needed columns and the extra values."""
        name = self.function.name("rows")
        self.function.line(f"{name} = []")
        layouts: list[Layout] = []

        def consume(pipe: Pipe) -> None:
            item, layout = pack(wanted(pipe, needed), extras(pipe))
            layouts.append(layout)
            self.extend(name, pipe, item)

        with self.without_factors():
            self.produce(node, needed, consume)
        return Rows(name, layouts[0])

    def tuples(self, node: Node, *, plain: bool = False) -> tuple[str, list[Kind]]:
        """Write code that keeps the output of a node as tuples in a list; return its name and the columns' kinds.

        With `plain` the rows leave the plan, so JSON becomes text.
        """
        name = self.function.name("rows")
        self.function.line(f"{name} = []")
        kinds: list[Kind] = []

        def consume(pipe: Pipe) -> None:
            pipe = self.plain(pipe) if plain else pipe
            kinds.extend([pipe.columns[column.id].kind for column in node.output])
            self.extend(name, pipe, output_row(pipe, node))

        with self.without_factors():
            self.produce(node, output_ids(node), consume)
        return name, kinds

    def plain(self, pipe: Pipe) -> Pipe:
        """Return the pipe with the real values of its columns."""
        scope = self.scope(pipe.columns)
        return pipe.with_columns({column: scope.normal(code) for column, code in pipe.columns.items()})

    def extend(self, name: str, pipe: Pipe, item: Code) -> None:
        """Write code that adds an item for each row of a pipe to a list."""
        function = self.function
        if not pipe.clauses:
            function.line(f"{name}.append({item.text})")
        elif len(pipe.clauses) == 1 and pipe.clauses[0] == Clause("for", pipe.clauses[0].code, item.text):
            function.line(f"{name} += {pipe.clauses[0].code.text}")
        elif pipe.is_comprehension(item):
            function.line(f"{name} += [{pipe.comprehension(item.text)}]")
        else:
            with pipe.written(function):
                function.line(f"{name}.append({item.text})")

    def each(self, rows: Rows, consume: Consumer) -> None:
        """Write a loop over kept rows, in pieces, with a tick now and then."""
        row, part = self.function.name("r"), self.function.name("part")
        cut = self.cutting()
        with self.function.block(f"for {part} in {cut(rows.name)}:"):
            self.over(part, row, rows.layout, consume)

    def over(self, part: str, row: str, layout: Layout, consume: Consumer) -> None:
        """Write what is done with one batch of rows, then count them as work done."""
        iterable = variable(part, ANYTHING)
        consume(Pipe(layout.columns(row), (Clause("for", iterable, row),)))
        self.tick(f"len({part})")

    def tick(self, work: str) -> None:
        """Write code that counts work and lets the driver in after a while."""
        factors = "".join([f" * {factor}" for factor in self.factors])
        self.function.line(f"memo[0] += {work}{factors}")
        with self.function.block(f"if memo[0] >= {STEP}:"):
            self.function.line("memo[0] = 0")
            self.function.line("yield")

    def cutting(self) -> Callable[[str], str]:
        """Return what makes the code that cuts a list into pieces.

        The joins above make no more than `STEP` rows of a piece. Where a join looks up the rows of a piece and a Limit
        may end it all, pieces are small at first.
        """
        if not self.factors and not self.cautious:
            return lambda rows: f"{self.module.runtime(pieces)}({rows}, {STEP})"
        name = self.function.name("step")
        if self.cautious:
            self.function.line(f"{name} = [{FIRST_STEP}]")
            return lambda rows: f"{self.module.runtime(growing_pieces)}({rows}, {name}, {STEP})"
        self.function.line(f"{name} = {STEP} // ({' * '.join(self.factors)}) or 1")
        return lambda rows: f"{self.module.runtime(pieces)}({rows}, {name})"

    @contextmanager
    def without_factors(self) -> Iterator[None]:
        """Produce a node whose rows are kept: joins above it do not multiply them, nor does a Limit end it."""
        before, self.factors, self.cautious = (self.factors, self.cautious), (), False
        yield
        self.factors, self.cautious = before

    @contextmanager
    def multiplied(self, factor: str | None) -> Iterator[None]:
        """Produce a node each row of which becomes as many as the named variable says, or one."""
        before = self.factors
        if factor is not None:
            self.factors = (*before, factor)
        yield
        self.factors = before

    def settled(self, pipe: Pipe, needed: Needed) -> Pipe:
        """Return a pipe that can take another loop.

        Computed columns become variables, so that the loop does not compute them again; a pipe with too many loops is
        cut by keeping its rows in a list.
        """
        if pipe.loops >= MAX_LOOPS:
            return self.cut(pipe, needed)
        columns = dict(pipe.columns)
        for column, code in pipe.columns.items():
            if not code.simple and column in needed:
                name = self.function.name("v")
                pipe = pipe.let(name, code)
                columns[column] = variable(name, code.kind)
        return pipe.with_columns(columns)

    def let(self, pipes: list[Pipe], prefix: str, code: Code) -> Code:
        """Set a variable at the end of the last of some pipes, and return the code that reads it."""
        name = self.function.name(prefix)
        pipes[-1] = pipes[-1].let(name, code)
        return variable(name, code.kind)

    def cut(self, pipe: Pipe, needed: Needed) -> Pipe:
        """Write code that keeps the rows of a pipe in a list, and return a pipe over that."""
        name, row = self.function.name("rows"), self.function.name("r")
        self.function.line(f"{name} = []")
        item, layout = pack(wanted(pipe, needed))
        self.extend(name, pipe, item)
        return Pipe(layout.columns(row), (Clause("for", variable(name, ANYTHING), row),))

    # Functions of their own -----------------------------------------------------------------------------------------

    def subfunction(self, node: Node, prefix: str, columns: Mapping[int, Code]) -> tuple[Producer, list[Code]]:
        """Start a function for a plan inside this one.

        Returns its producer, and the code of its arguments at a place where `columns` are in reach.
        """
        return start_subfunction(self.module, node, prefix, {**self.outer, **columns}, self.function.repeated)


def start_subfunction(
    module: Module, node: Node, prefix: str, columns: Mapping[int, Code], repeated: bool
) -> tuple[Producer, list[Code]]:
    """Start a function for a plan; its arguments are what the plan takes from around it."""
    outside = sorted(references(node))
    names = [f"o{column}" if column >= 0 else f"w{~column}" for column in outside]
    function = module.function(prefix, (*STATE, *names), repeated=repeated or bool(outside))
    given = [columns[column] for column in outside]
    outer = {column: variable(name, code.kind) for column, name, code in zip(outside, names, given, strict=True)}
    return Producer(function, outer), given


def wanted(pipe: Pipe, needed: Needed) -> dict[int, Code]:
    """Return those columns of a pipe that are needed."""
    return {column: code for column, code in pipe.columns.items() if column in needed}


def output_ids(node: Node) -> Needed:
    """Return the ids of a node's columns."""
    return frozenset([column.id for column in node.output])


def output_row(pipe: Pipe, node: Node) -> Code:
    """Return the code of a node's row with exactly its columns, in order."""
    codes = [pipe.columns[column.id] for column in node.output]
    slots = [code.slot for code in codes]
    if slots and slots[0] is not None:
        row, width = slots[0][0], slots[0][2]
        if width == len(codes) and slots == [(row, place, width) for place in range(width)]:
            return variable(row, ANYTHING)
    return row_of(codes)
