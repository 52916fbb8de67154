"""EXPLAIN: statements and plans as trees for people to read, and for tests to compare.

::

    Projection: users.name
    └─ Filter: users.age > (subquery 1)
       ├─ Scan: users
       └─ subquery 1
          └─ Aggregate: avg(users.age)
             └─ Scan: users
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from discosql.planner.expression_text import MAX_ITEMS, ExpressionText, listed, quoted
from discosql.planner.plan import (
    Aggregate,
    CatalogScan,
    ChangeSchema,
    CheckIntegrity,
    ColumnRef,
    Delete,
    Distinct,
    Explain,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexLookup,
    Insert,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    Query,
    RecursiveUnion,
    Scan,
    SetOperation,
    SetPragma,
    Shared,
    Sort,
    Statement,
    TopN,
    TransactionControl,
    Update,
    Vacuum,
    Values,
    Window,
    WorkingScan,
)
from discosql.planner.statement import plans
from discosql.planner.traverse import children, free_columns
from discosql.schema import ComputedIndex, TableSchema

Annotations: TypeAlias = Mapping[int, Mapping[str, object]]
"""What to say of a node besides its label, by its `id()`: names and values (text, a number, a tuple of texts), such as
``{"rows": 5}``."""


@dataclass(slots=True)
class Entry:
    """A line of the tree: the kind of node, what it does, notes on it, and the lines below."""

    kind: str
    text: str = ""
    notes: Mapping[str, object] = field(default_factory=dict)
    below: list["Entry"] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The entry as one line of text."""
        label = f"{self.kind}: {self.text}" if self.text else self.kind
        notes = ", ".join(f"{name} {_shown(value)}" for name, value in self.notes.items())
        return f"{label}  ({notes})" if notes else label


def explain_lines(statement: Statement | Node, annotations: Annotations | None = None) -> list[str]:
    """Return the tree of a statement or a plan, a line a node."""
    lines: list[str] = []
    stack = [(entry, "", "") for entry in reversed(_entries(statement, annotations or {}))]
    while stack:
        entry, first, rest = stack.pop()
        lines.append(first + entry.line)
        for place, below in enumerate(reversed(entry.below)):
            branch, bar = ("└─ ", "   ") if place == 0 else ("├─ ", "│  ")
            stack.append((below, rest + branch, rest + bar))
    return lines


def explain_json(statement: Statement | Node, annotations: Annotations | None = None) -> str:
    """Return the tree as JSON: objects with ``node``, ``text``, the notes by name (``_`` for spaces), ``children``."""
    return json.dumps(
        [_data(entry) for entry in _entries(statement, annotations or {})], ensure_ascii=False, default=str
    )


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " and ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _data(entry: Entry) -> dict[str, Any]:
    notes = {name.replace(" ", "_"): value for name, value in entry.notes.items()}
    data: dict[str, Any] = {"node": entry.kind, "text": entry.text, **notes}
    data["children"] = [_data(below) for below in entry.below]
    return data


def _entries(statement: Statement | Node, annotations: Annotations) -> list[Entry]:
    return _Tree(annotations).build(statement)


