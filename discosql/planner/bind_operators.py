"""Operators: arithmetic, comparisons, logic, BETWEEN, IN, IS, LIKE and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from sqlglot import exp

from discosql.planner.bind_calls import scalar_call
from discosql.planner.bind_rows import (
    bind_in_query,
    bind_row_between,
    bind_row_comparison,
    bind_row_is,
    is_row,
    query_of,
)
from discosql.planner.infer import (
    Bound,
    collation_of,
    comparison_operands,
    constant,
    convert,
    derived,
    is_integer,
    is_number,
)
from discosql.planner.plan import (
    And,
    Between,
    Binary,
    ColumnRef,
    Compare,
    Constant,
    Exists,
    Expression,
    InList,
    InSubquery,
    Is,
    Not,
    Or,
    Parameter,
    Unary,
)
from discosql.planner.scope import Scope
from discosql.planner.spelling import arrow_of
from discosql.planner.terms import unwrapped
from discosql.types import MIN_INTEGER, SqlType, fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder

BinaryOperator: TypeAlias = Literal["+", "-", "*", "/", "%", "&", "|", "<<", ">>", "||", "->", "->>"]
CompareOperator: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]

_BINARY: Final[dict[type, BinaryOperator]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseLeftShift: "<<",
    exp.BitwiseRightShift: ">>",
    exp.DPipe: "||",
}
_COMPARE: Final[dict[type, CompareOperator]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_MATCH: Final = {exp.Like: "like", exp.Glob: "glob", exp.RegexpLike: "regexp", exp.Match: "match"}

# Arithmetic --------------------------------------------------------------------------------------------------------


def bind_binary(binder: Binder, tree: exp.Binary, scope: Scope) -> Bound:
    """Bind a chain of binary operators, which may be thousands long, from its leftmost operand on."""
    chain: list[tuple[BinaryOperator, exp.Expr]] = []
    node: exp.Expr = tree
    while True:
        node = unwrapped(node)
        operator = _BINARY.get(type(node))
        if operator is None:
            break
        arrow = arrow_of(node) if isinstance(node, exp.DPipe) else None
        if arrow is not None:
            chain.append(("->" if arrow[0] == "->" else "->>", arrow[2]))
            node = arrow[1]
        else:
            chain.append((operator, node.expression))
            node = node.this
    bound = binder.operand(node, scope)
    for operator, right in reversed(chain):
        other = binder.operand(right, scope)
        bound = derived(binary(operator, bound.expression, other.expression), bound, other)
    return bound


def binary(operator: BinaryOperator, left: Expression, right: Expression) -> Binary:
    """Return the operation with what is certain of its result."""
    nullable = left.nullable or right.nullable
    if operator in ("&", "|", "<<", ">>"):
        return Binary(operator, left, right, SqlType.INTEGER, nullable)
    if operator == "||":
        return Binary(operator, left, right, SqlType.TEXT, nullable)
    if operator in ("->", "->>"):
        return Binary(operator, left, right, SqlType.TEXT if operator == "->" else None, True)
    if not (is_number(left) and is_number(right)):
        return Binary(operator, left, right, None, True)
    if is_integer(left) and is_integer(right):
        # Sums, differences, products and quotients that leave 64 bits become REAL, so only a remainder is certain.
        by_zero = operator in ("/", "%") and not (isinstance(right, Constant) and right.value)
        return Binary(operator, left, right, SqlType.INTEGER if operator == "%" else None, nullable or by_zero)
    return Binary(operator, left, right, SqlType.REAL, True)  # infinity minus infinity is NULL


def bind_unary(binder: Binder, tree: exp.Unary, scope: Scope) -> Bound:
    """Bind ``-x``, ``+x`` and ``~x``; a plus takes the affinity away and nothing else."""
    operand = binder.operand(tree.this, scope)
    inner = operand.expression
    if isinstance(tree, exp.Sqrt):
        return Bound(Unary("+", inner, inner.type, inner.nullable), None, operand.collation, operand.explicit)
    if isinstance(tree, exp.BitwiseNot):
        return derived(Unary("~", inner, SqlType.INTEGER, inner.nullable), operand)
    if isinstance(inner, Constant) and isinstance(inner.value, int | float) and inner.value != MIN_INTEGER:
        return derived(constant(-inner.value), operand)
    return derived(Unary("-", inner, SqlType.REAL if inner.type is SqlType.REAL else None, inner.nullable), operand)


# Logic -------------------------------------------------------------------------------------------------------------


def bind_and(binder: Binder, tree: exp.And, scope: Scope) -> Bound:
    """Bind a conjunction of any length."""
    parts = _flat(binder, tree, exp.And, scope)
    return Bound(And(parts, nullable=any(part.nullable for part in parts)))


def bind_or(binder: Binder, tree: exp.Or, scope: Scope) -> Bound:
    """Bind a disjunction of any length."""
    parts = _flat(binder, tree, exp.Or, scope)
    return Bound(Or(parts, nullable=any(part.nullable for part in parts)))


def _flat(binder: Binder, tree: exp.Expr, kind: type, scope: Scope) -> tuple[Expression, ...]:
    parts: list[Expression] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        node = unwrapped(node)
        if isinstance(node, kind):
            stack += [node.args["expression"], node.args["this"]]
        else:
            parts.append(binder.operand(node, scope).expression)
    return tuple(parts)


def bind_not(binder: Binder, tree: exp.Not, scope: Scope) -> Bound:
    """Bind a negation; operators that can be negated themselves are."""
    return Bound(negation(binder.operand(tree.this, scope).expression))


def negation(operand: Expression) -> Expression:
    """Return NOT of an expression."""
    if isinstance(operand, Exists):
        return Exists(operand.plan, not operand.negated)
    if isinstance(operand, Is):
        return Is(operand.left, operand.right, not operand.negated, operand.collation)
    if isinstance(operand, InList):
        return InList(operand.operand, operand.items, not operand.negated, operand.collation, nullable=operand.nullable)
    if isinstance(operand, InSubquery):
        return InSubquery(
            operand.operands, operand.plan, not operand.negated, operand.collations, nullable=operand.nullable
        )
    if isinstance(operand, Constant) and isinstance(operand.value, int):
        return constant(int(not operand.value))
    return Not(operand, nullable=operand.nullable)


# Comparisons -------------------------------------------------------------------------------------------------------


def bind_comparison(binder: Binder, tree: exp.Binary, scope: Scope) -> Bound:
    """Bind ``=``, ``<>``, ``<``, ``<=``, ``>`` and ``>=`` between values or rows."""
    operator = _COMPARE[type(tree)]
    if is_row(tree.this) or is_row(tree.expression):
        return Bound(bind_row_comparison(binder, operator, tree.this, tree.expression, scope))
    left, right = binder.operand(tree.this, scope), binder.operand(tree.expression, scope)
    return derived(compared(operator, left, right), left, right)


def compared(operator: CompareOperator, left: Bound, right: Bound) -> Compare:
    """Return a comparison with conversions and collation as SQLite chooses them."""
    return Compare(operator, *comparison_operands(left, right), collation_of(left, right))


def bind_between(binder: Binder, tree: exp.Between, scope: Scope) -> Bound:
    """Bind BETWEEN as two comparisons of an operand that is evaluated once."""
    if is_row(tree.this):
        return Bound(bind_row_between(binder, tree, scope))
    operand = binder.operand(tree.this, scope)
    low, high = binder.operand(tree.args["low"], scope), binder.operand(tree.args["high"], scope)
    first, second = compared(">=", operand, low), compared("<=", operand, high)
    nullable = first.nullable or second.nullable
    if isinstance(operand.expression, ColumnRef | Constant | Parameter):
        return Bound(And((first, second), nullable=nullable))
    return Bound(
        Between(
            first.left,
            first.right,
            second.left,
            second.right,
            first.collation,
            second.collation,
            nullable=nullable,
        )
    )


def bind_is(binder: Binder, tree: exp.Binary, scope: Scope) -> Bound:
    """Bind ``IS [NOT]`` in all its forms, ``IS [NOT] DISTINCT FROM`` among them."""
    negated = isinstance(tree, exp.NullSafeNEQ)
    if is_row(tree.this) or is_row(tree.expression):
        return Bound(bind_row_is(binder, tree.this, tree.expression, negated, scope))
    left = binder.operand(tree.this, scope)
    truth = _truth_name(tree.expression)
    right = binder.operand(tree.expression, scope)
    if truth is not None and right.expression == constant(truth):
        operand = left.expression
        return Bound(
            Is(Not(Not(operand, nullable=operand.nullable), nullable=operand.nullable), constant(truth), negated)
        )
    return derived(Is(*comparison_operands(left, right), negated, collation_of(left, right)), left, right)


def _truth_name(tree: exp.Expr) -> int | None:
    """Return 1 or 0 for TRUE and FALSE, which behind IS test for truth instead of comparing."""
    tree = unwrapped(tree)
    if isinstance(tree, exp.Boolean):
        return int(tree.this)
    if isinstance(tree, exp.Column) and not tree.table and fold_case(tree.name) in ("true", "false"):
        return int(fold_case(tree.name) == "true")
    return None


def bind_in(binder: Binder, tree: exp.In, scope: Scope) -> Bound:
    """Bind IN with a list, a query or a table's name."""
    query = query_of(tree)
    if query is not None:
        return Bound(bind_in_query(binder, tree.this, query, scope))
    if not tree.expressions and tree.this.find(exp.Anonymous) is None:
        return Bound(constant(0))  # SQLite does not even look at the left side, unless it holds calls
    operand = binder.operand(tree.this, scope)
    items = [binder.operand(item, scope) for item in tree.expressions]
    if len(items) == 1 and isinstance(items[0].expression, Constant | Parameter):
        # SQLite makes a comparison of this, in which a COLLATE on the right counts.
        return Bound(compared("=", operand, replace(items[0], affinity=None)))
    return Bound(_in_list(operand, [item.expression for item in items]))


