"""How many rows a plan is likely to produce: guesses from what the catalog knows of tables without a request."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from discosql.planner.context import PlanContext
from discosql.planner.plan import (
    Aggregate,
    Between,
    Call,
    CatalogScan,
    ColumnRef,
    Compare,
    Constant,
    Distinct,
    Exists,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexLookup,
    InList,
    InSubquery,
    Is,
    Limit,
    NestedLoopJoin,
    Node,
    Not,
    Or,
    Projection,
    RecursiveUnion,
    Scan,
    SetOperation,
    Shared,
    Sort,
    TopN,
    Values,
    Window,
)
from discosql.planner.predicates import conjuncts, disjuncts, is_fixed
from discosql.planner.traverse import children
from discosql.planner.unique import unique_keys
from discosql.schema import ComputedIndex, Index, TableSchema
from discosql.statistics import TableStatistics
from discosql.types import SqlType, Value

ROWS_PER_VALUE: Final = 10.0
"""Rows that share a value of a column nothing is known of, where such rows are grouped or joined with each other."""

EQUAL: Final = 1 / 10
"""Share of rows that an equality keeps of a column nothing is known of, which rather has few values (a status, a city):
a guess too low would have the others looked up one by one."""

RANGE: Final = 1 / 3
"""Share of rows that an inequality keeps: the textbook guess of System R, where no range is known."""

PATTERN: Final = 1 / 10
"""Share of rows that a LIKE or GLOB keeps: people search for something rarer than a third, commoner than a key."""

NULLS: Final = 1 / 10
"""Share of NULLs in a column that may have some."""

HALF: Final = 1 / 2
"""Share of rows that a predicate keeps of which nothing is known, such as a subquery or a bare column."""

CATALOG_ROWS: Final = 10.0
"""Rows of a table-valued function or a table made from the catalog."""

RECURSION: Final = 10.0
"""How often the step of a recursive query is taken for each of its first rows."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is known of a column: the number of its values, and the smallest and largest where they are numbers."""

    distinct: float | None = None
    low: float | None = None
    high: float | None = None