class _Tree:
    """Builds the entries of one statement, with a stack of its own: chains of set operations may be long."""

    def __init__(self, annotations: Annotations) -> None:
        self._annotations = annotations
        self._count = 0
        self._met: list[tuple[str, Node]] = []
        self._shared: set[int] = set()
        self._writer = ExpressionText(self._name)

    def build(self, statement: Statement | Node) -> list[Entry]:
        """Return the topmost entries: one, and the subqueries in other expressions of a statement."""
        top: list[Entry] = []
        writer = _STATEMENTS.get(type(statement))
        if writer is None:
            if isinstance(statement, Query):
                self._plan(statement.plan, top)
            else:
                self._plan(statement, top)  # type: ignore[arg-type]
            return top
        entry = Entry(type(statement).__name__, writer(statement))
        top.append(entry)
        if isinstance(statement, Explain):
            entry.below.extend(self.build(statement.statement))
        else:
            for place, plan in enumerate(plans(statement)):  # type: ignore[arg-type]
                self._plan(plan, entry.below, None if place == 0 else "subquery")
        return top

    def _name(self, plan: Node) -> str:
        self._count += 1
        name = f"subquery {self._count}"
        self._met.append((name, plan))
        return name

    def _plan(self, plan: Node, top: list[Entry], name: str | None = None) -> None:
        stack: list[tuple[str | None, Node, list[Entry]]] = [(name, plan, top)]
        while stack:
            label, node, siblings = stack.pop()
            if label is not None:
                entry = Entry(label + (" (for each row)" if free_columns(node) else ""))
                stack.append((None, node, entry.below))
            else:
                entry = self._entry(node)
                below: list[tuple[str | None, Node, list[Entry]]] = [
                    (None, child, entry.below) for child in self._children(node)
                ]
                below.extend((met, inner, entry.below) for met, inner in self._met)
                self._met.clear()
                stack.extend(reversed(below))
            siblings.append(entry)

    def _children(self, node: Node) -> tuple[Node, ...]:
        if isinstance(node, Shared):
            known = node.id in self._shared
            self._shared.add(node.id)
            return () if known else (node.child,)
        if not isinstance(node, SetOperation):
            return children(node)
        arms = []
        arm: Node = node
        while isinstance(arm, SetOperation) and (arm.kind, arm.all) == (node.kind, node.all):
            arms.append(arm.right)
            arm = arm.left
        return (arm, *reversed(arms))

    def _entry(self, node: Node) -> Entry:
        text = _NODES[type(node)](node, self._writer)
        if isinstance(node, Shared) and node.id in self._shared:
            text += " (as above)"
        return Entry(type(node).__name__, text, self._annotations.get(id(node), {}))


# Leaves ------------------------------------------------------------------------------------------------------------


def _values(node: Values, writer: ExpressionText) -> str:
    if len(node.rows) == 1 and not node.rows[0]:
        return "one row"
    if not node.rows:
        return "no rows"
    rows = [f"({writer.texts(row)})" for row in node.rows[:MAX_ITEMS]]
    return listed(rows, len(node.rows))


def _named(node: Scan | IndexLookup | CatalogScan, name: str) -> str:
    return quoted(name) if node.alias == name else f"{quoted(name)} AS {quoted(node.alias)}"


def _moment(node: Scan | IndexLookup, writer: ExpressionText) -> str:
    return f" AS OF {writer.text(node.as_of)}" if node.as_of is not None else ""


def _column_name(table: TableSchema, position: int) -> str:
    if position < 0:
        position = -1 if table.rowid_column is None else table.rowid_column
    return "rowid" if position < 0 else quoted(table.columns[position].name)


def _scan(node: Scan, writer: ExpressionText) -> str:
    limits = []
    for bound in node.bounds:
        name = _column_name(node.table, bound.position)
        if bound.low is not None and bound.low is bound.high:
            limits.append(f"{name} = {writer.text(bound.low)}")
            continue
        if bound.low is not None:
            limits.append(f"{name} >= {writer.text(bound.low)}")
        if bound.high is not None:
            limits.append(f"{name} <= {writer.text(bound.high)}")
    pages = f", pages with {' and '.join(limits)}" if limits else ""
    return _named(node, node.table.name) + _moment(node, writer) + pages