def _in_list(operand: Bound, items: Sequence[Expression]) -> InList:
    # Only the left side's affinity counts: `a IN (x, y)` is `a = +x OR a = +y`.
    if operand.affinity is not None:
        target = operand.affinity
        items = [convert(item, target) for item in items]
    nullable = operand.nullable or any(item.nullable for item in items)
    return InList(operand.expression, tuple(items), collation=collation_of(operand), nullable=nullable)


# LIKE and its kin --------------------------------------------------------------------------------------------------


def bind_match(binder: Binder, tree: exp.Binary, scope: Scope) -> Bound:
    """Bind LIKE, GLOB, REGEXP and MATCH as the functions that SQLite makes of them."""
    return _match(binder, tree, [], scope)


def bind_escape(binder: Binder, tree: exp.Escape, scope: Scope) -> Bound:
    """Bind ``x LIKE y ESCAPE z``."""
    return _match(binder, tree.this, [tree.expression], scope)


def _match(binder: Binder, tree: exp.Binary, escape: list[exp.Expr], scope: Scope) -> Bound:
    arguments = [binder.operand(part, scope) for part in (tree.expression, tree.this, *escape)]
    bound = scalar_call(binder, _MATCH[type(tree)], arguments)
    return Bound(negation(bound.expression)) if tree.args.get("negate") else bound
