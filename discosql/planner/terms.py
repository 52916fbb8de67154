"""Terms of ORDER BY and GROUP BY as written: ordinals, aliases, and terms that repeat a result column."""

from __future__ import annotations

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.types import fold_case


def unwrapped(tree: exp.Expr) -> exp.Expr:
    """Return an expression without the parentheses around it."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def split_collation(tree: exp.Expr) -> tuple[exp.Expr, str | None]:
    """Return a term without its COLLATE, and the collation's name; of several the outermost counts."""
    collation: str | None = None
    tree = unwrapped(tree)
    while isinstance(tree, exp.Collate):
        collation = collation or tree.expression.name
        tree = unwrapped(tree.this)
    return tree, collation


def ordinal(tree: exp.Expr) -> int | None:
    """Return the number of the result column that a term names by an integer, None for any other term."""
    tree = unwrapped(tree)
    sign = 1
    while isinstance(tree, exp.Neg | exp.Sqrt):
        sign = -sign if isinstance(tree, exp.Neg) else sign
        tree = unwrapped(tree.this)
    if isinstance(tree, exp.Literal) and not tree.is_string and str(tree.this).lstrip("-").isdigit():
        number = sign * int(tree.this)
        return number if abs(number) < 2**31 else None
    return None


def check_ordinal(number: int, position: int, count: int, clause: str) -> None:
    """Raise the error SQLite gives for an ordinal that is no result column."""
    if not 1 <= number <= count:
        name = ordinal_name(position)
        raise ProgrammingError(f"{name} {clause} BY term out of range - should be between 1 and {count}")


def ordinal_name(position: int) -> str:
    """Return the English ordinal of a 0-based position."""
    number = position + 1
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def is_same_tree(a: exp.Expr, b: exp.Expr) -> bool:
    """Whether two expressions are written alike.

    Case of names, parentheses and white space do not matter, and a table's name only where both columns have one.
    """
    stack: list[tuple[object, object]] = [(a, b)]
    while stack:
        left, right = stack.pop()
        if isinstance(left, exp.Expr) and isinstance(right, exp.Expr):
            left, right = unwrapped(left), unwrapped(right)
            if type(left) is not type(right):
                return False
            if isinstance(left, exp.Identifier):
                if fold_case(left.name) != fold_case(right.name):
                    return False
                continue
            if isinstance(left, exp.Column) and not (left.args.get("table") and right.args.get("table")):
                stack.append((left.this, right.this))
                continue
            names = {name for tree in (left, right) for name, value in tree.args.items() if value}
            stack.extend((left.args.get(name), right.args.get(name)) for name in names)
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            stack.extend(zip(left, right, strict=True))
        elif left != right:
            return False
    return True
