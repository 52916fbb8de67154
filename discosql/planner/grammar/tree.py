"""From sqlglot's tokens to the finished tree: sqlglot parses, and the marks that the grammar left are read back.

Names are written with a last character that says how they were quoted, which also keeps sqlglot from taking any of them
for a keyword, a function or a type it knows.
"""

from collections.abc import Sequence
from typing import Final

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token

from discosql.errors import NotSupportedError

NAME_MARK: Final = "\x01"
"""Ends a name that was written bare, or in brackets or backticks."""

QUOTED_MARK: Final = "\x02"
"""Ends a name that was written "so", which SQLite reads as a text literal where no column has that name."""

TEXT_MARK: Final = "\x03"
"""Ends the source text of a result expression without an alias; it stands where an alias would."""

_DIALECT: Final = SQLite()


def build_tree(tokens: list[Token], grafts: Sequence[exp.Expr | list[exp.Expr]], sql: str) -> exp.Expr:
    """Return sqlglot's tree of a query, with names unmarked and grafts in place."""
    try:
        trees = _DIALECT.parser().parse(tokens, sql)
    except SqlglotError as exc:
        raise NotSupportedError(f"this SQL is not understood: {exc}") from exc
    if len(trees) != 1 or trees[0] is None:
        raise NotSupportedError(f"this SQL is not understood: {sql}")
    return _finish(trees[0], grafts)


def _finish(tree: exp.Expr, grafts: Sequence[exp.Expr | list[exp.Expr]]) -> exp.Expr:
    # Grafts and aliases move nodes about, so they wait until the walk is over; grafts are finished trees themselves.
    placeholders: list[exp.Placeholder] = []
    texts: list[exp.Alias] = []
    lists: list[exp.In] = []
    for node in tree.walk():
        if isinstance(node, exp.Identifier):
            _unmark(node)
        elif isinstance(node, exp.Anonymous):
            name = node.this
            node.set("this", name.this[:-1] if isinstance(name, exp.Identifier) else name)
        elif isinstance(node, exp.Placeholder) and node.name.startswith("g"):
            placeholders.append(node)
        elif isinstance(node, exp.In) and node.expressions and isinstance(node.expressions[0], exp.Values):
            lists.append(node)
        elif isinstance(node, exp.Alias) and node.args["alias"].this.endswith(TEXT_MARK):
            texts.append(node)
    for node in lists:
        # sqlglot takes `IN (VALUES …)` for a list with one odd item.
        node.set("query", exp.Subquery(this=node.expressions[0]))
        node.set("expressions", None)
    for alias in texts:
        projection = alias.this
        projection.meta["text"] = alias.args["alias"].this[:-1]
        alias.replace(projection)
    for placeholder in placeholders:
        _graft(placeholder, grafts[int(placeholder.name[1:])])
    return tree


def _unmark(identifier: exp.Identifier) -> None:
    name = identifier.this
    if name.endswith(QUOTED_MARK):
        identifier.meta["double_quoted"] = True
    if not name.endswith(TEXT_MARK):
        identifier.set("this", name[:-1])


def _graft(placeholder: exp.Placeholder, tree: exp.Expr | list[exp.Expr]) -> None:
    if isinstance(tree, exp.Expr):
        placeholder.replace(tree)
        return
    holder = placeholder.parent
    if isinstance(holder, exp.Tuple | exp.Paren) and isinstance(holder.parent, exp.Values):
        holder = holder.parent
    assert holder is not None
    holder.set("expressions", tree)