class Estimates:
    """Estimates for the plans of one statement, each computed once."""

    def __init__(self, context: PlanContext) -> None:
        self._context = context
        self._rows: dict[int, tuple[Node, float]] = {}
        self._columns: dict[int, ColumnFacts] = {}

    def statistics(self, table: TableSchema) -> TableStatistics:
        """Return what is known of a table."""
        return self._context.statistics(table.id)

    def rows(self, node: Node) -> float:
        """Return how many rows a plan is likely to produce, never less than a small fraction of one."""
        known = self._rows.get(id(node))
        if known is not None and known[0] is node:
            return known[1]
        count = max(_ROWS[type(node)](self, node), 1e-6) if type(node) in _ROWS else 1.0
        self._rows[id(node)] = (node, count)
        return count

    def distinct(self, expression: Expression, rows: float) -> float:
        """Return how many values an expression has in so many rows; the plan that makes its columns was estimated."""
        known = self.known_distinct(expression, rows)
        return known if known is not None else max(rows / ROWS_PER_VALUE, 1.0)

    def known_distinct(self, expression: Expression, rows: float) -> float | None:
        """Return how many values an expression has in so many rows, None where that would be a guess."""
        while not isinstance(expression, ColumnRef):
            operand = _wrapped(expression)
            if operand is None:
                return 1.0 if isinstance(expression, Constant) else None
            expression = operand
        facts = self._columns.get(expression.id)
        return max(min(facts.distinct, rows), 1.0) if facts is not None and facts.distinct is not None else None

    def selectivity(self, predicate: Expression | None, rows: float) -> float:
        """Return the share of so many rows for which a predicate holds, taking its conjuncts as independent."""
        share = 1.0
        for part in conjuncts(predicate):
            share *= self._share(part, rows)
        return share

    def lookup_rows(self, table: TableSchema, index: Index | ComputedIndex | None) -> float:
        """Return how many rows one key of an index (None: the rowid) finds."""
        rows = float(max(self.statistics(table).rows, 1))
        if index is None or index.unique:
            return 1.0
        known = self.statistics(table).indexes.get(index.id)
        if known is not None and known.distinct:
            return max(rows / known.distinct, 1.0)
        return min(rows, ROWS_PER_VALUE)

    # One predicate -------------------------------------------------------------------------------------------------

    def _share(self, part: Expression, rows: float) -> float:
        if isinstance(part, Compare):
            return self._compare_share(part, rows)
        if isinstance(part, InList):
            share = min(len(part.items) * self._equal_share(part.operand, rows), HALF)
            return 1 - share if part.negated else share
        if isinstance(part, Is):
            share = NULLS if _is_null(part.right) else self._equal_share(part.left, rows)
            return 1 - share if part.negated else share
        if isinstance(part, Or):
            return min(sum(self.selectivity(arm, rows) for arm in disjuncts(part)), 1.0)
        if isinstance(part, Not):
            return max(1 - self.selectivity(part.operand, rows), 0.1)
        if isinstance(part, Between):
            return RANGE * RANGE
        if isinstance(part, Call):
            return PATTERN if part.name in ("like", "glob", "regexp", "match") else HALF
        return HALF if isinstance(part, Exists | InSubquery) or not isinstance(part, Constant) else 1.0

    def _compare_share(self, part: Compare, rows: float) -> float:
        if part.operator in ("=", "<>"):
            fixed = is_fixed(part.right)
            share = self._equal_share(part.left, rows) if fixed else self._match(part.left, part.right, rows, rows)
            return share if part.operator == "=" else 1 - share
        if isinstance(part.left, ColumnRef) and isinstance(part.right, Constant):
            return self._range_share(part.left, part.operator, part.right.value)
        if isinstance(part.right, ColumnRef) and isinstance(part.left, Constant):
            return 1 - self._range_share(part.right, part.operator, part.left.value)
        return RANGE

    def _equal_share(self, expression: Expression, rows: float) -> float:
        known = self.known_distinct(expression, rows)
        return 1 / known if known is not None else max(EQUAL, 1 / max(rows, 1.0))

    def matching(self, left: Node, right: Node, pairs: Sequence[tuple[Expression, Expression]]) -> float:
        """Return the share of pairs of rows of two plans in which all pairs of expressions are equal.

        If they hold a key of one side, each row of the other has one partner. Otherwise the second equality counts by
        its root, the third by the root of that: they are rarely independent.
        """
        rows = self.rows(left), self.rows(right)
        if len(pairs) > 1:
            sides = zip((left, right), zip(*pairs, strict=True), rows, strict=True)
            keyed = [count for node, parts, count in sides if _hold_key(node, parts)]
            if keyed:
                return 1 / max(*keyed, 1.0)
        share, weight = 1.0, 1.0
        for single in sorted(self._match(a, b, *rows) for a, b in pairs):
            share *= single**weight
            weight /= 2
        return share

    def _match(self, left: Expression, right: Expression, left_rows: float, right_rows: float) -> float:
        counts = self.known_distinct(left, left_rows), self.known_distinct(right, right_rows)
        known = [count for count in counts if count is not None]
        return 1 / max(known) if known else min(ROWS_PER_VALUE / max(left_rows, right_rows, 1.0), 1.0)

    def _range_share(self, column: ColumnRef, operator: str, value: Value) -> float:
        facts = self._columns.get(column.id)
        if facts is None or facts.low is None or facts.high is None or not isinstance(value, int | float):
            return RANGE
        width = max(facts.high - facts.low, 1.0)
        below = min(max((value - facts.low) / width, 0.0), 1.0)
        return max(below if operator in ("<", "<=") else 1 - below, 1 / (facts.distinct or ROWS_PER_VALUE))

    # One node ------------------------------------------------------------------------------------------------------

    def _table(self, node: Scan | IndexLookup) -> float:
        statistics = self.statistics(node.table)
        rows = float(max(statistics.rows, 1))
        for column, position in zip(node.output, node.positions, strict=True):
            self._columns[column.id] = _column_facts(node.table, statistics, position)
        if isinstance(node, IndexLookup):
            return min(rows, len(node.keys) * self.lookup_rows(node.table, node.index))
        return rows

    def _projection(self, node: Projection) -> float:
        rows = self.rows(node.child)
        for column, expression in zip(node.output, node.expressions, strict=True):
            self._derive(column, expression, rows)
        return rows

    def _derive(self, column: ColumnRef, expression: Expression, rows: float) -> None:
        known = self._columns.get(expression.id) if isinstance(expression, ColumnRef) else None
        if known is not None:
            self._columns[column.id] = known
        else:
            self._columns[column.id] = ColumnFacts(self.known_distinct(expression, rows))

    def _aggregate(self, node: Aggregate) -> float:
        rows = self.rows(node.child)
        groups = self.combinations(node.keys, rows)
        for column, key in zip(node.output, node.keys, strict=False):
            self._derive(column, key, rows)
        if len(node.keys) == 1:
            self._columns[node.output[0].id] = ColumnFacts(groups)
        return groups

    def combinations(self, keys: Iterable[Expression], rows: float) -> float:
        """Return how many different combinations of values so many rows hold."""
        count = 1.0
        for key in keys:
            count *= self.distinct(key, rows)
            if count >= rows:
                return rows
        return count

    def _distinct(self, node: Distinct) -> float:
        rows = self.rows(node.child)
        return self.combinations(node.output, rows)

    def _filter(self, node: Filter) -> float:
        rows = self.rows(node.child)
        return rows * self.selectivity(node.predicate, rows)

    def _nested_loop_join(self, node: NestedLoopJoin) -> float:
        left, right = self.rows(node.left), self.rows(node.right)
        matches = left * right
        pairs = []
        for part in conjuncts(node.condition):
            if isinstance(part, Compare) and part.operator == "=":
                pairs.append((part.left, part.right))
            else:
                matches *= self._share(part, max(left, right))
        return _joined(node.kind, left, right, matches * self.matching(node.left, node.right, pairs))

    def _hash_join(self, node: HashJoin) -> float:
        left, right = self.rows(node.left), self.rows(node.right)
        pairs = list(zip(node.left_keys, node.right_keys, strict=True))
        matches = left * right * self.matching(node.left, node.right, pairs)
        matches *= self.selectivity(node.residual, max(left, right))
        return _joined(node.kind, left, right, matches)

    def _index_join(self, node: IndexJoin) -> float:
        left = self.rows(node.left)
        self.rows(node.lookup)
        matches = left * self.lookup_rows(node.lookup.table, node.lookup.index)
        return _joined(node.kind, left, 1.0, matches * self.selectivity(node.residual, matches))

    def _set_operation(self, node: SetOperation) -> float:
        counts = [self.rows(arm) for arm in children(node)]
        for column, source in zip(node.output, children(node)[0].output, strict=True):
            self._derive(column, source, counts[0])
        return sum(counts) if node.kind == "union" else counts[0]

    def _shared(self, node: Shared) -> float:
        rows = self.rows(node.child)
        for column, source in zip(node.output, node.child.output, strict=True):
            self._derive(column, source, rows)
        return rows

    def _limited(self, node: Limit | TopN) -> float:
        rows = self.rows(node.child)
        limit = node.limit
        if isinstance(limit, Constant) and isinstance(limit.value, int) and limit.value >= 0:
            return min(rows, float(limit.value))
        return rows

    def _child(self, node: Sort | Window) -> float:
        return self.rows(node.child)

    def _recursive_union(self, node: RecursiveUnion) -> float:
        rows = self.rows(node.initial) * RECURSION
        self.rows(node.step)
        return rows


