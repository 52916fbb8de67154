"""SQL text to a parsed statement: the only door through which SQL enters the planner.

What the query builder may rely on in a tree (`ParsedStatement.tree`, `parse_query`, `parse_expression`):

- It is sqlglot's tree of the dialect sqlite, without anything that SQLite's own grammar does not have.
- Every function call is `exp.Anonymous`: `this` is the name as written, `expressions` the arguments; never one of
  sqlglot's typed functions. ``count(*)`` has one `exp.Star`; ``sum(DISTINCT x)`` one `exp.Distinct`; an ORDER BY
  among the arguments is an `exp.Order` around the last. `exp.Filter` and `exp.Window` lie around the call.
  CURRENT_TIMESTAMP, CURRENT_DATE and CURRENT_TIME are calls of those names without arguments. CAST and CASE stay
  sqlglot's. ``EXISTS (...)`` is `exp.Exists`.
- A parameter is an `exp.Placeholder`; `ParameterTable.parameter_of` tells which.
- Every identifier is `quoted`; `is_double_quoted` tells the ones that SQLite reads as a text literal where no column
  has that name.
- `output_name` gives the name of an un-aliased result column: the text as written.
"""

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from discosql.errors import ProgrammingError
from discosql.planner.plan import Parameter

_KEPT = {"CAST", "EXISTS", "IN", "VALUES", "OVER", "AS", "FILTER", "USING", "NOT", "AND", "OR", "ON", "WHERE"}


@dataclass(frozen=True, slots=True)
class ParameterTable:
    """The parameters of a statement: one entry a value to bind, its name or None for ``?``."""

    names: tuple[str | None, ...] = ()

    def parameter_of(self, node: exp.Placeholder) -> Parameter:
        """Return the parameter that a placeholder of the tree stands for."""
        index = int(node.name[1:])
        return Parameter(index, self.names[index])


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """One statement: its tree, its parameters and its text."""

    tree: exp.Expression
    parameters: ParameterTable
    sql: str


def is_double_quoted(identifier: exp.Identifier) -> bool:
    """Tell whether an identifier was written as "name"."""
    return bool(identifier.meta.get("double_quoted"))


def output_name(projection: exp.Expression) -> str:
    """Return the text of a result expression as written, SQLite's name for a column without an alias."""
    name = projection.meta.get("text")
    return name if isinstance(name, str) else projection.sql("sqlite")


def parse(sql: str) -> ParsedStatement:
    """Parse one statement."""
    tokens = sqlglot.tokenize(sql, dialect="sqlite")
    names: list[str | None] = []
    out: list[Token] = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if token.token_type == TokenType.PLACEHOLDER:
            out.append(Token(TokenType.COLON, ":"))
            out.append(Token(TokenType.VAR, f"p{len(names)}"))
            names.append(None)
            continue
        is_call = following is not None and following.token_type == TokenType.L_PAREN and token.text.isidentifier()
        if is_call and token.text.upper() in SQLite.Parser.FUNCTIONS.keys() - _KEPT:
            token = Token(TokenType.IDENTIFIER, token.text + "()", token.line, token.col, token.start, token.end)
        out.append(token)
    try:
        tree = SQLite().parser().parse(out, sql)[0]
    except SqlglotError as exc:
        raise ProgrammingError(str(exc)) from exc
    if tree is None:
        raise ProgrammingError("incomplete input")
    for call in tree.find_all(exp.Anonymous):
        call.set("this", call.name.removesuffix("()"))
    return ParsedStatement(tree, ParameterTable(tuple(names)), sql)


def parse_query(sql: str) -> exp.Expression:
    """Parse the text of a view's query."""
    return parse(sql).tree


def parse_expression(sql: str) -> exp.Expression:
    """Parse the text of an expression of the schema (CHECK, DEFAULT, generated columns)."""
    tree = parse(f"SELECT ({sql})").tree.find(exp.Paren)
    if tree is None:
        raise ProgrammingError("incomplete input")
    return tree
