"""Every operator binds in the tree as it binds in SQLite.

Random expressions are parsed, the tree is written out with parentheses around every operation, and SQLite must give the
same value for both texts.
"""

import random
import sqlite3

import pytest
from pysqlite3 import dbapi2
from sqlglot import exp

from discosql.planner.parse import parse_expression
from discosql.planner.spelling import arrow_of

BINARY: dict[type, str] = {
    exp.And: "AND",
    exp.Or: "OR",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
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
    exp.Is: "IS",
    exp.NullSafeEQ: "IS",
    exp.NullSafeNEQ: "IS NOT",
    exp.Glob: "GLOB",
    exp.Like: "LIKE",
    exp.Collate: "COLLATE",
}
UNARY = {exp.Neg: "-", exp.BitwiseNot: "~", exp.Not: "NOT", exp.Sqrt: "+"}


def written(node: exp.Expr) -> str:
    """Write a tree with parentheses around every operation."""
    arrow = arrow_of(node) if isinstance(node, exp.DPipe) else None
    if arrow is not None:
        operator, left, right = arrow
        return f"({written(left)} {operator} {written(right)})"
    if type(node) in BINARY:
        word = ("NOT " if node.args.get("negate") else "") + BINARY[type(node)]
        return f"({written(node.this)} {word} {written(node.expression)})"
    if type(node) in UNARY:
        return f"({UNARY[type(node)]} {written(node.this)})"
    if isinstance(node, exp.Paren):
        return written(node.this)
    if isinstance(node, exp.Between):
        return f"({written(node.this)} BETWEEN {written(node.args['low'])} AND {written(node.args['high'])})"
    if isinstance(node, exp.In):
        return f"({written(node.this)} IN ({', '.join(map(written, node.expressions))}))"
    if isinstance(node, exp.Escape):
        like = node.this
        word = "NOT LIKE" if like.args.get("negate") else "LIKE"
        return f"({written(like.this)} {word} {written(like.expression)} ESCAPE {written(node.expression)})"
    if isinstance(node, exp.Null):
        return "NULL"
    if isinstance(node, exp.Identifier | exp.Column):
        return str(node.name)
    assert isinstance(node, exp.Literal), repr(node)
    return f"'{node.this}'" if node.is_string else str(node.this)


LEAVES = ("0", "1", "2", "3", "-1", "NULL", "'a'", "'A'", "'1'", "''", "1.5", "'{\"a\":[1,2]}'", "'$.a'")
OPERATORS = (
    *("AND", "OR", "=", "==", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "&", "|", "<<", ">>", "||"),
    *("IS", "IS NOT", "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "LIKE", "NOT LIKE", "GLOB", "NOT GLOB", "||", "="),
)
POSTFIX = (
    " ISNULL",
    " NOTNULL",
    " NOT NULL",
    " IS NULL",
    " COLLATE nocase",
    " IN (1, 'a')",
    " NOT IN (0, 2)",
    " IN ()",
)


def random_expression(chance: random.Random, depth: int) -> str:
    """Return operators and operands in a row, with few parentheses."""
    text = random_operand(chance, depth)
    for _ in range(chance.randrange(4)):
        kind = chance.random()
        if kind < 0.75:
            text += f" {chance.choice(OPERATORS)} {random_operand(chance, depth)}"
        elif kind < 0.9:
            text += chance.choice(POSTFIX)
        elif kind < 0.95:
            negated = chance.choice(("", " NOT"))
            text += f"{negated} BETWEEN {random_operand(chance, depth)} AND {random_operand(chance, depth)}"
        else:
            text += f" LIKE {random_operand(chance, depth)} ESCAPE 'x'"
    return text


def random_operand(chance: random.Random, depth: int) -> str:
    prefix = chance.choice(("", "", "", "", "- ", "~ ", "+ ", "NOT "))
    if depth and chance.random() < 0.2:
        return f"{prefix}({random_expression(chance, depth - 1)})"
    return prefix + chance.choice(LEAVES)


def value_of(connection: sqlite3.Connection, expression: str) -> object:
    try:
        return connection.execute(f"SELECT {expression}, typeof({expression})").fetchone()
    except dbapi2.Error as error:
        return str(error)


@pytest.mark.parametrize("seed", range(4))
def test_operators_bind_as_in_sqlite(seed: int) -> None:
    chance = random.Random(seed)
    connection = dbapi2.connect(":memory:")
    for _ in range(1000):
        text = random_expression(chance, 2)
        assert value_of(connection, written(parse_expression(text))) == value_of(connection, text), text


def test_json_arrows_bind_with_concatenation() -> None:
    connection = dbapi2.connect(":memory:")
    for text in (
        """'{"a":"b"}' -> '$.a' || 'x'""",
        """'{"a":"b"}' ->> 'a' || 'x' || 'y'""",
        """'["x",' || '"y"]' ->> 1""",
        """'{"a":{"b":7}}' -> 'a' ->> 'b' + 1""",
        """- '[5]' ->> 0""",
        """'[5]' ->> 0 COLLATE nocase = '5'""",
    ):
        assert value_of(connection, written(parse_expression(text))) == value_of(connection, text), text


def test_the_writer_of_this_test_shows_every_operation() -> None:
    assert written(parse_expression("1 + 2 * 3")) == "(1 + (2 * 3))"
    assert written(parse_expression("a = b IN (1)")) == "((a = b) IN (1))"
    assert written(parse_expression("a LIKE b < c")) == "(a LIKE (b < c))"
