"""Expressions of a plan as SQL for people to read: names instead of ids, conversions left out, long lists cut short."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from discosql.planner.plan import (
    AggregateCall,
    And,
    Between,
    Binary,
    Call,
    Case,
    Cast,
    ColumnRef,
    Compare,
    Constant,
    Convert,
    Exists,
    Expression,
    Frame,
    FrameBound,
    InList,
    InSubquery,
    Is,
    Node,
    Not,
    Or,
    Parameter,
    RaiseError,
    ScalarSubquery,
    SimpleCase,
    SortKey,
    Unary,
    WindowCall,
)
from discosql.types import Value, real_text

MAX_ITEMS: Final = 8
"""Items of a list that are written out; of longer ones, the first few and their number."""

MAX_TERMS: Final = 100
"""Operands of one AND or OR that are written out."""

MAX_TEXT: Final = 60
"""Characters of a text literal that are written out."""

MAX_DEPTH: Final = 40
"""Levels of an expression that are written out."""

_LEVELS: Final = {
    **dict.fromkeys(("=", "<>"), 4),
    **dict.fromkeys(("<", "<=", ">", ">="), 5),
    **dict.fromkeys(("&", "|", "<<", ">>"), 6),
    **dict.fromkeys(("+", "-"), 7),
    **dict.fromkeys(("*", "/", "%"), 8),
    **dict.fromkeys(("||", "->", "->>"), 9),
}
_ATOM: Final = 11

_PATTERNS: Final = {"like": "LIKE", "glob": "GLOB", "regexp": "REGEXP", "match": "MATCH"}


def quoted(name: str) -> str:
    """Return a name as SQL, in quotes where it is more than a word."""
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'


def literal(value: Value) -> str:
    """Return a value as SQL, a long one cut short."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value[: MAX_TEXT // 2].hex()}" + ("…" if len(value) > MAX_TEXT // 2 else "'")
    if isinstance(value, str):
        return "'" + value[:MAX_TEXT].replace("'", "''") + ("…" if len(value) > MAX_TEXT else "'")
    return real_text(value) if isinstance(value, float) else str(value)


def listed(texts: Sequence[str], count: int) -> str:
    """Return the first items of a list of `count`, with the number of all where some are missing."""
    return ", ".join(texts) if len(texts) == count else ", ".join(texts) + f", … {count} in all"


class ExpressionText:
    """Writes expressions. `name_subquery` is told each subquery's plan and gives it a name."""

    def __init__(self, name_subquery: Callable[[Node], str]) -> None:
        self._name_subquery = name_subquery
        self._depth = 0

    def text(self, expression: Expression) -> str:
        """Return an expression as SQL."""
        return self._written(expression)[0]

    def texts(self, expressions: Sequence[Expression], limit: int = MAX_ITEMS) -> str:
        """Return a list of expressions."""
        cut = expressions if len(expressions) <= limit else expressions[: limit // 2]
        return listed([self.text(item) for item in cut], len(expressions))

    def equality(self, left: Expression, right: Expression, operator: str, collation: str) -> str:
        """Return an equality of two expressions."""
        return f"{self._at(left, 5)} {operator} {self._at(right, 5)}{_collated(collation, left, right)}"

    def key(self, key: SortKey) -> str:
        """Return a term of ORDER BY, without what is the default."""
        text = self.text(key.expression) + _collated(key.collation, key.expression)
        if key.descending:
            text += " DESC"
        if key.nulls_first == key.descending:
            text += " NULLS FIRST" if key.nulls_first else " NULLS LAST"
        return text

    def keys(self, keys: Sequence[SortKey]) -> str:
        """Return the terms of an ORDER BY."""
        return ", ".join(map(self.key, keys))

    def aggregate(self, call: AggregateCall) -> str:
        """Return an aggregate call; a bare column as the expression it is."""
        if call.bare:
            return f"any({self.texts(call.arguments)})"
        arguments = self.texts(call.arguments) if call.arguments else "*" if call.name == "count" else ""
        order = f" ORDER BY {self.keys(call.order_by)}" if call.order_by else ""
        distinct = "DISTINCT " if call.distinct else ""
        return f"{call.name}({distinct}{arguments}{order})" + self._filter(call.filter)

    def window(self, call: WindowCall) -> str:
        """Return a window call."""
        arguments = self.texts(call.arguments) if call.arguments else "*" if call.name == "count" else ""
        parts = []
        if call.partition_by:
            parts.append(f"PARTITION BY {self.keys(call.partition_by)}")
        if call.order_by:
            parts.append(f"ORDER BY {self.keys(call.order_by)}")
        if call.frame != Frame():
            parts.append(self._frame(call.frame))
        return f"{call.name}({arguments})" + self._filter(call.filter) + f" OVER ({' '.join(parts)})"

    def _filter(self, condition: Expression | None) -> str:
        return f" FILTER (WHERE {self.text(condition)})" if condition is not None else ""

    def _frame(self, frame: Frame) -> str:
        text = f"{frame.unit.upper()} BETWEEN {self._bound(frame.start)} AND {self._bound(frame.end)}"
        return text if frame.exclude == "no others" else f"{text} EXCLUDE {frame.exclude.upper()}"

    def _bound(self, bound: FrameBound) -> str:
        if bound.kind == "current":
            return "CURRENT ROW"
        return ("UNBOUNDED" if bound.offset is None else self.text(bound.offset)) + " " + bound.kind.upper()

    # One expression: its text and how tightly it binds ---------------------------------------------------------------

    def _written(self, expression: Expression) -> tuple[str, int]:
        if self._depth >= MAX_DEPTH:
            return "…", _ATOM
        self._depth += 1
        try:
            return _WRITERS[type(expression)](self, expression)
        finally:
            self._depth -= 1

    def _at(self, expression: Expression, level: int) -> str:
        """Return the text of an operand, in parentheses where it binds less tightly than `level`."""
        text, own = self._written(expression)
        return text if own >= level else f"({text})"

    def _unary(self, e: Unary) -> tuple[str, int]:
        return e.operator + self._at(e.operand, 10), 10

    def _binary(self, e: Binary) -> tuple[str, int]:
        level = _LEVELS[e.operator]
        return f"{self._at(e.left, level)} {e.operator} {self._at(e.right, level + 1)}", level

    def _compare(self, e: Compare) -> tuple[str, int]:
        level = _LEVELS[e.operator]
        text = f"{self._at(e.left, level)} {e.operator} {self._at(e.right, level + 1)}"
        return text + _collated(e.collation, e.left, e.right), level

    def _is(self, e: Is) -> tuple[str, int]:
        word = "IS NOT" if e.negated else "IS"
        return f"{self._at(e.left, 4)} {word} {self._at(e.right, 5)}{_collated(e.collation, e.left, e.right)}", 4

    def _chain(self, e: And | Or) -> tuple[str, int]:
        level, word = (2, " AND ") if isinstance(e, And) else (1, " OR ")
        texts = [self._at(part, level + 1) for part in e.operands[:MAX_TERMS]]
        if len(e.operands) > MAX_TERMS:
            texts.append(f"… {len(e.operands)} in all")
        return word.join(texts), level

    def _not(self, e: Not) -> tuple[str, int]:
        return f"NOT {self._at(e.operand, 3)}", 3

    def _between(self, e: Between) -> tuple[str, int]:
        return f"{self._at(e.low_operand, 5)} BETWEEN {self._at(e.low, 5)} AND {self._at(e.high, 5)}", 4

    def _in_list(self, e: InList) -> tuple[str, int]:
        word = "NOT IN" if e.negated else "IN"
        return f"{self._at(e.operand, 5)} {word} ({self.texts(e.items)}){_collated(e.collation, e.operand)}", 4

    def _case(self, e: Case) -> tuple[str, int]:
        if len(e.whens) == 1 and _is_default(e):
            return f"coalesce({self.text(e.default)}, {self.text(e.whens[0][1])})", _ATOM
        whens = " ".join(f"WHEN {self.text(when)} THEN {self.text(result)}" for when, result in e.whens)
        return f"CASE {whens}{self._default(e.default)} END", _ATOM

    def _simple_case(self, e: SimpleCase) -> tuple[str, int]:
        whens = " ".join(f"WHEN {self.text(value)} THEN {self.text(result)}" for _, value, _, result in e.whens)
        return f"CASE {self.text(e.whens[0][0])} {whens}{self._default(e.default)} END", _ATOM

    def _default(self, default: Expression) -> str:
        return "" if isinstance(default, Constant) and default.value is None else f" ELSE {self.text(default)}"

    def _call(self, e: Call) -> tuple[str, int]:
        if e.name in _PATTERNS and len(e.arguments) in (2, 3):
            escape = f" ESCAPE {self._at(e.arguments[2], 5)}" if len(e.arguments) == 3 else ""
            return f"{self._at(e.arguments[1], 5)} {_PATTERNS[e.name]} {self._at(e.arguments[0], 5)}{escape}", 4
        return f"{e.name}({self.texts(e.arguments)})", _ATOM

    def _subquery(self, e: ScalarSubquery) -> tuple[str, int]:
        return f"({self._name_subquery(e.plan)})", _ATOM

    def _exists(self, e: Exists) -> tuple[str, int]:
        return f"{'NOT ' if e.negated else ''}EXISTS ({self._name_subquery(e.plan)})", 3

    def _in_subquery(self, e: InSubquery) -> tuple[str, int]:
        operands = self._at(e.operands[0], 5) if len(e.operands) == 1 else f"({self.texts(e.operands)})"
        return f"{operands} {'NOT IN' if e.negated else 'IN'} ({self._name_subquery(e.plan)})", 4


def _is_default(e: Case) -> bool:
    """Whether a CASE gives a column, or something else where that is NULL."""
    when = e.whens[0][0]
    if not isinstance(when, Is) or when.negated or when.right != Constant(None):
        return False
    return isinstance(e.default, ColumnRef) and when.left == e.default


def _column(e: ColumnRef) -> str:
    # A column without a table may have an expression's text for its name.
    return f"{quoted(e.table)}.{quoted(e.name)}" if e.table is not None else e.name


def _collated(collation: str, *compared: Expression) -> str:
    """Return the COLLATE that tells a comparison's collation, if it is not that of a column compared, or BINARY."""
    columns = [item.collation for item in compared if isinstance(item, ColumnRef)]
    return "" if collation == (columns[0] if columns else "BINARY") else f" COLLATE {collation}"


_WRITERS: Final[dict[type, Callable[[ExpressionText, Any], tuple[str, int]]]] = {
    Constant: lambda _, e: (literal(e.value), _ATOM),
    Parameter: lambda _, e: (f":{e.name}" if e.name else f"?{e.index + 1}", _ATOM),
    ColumnRef: lambda _, e: (_column(e), _ATOM),
    Unary: ExpressionText._unary,
    Binary: ExpressionText._binary,
    Compare: ExpressionText._compare,
    Is: ExpressionText._is,
    And: ExpressionText._chain,
    Or: ExpressionText._chain,
    Not: ExpressionText._not,
    Between: ExpressionText._between,
    InList: ExpressionText._in_list,
    Case: ExpressionText._case,
    SimpleCase: ExpressionText._simple_case,
    Cast: lambda writer, e: (f"CAST({writer.text(e.operand)} AS {e.type.value})", _ATOM),
    Convert: lambda writer, e: writer._written(e.operand),
    Call: ExpressionText._call,
    ScalarSubquery: ExpressionText._subquery,
    Exists: ExpressionText._exists,
    InSubquery: ExpressionText._in_subquery,
    RaiseError: lambda _, e: (f"raise({literal(e.message)})", _ATOM),
}
