"""SQL text to a parsed statement: the only door through which SQL enters the planner.

What the query builder may rely on in a tree (in `ParsedStatement.syntax`, from `parse_query` and `parse_expression`):

- It is sqlglot's tree of the dialect sqlite, without anything that SQLite's own grammar does not have.
- Every function call is `exp.Anonymous`: `this` is the name as written, `expressions` the arguments; never one of
  sqlglot's typed functions. ``count(*)`` has one `exp.Star`; ``sum(DISTINCT x)`` one `exp.Distinct`; an ORDER BY
  among the arguments is an `exp.Order` around the last. `exp.Filter` and `exp.Window` lie around the call.
  CURRENT_TIMESTAMP, CURRENT_DATE and CURRENT_TIME are calls of those names without arguments. CAST and CASE stay
  sqlglot's. ``EXISTS (...)`` is `exp.Exists`.
- Unary plus, ``->``, ``->>`` and the type of a CAST come in the disguise that `spelling` describes.
- A parameter is an `exp.Placeholder`; `ParameterTable.parameter_of` tells which.
- Every identifier is `quoted`; `is_double_quoted` tells the ones that SQLite reads as a text literal where no column
  has that name.
- `output_name` gives the name of an un-aliased result column: the text as written.
- Numbers are written as Python reads them: decimal, an integer beyond 64 bits as a float.
"""

from dataclasses import dataclass

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.grammar.statement import StatementGrammar
from discosql.planner.grammar.syntax import StatementSyntax
from discosql.planner.parameters import ParameterTable, bind_parameters
from discosql.planner.tokens import is_complete, split, unquote
from discosql.stack import call_deeply, is_deep

__all__ = [
    "ParameterTable",
    "ParsedStatement",
    "bind_parameters",
    "is_complete",
    "is_double_quoted",
    "output_name",
    "parse",
    "parse_expression",
    "parse_query",
    "split",
]


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """One statement: what it says, its parameters, its text, and the indexes that INDEXED BY names."""

    syntax: StatementSyntax
    parameters: ParameterTable
    sql: str
    indexes: tuple[str, ...] = ()


def is_double_quoted(identifier: exp.Identifier) -> bool:
    """Tell whether an identifier was written as "name"."""
    return bool(identifier.meta.get("double_quoted"))


def output_name(projection: exp.Expr) -> str:
    """Return the text of a result expression as written, SQLite's name for a column without an alias."""
    name = projection.meta.get("text")
    return name if isinstance(name, str) else projection.sql("sqlite")


def parse(sql: str) -> ParsedStatement:
    """Parse one statement; blank text is one that does nothing.

    Raises SqlSyntaxError where SQLite would, ProgrammingError if there are several statements, and NotSupportedError
    that names the construct for SQL that discosql does not have.
    """
    try:
        return call_deeply(lambda: _parse(sql))
    except RecursionError as exc:
        if is_deep():
            raise
        raise ProgrammingError("Expression tree is too large: it is nested too deeply") from exc


def _parse(sql: str) -> ParsedStatement:
    grammar = StatementGrammar(sql)
    syntax = grammar.statement()
    names = tuple(name[1:] if name and name[0] != "?" else None for name in grammar.names)
    indexes = tuple(unquote(place.token.text) for place in grammar.places if place.kind == "index")
    return ParsedStatement(syntax, ParameterTable(names), sql, indexes)


def parse_query(sql: str) -> exp.Expr:
    """Parse the text of a view's query."""
    grammar = StatementGrammar(sql)
    grammar.query()
    grammar.finish()
    return grammar.query_since(0)


def parse_expression(sql: str) -> exp.Expr:
    """Parse the text of an expression of the schema (CHECK, DEFAULT, generated columns)."""
    grammar = StatementGrammar(sql)
    grammar.expression()
    grammar.finish()
    return grammar.expressions_since(0)[0]
