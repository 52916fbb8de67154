"""Renaming tables and columns in the texts of the schema.

A text is read again, and only the tokens that name the table or column are replaced. In a view, what a column's name
refers to is asked of the `Binder`.
"""

from collections.abc import Iterable, Iterator

from sqlglot import exp

from discosql.planner.build import Binder
from discosql.planner.context import PlanContext
from discosql.planner.grammar.reader import Place
from discosql.planner.grammar.statement import StatementGrammar
from discosql.planner.infer import Bound
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import parse_query
from discosql.planner.plan import ColumnRef, Node, Scan
from discosql.planner.scope import Scope
from discosql.planner.statement import subqueries
from discosql.planner.tokens import Token, unquote
from discosql.planner.traverse import expressions, walk_plan
from discosql.schema import View
from discosql.types import fold_case


class Renaming:
    """A table or column that gets a new name, which is written in quotes if `quoted` or where the old one was."""

    def __init__(self, table: str, new_name: str, *, quoted: bool, column: str | None = None) -> None:
        self.table = fold_case(table)
        self.column = fold_case(column) if column is not None else None
        self._new = new_name
        self._quoted = quoted

    def written(self, token: Token) -> str:
        """Return the new name as it is written in place of a token."""
        if self._quoted or not (token.text[0].isalnum() or token.text[0] == "_"):
            return '"' + self._new.replace('"', '""') + '"'
        return self._new

    def apply(self, text: str, tokens: Iterable[Token]) -> str:
        """Return the text with the new name in place of each token."""
        for token in sorted(tokens, key=lambda token: -token.start):
            text = text[: token.start] + self.written(token) + text[token.end :]
        return text

    def in_definition(self, text: str, table: str) -> str:
        """Return the text of a CREATE TABLE or CREATE INDEX of the named table with the new name in it."""
        return self.apply(text, self._definition_tokens(text, fold_case(table)))

    def _definition_tokens(self, text: str, table: str) -> Iterator[Token]:
        own = table == self.table
        for place in _places(text):
            name = _name(place)
            if self.column is None:
                in_own = own and place.kind in ("table", "qualifier")
                if name == self.table and (in_own or place.kind == "parent"):
                    yield place.token
            elif name == self.column:
                in_parent = place.kind == "parent column" and fold_case(place.owner) == self.table
                if in_parent or (own and place.kind == "column"):
                    yield place.token

    def in_query(self, context: PlanContext, text: str) -> str:
        """Return the text of a view's query with the new name in it."""
        places = _places(text)
        if self.column is not None:
            known = _columns_of(context, text, self.table, self.column)
            return self.apply(text, [place.token for place in places if place.token.start in known])
        hidden = any(place.kind == "alias" and _name(place) == self.table for place in places)
        return self.apply(
            text,
            [
                place.token
                for place in places
                if _name(place) == self.table and not hidden and place.kind in ("table", "qualifier")
            ],
        )

    def in_view(self, context: PlanContext, view: View) -> View:
        """Return a view with the new name in its text."""
        query = self.in_query(context, view.query)
        start = view.sql.rindex(view.query)
        return View(view.name, view.columns, query, view.sql[:start] + query + view.sql[start + len(view.query) :])


def _places(text: str) -> list[Place]:
    grammar = StatementGrammar(text)
    grammar.statement()
    return grammar.places


def _name(place: Place) -> str:
    return fold_case(unquote(place.token.text))


def _columns_of(context: PlanContext, query: str, table: str, column: str) -> set[int]:
    """Return where in a query's text a column of a table is named."""
    binder = _Witness(context, ParameterTable())
    plan, _ = binder.build_query(parse_query(query))
    ids: set[int] = set()
    for scan in _scans(plan):
        position = scan.table.position(column)
        if fold_case(scan.table.name) == table and position is not None:
            ids |= {ref.id for ref, place in zip(scan.output, scan.positions, strict=True) if place == position + 1}
    return {start for start, column_id in binder.seen if column_id in ids}


def _scans(plan: Node) -> Iterator[Scan]:
    for node in walk_plan(plan):
        if isinstance(node, Scan):
            yield node
        for subquery in subqueries(expressions(node)):
            yield from _scans(subquery.plan)


class _Witness(Binder):
    """A binder that notes which column each name in the text of a view turned out to be."""

    def __init__(self, context: PlanContext, parameters: ParameterTable) -> None:
        super().__init__(context, parameters)
        self.seen: list[tuple[int, int]] = []

    def operand(self, tree: exp.Expr, scope: Scope) -> Bound:
        """Bind an operand; names inside other views are not of this text."""
        bound = super().operand(tree, scope)
        while isinstance(tree, exp.Paren):
            tree = tree.this
        if isinstance(tree, exp.Column) and isinstance(bound.expression, ColumnRef) and not self.view_names:
            self.seen.append((tree.this.meta.get("start", -1), bound.expression.id))
        return bound