def _index_lookup(node: IndexLookup, writer: ExpressionText) -> str:
    index = node.index
    if isinstance(index, ComputedIndex):
        names = list(index.keys)
    else:
        names = [_column_name(node.table, position) for position in ((-1,) if index is None else index.columns)]
    cut = node.keys if len(node.keys) <= MAX_ITEMS else node.keys[: MAX_ITEMS // 2]
    keys = [writer.texts(key) for key in cut]
    if len(names) > 1:
        keys = [f"({key})" for key in keys]
    if len(names) > 1 or isinstance(index, ComputedIndex):
        where = f" WHERE {index.where}" if isinstance(index, ComputedIndex) and index.where is not None else ""
        column = f"{quoted(node.table.name)}({', '.join(names)}{where})"
    else:
        column = f"{quoted(node.table.name)}.{names[0]}"
    alias = "" if node.alias == node.table.name else f" AS {quoted(node.alias)}"
    return f"{column}{alias}{_moment(node, writer)} ({listed(keys, len(node.keys))})"


def _catalog_scan(node: CatalogScan, writer: ExpressionText) -> str:
    arguments = f"({writer.texts(node.arguments)})" if node.arguments else ""
    return quoted(node.name) + arguments + ("" if node.alias == node.name else f" AS {quoted(node.alias)}")


# Other nodes -------------------------------------------------------------------------------------------------------


def _projection(node: Projection, writer: ExpressionText) -> str:
    texts = []
    for expression, column in zip(node.expressions, node.output, strict=True):
        text = writer.text(expression)
        known = isinstance(expression, ColumnRef) and expression.name == column.name
        shown = known or not column.name.isidentifier() or column.name == text
        texts.append(text if shown else f"{text} AS {column.name}")
    return ", ".join(texts)


def _aggregate(node: Aggregate, writer: ExpressionText) -> str:
    calls = ", ".join(map(writer.aggregate, node.calls))
    if not node.keys:
        return calls
    return f"{calls} BY {writer.texts(node.keys)}" if calls else f"BY {writer.texts(node.keys)}"


def _count(limit: Expression | None, offset: Expression | None, writer: ExpressionText) -> str:
    first = writer.text(limit) if limit is not None else "all"
    return first if offset is None else f"{first} OFFSET {writer.text(offset)}"


def _nested_loop_join(node: NestedLoopJoin, writer: ExpressionText) -> str:
    kind = f"lateral {node.kind}" if node.lateral else node.kind
    return kind if node.condition is None else f"{kind} ON {writer.text(node.condition)}"


def _hash_join(node: HashJoin, writer: ExpressionText) -> str:
    safe = node.null_safe or (False,) * len(node.left_keys)
    keys = [
        writer.equality(left, right, "IS" if null_safe else "=", collation)
        for left, right, null_safe, collation in zip(
            node.left_keys, node.right_keys, safe, node.collations, strict=True
        )
    ]
    return f"{node.kind} ON {' AND '.join(keys)}" + _residual(node.residual, writer)


def _residual(residual: Expression | None, writer: ExpressionText) -> str:
    return "" if residual is None else f", {writer.text(residual)}"


def _set_operation(node: SetOperation, _: ExpressionText) -> str:
    return node.kind.upper() + (" ALL" if node.all else "")


def _recursive_union(node: RecursiveUnion, writer: ExpressionText) -> str:
    order = f" BY {writer.keys(node.keys)}" if node.keys else ""
    limited = node.limit is not None or node.offset is not None
    limit = f" LIMIT {_count(node.limit, node.offset, writer)}" if limited else ""
    return quoted(node.name) + (" UNION ALL" if node.all else " UNION") + order + limit


_NODES: Final[dict[type, Callable[[Any, ExpressionText], str]]] = {
    Values: _values,
    Scan: _scan,
    IndexLookup: _index_lookup,
    CatalogScan: _catalog_scan,
    Filter: lambda node, writer: writer.text(node.predicate),
    Projection: _projection,
    Aggregate: _aggregate,
    Window: lambda node, writer: ", ".join(map(writer.window, node.calls)),
    Sort: lambda node, writer: writer.keys(node.keys),
    TopN: lambda node, writer: f"{_count(node.limit, node.offset, writer)} BY {writer.keys(node.keys)}",
    Limit: lambda node, writer: _count(node.limit, node.offset, writer),
    Distinct: lambda node, writer: "",
    NestedLoopJoin: _nested_loop_join,
    HashJoin: _hash_join,
    IndexJoin: lambda node, writer: node.kind + _residual(node.residual, writer),
    SetOperation: _set_operation,
    RecursiveUnion: _recursive_union,
    WorkingScan: lambda node, writer: quoted(node.name),
    Shared: lambda node, writer: quoted(node.name),
}


# Statements --------------------------------------------------------------------------------------------------------


def _column_names(table: TableSchema, positions: tuple[int, ...]) -> str:
    return ", ".join("rowid" if at < 0 else quoted(table.columns[at].name) for at in positions)


def _insert(node: Insert) -> str:
    name = quoted(node.rules.table.name)
    resolution = f", OR {node.resolution.upper()}" if node.resolution is not None else ""
    return f"{name} ({_column_names(node.rules.table, node.positions)}){resolution}"


_STATEMENTS: Final[dict[type, Callable[[Any], str]]] = {
    Insert: _insert,
    Update: lambda s: f"{quoted(s.rules.table.name)} ({_column_names(s.rules.table, s.positions)})",
    Delete: lambda s: quoted(s.rules.table.name),
    ChangeSchema: lambda s: s.label,
    TransactionControl: lambda s: s.kind + (f" {quoted(s.name)}" if s.name else ""),
    Explain: lambda s: s.mode,
    SetPragma: lambda s: f"{quoted(s.name)} = {s.value}",
    Vacuum: lambda s: "",
    CheckIntegrity: lambda s: s.table or "",
}