_ROWS: Final[dict[type, Callable[..., float]]] = {
    Values: lambda _, node: float(len(node.rows)),
    Scan: Estimates._table,
    IndexLookup: Estimates._table,
    CatalogScan: lambda _, node: CATALOG_ROWS,
    Filter: Estimates._filter,
    Projection: Estimates._projection,
    Aggregate: Estimates._aggregate,
    Window: Estimates._child,
    Sort: Estimates._child,
    TopN: Estimates._limited,
    Limit: Estimates._limited,
    Distinct: Estimates._distinct,
    NestedLoopJoin: Estimates._nested_loop_join,
    HashJoin: Estimates._hash_join,
    IndexJoin: Estimates._index_join,
    SetOperation: Estimates._set_operation,
    RecursiveUnion: Estimates._recursive_union,
    Shared: Estimates._shared,
}


def _hold_key(node: Node, expressions: Iterable[Expression]) -> bool:
    columns = {part.id for part in expressions if isinstance(part, ColumnRef)}
    return any(key.keys() <= columns for key in unique_keys(node))


def _joined(kind: str, left: float, right: float, matches: float) -> float:
    if kind == "semi":
        return min(left, matches)
    if kind == "anti":
        return max(left - matches, left * PATTERN)
    if kind in ("left", "full"):
        matches = max(matches, left)
    return max(matches, right) if kind in ("right", "full") else matches


def _wrapped(expression: Expression) -> Expression | None:
    operand = getattr(expression, "operand", None)
    return operand if operand is not None and not isinstance(expression, InList | Not) else None


def _is_null(expression: Expression) -> bool:
    return isinstance(expression, Constant) and expression.value is None


def _column_facts(table: TableSchema, statistics: TableStatistics, position: int) -> ColumnFacts:
    rows = float(max(statistics.rows, 1))
    column = position - 1
    low, high = statistics.ranges.get(column, (None, None))
    numbers = isinstance(low, int | float) and isinstance(high, int | float)
    bounds = (float(low), float(high)) if numbers else (None, None)  # type: ignore[arg-type]
    if column < 0 or column == table.rowid_column:
        return ColumnFacts(rows, *bounds)
    return ColumnFacts(_column_distinct(table, statistics, column, rows), *bounds)


def _column_distinct(table: TableSchema, statistics: TableStatistics, column: int, rows: float) -> float | None:
    for index in table.indexes:
        if index.columns == (column,):
            known = statistics.indexes.get(index.id)
            if index.unique:
                return rows
            return float(known.distinct) if known and known.distinct else max(rows / ROWS_PER_VALUE, 1.0)
    if table.columns[column].type is SqlType.BOOLEAN:
        return 2.0
    low, high = statistics.ranges.get(column, (None, None))
    if isinstance(low, int) and isinstance(high, int) and high - low < rows / ROWS_PER_VALUE:
        return float(high - low + 1)
    # The first column of a key of several has many values, as a rule; of the others nothing is known.
    if any(index.columns[0] == column for index in table.indexes):
        return max(rows / ROWS_PER_VALUE, 1.0)
    return None
