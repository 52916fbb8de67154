"""Renaming tables and columns in the texts of the schema.

A text is read again, and only the tokens that name the table or column are replaced. In views and triggers, a `Witness`
tells what a column's name refers to.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from discosql.planner.build import Binder
from discosql.planner.context import PlanContext
from discosql.planner.grammar.reader import Place
from discosql.planner.grammar.statement import StatementGrammar
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import parse_query
from discosql.planner.tokens import Token, unquote
from discosql.planner.trigger_body import build_trigger, parse_trigger, trigger_of, triggered_table
from discosql.planner.witness import Witness
from discosql.schema import Trigger, View, quoted
from discosql.types import fold_case


class Renaming:
    """A table or column that gets a new name, which is written in quotes if `quoted` or where the old one was."""

    def __init__(self, table: str, new_name: str, *, quoted: bool, column: str | None = None) -> None:
        self.table = fold_case(table)
        self.column = fold_case(column) if column is not None else None
        self.new_name = new_name
        self._quoted = quoted

    def written(self, token: Token) -> str:
        """Return the new name as it is written in place of a token."""
        if self._quoted or not (token.text[0].isalnum() or token.text[0] == "_"):
            return quoted(self.new_name)
        return self.new_name

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
            elif self._is_owned_column(place) or (own and place.kind == "column" and name == self.column):
                yield place.token

    def in_query(self, context: PlanContext, text: str) -> str:
        """Return the text of a view's query with the new name in it."""
        places = _places(text)
        if self.column is not None:
            tree = parse_query(text)
            known = _places_of_column(
                context, self.table, self.column, lambda told: Binder(told, ParameterTable()).build_query(tree)
            )
            return self.apply(text, [place.token for place in places if place.token.start in known])
        return self.apply(text, self._table_tokens(places))

    def _table_tokens(self, places: Sequence[Place]) -> list[Token]:
        hidden = any(place.kind == "alias" and _name(place) == self.table for place in places)
        named = [place for place in places if _name(place) == self.table and place.kind in ("table", "qualifier")]
        return [] if hidden else [place.token for place in named]

    def in_trigger(self, context: PlanContext, trigger: Trigger) -> Trigger:
        """Return a trigger with the new name in its text."""
        places, is_own = _places(trigger.sql), fold_case(trigger.table) == self.table
        if self.column is None:
            sql = self.apply(trigger.sql, self._table_tokens(places))
            return trigger_of(parse_trigger(sql), trigger, self.new_name if is_own else trigger.table)
        table = triggered_table(context, trigger)
        known = _places_of_column(context, self.table, self.column, lambda told: build_trigger(told, trigger, table))
        known |= {place.token.start for place in places if self._is_owned_column(place)}
        sql = self.apply(trigger.sql, [place.token for place in places if place.token.start in known])
        return trigger_of(parse_trigger(sql), trigger, trigger.table)

    def _is_owned_column(self, place: Place) -> bool:
        own = place.kind == "owned column" and fold_case(place.owner) == self.table
        return own and _name(place) == self.column

    def in_view(self, context: PlanContext, view: View) -> View:
        """Return a view with the new name in its text."""
        query = self.in_query(context, view.query)
        start = view.sql.rindex(view.query)
        sql = view.sql[:start] + query + view.sql[start + len(view.query) :]
        return replace(view, query=query, sql=sql)


def _places(text: str) -> list[Place]:
    grammar = StatementGrammar(text)
    grammar.statement()
    return grammar.places


def _name(place: Place) -> str:
    return fold_case(unquote(place.token.text))


def _places_of_column(
    context: PlanContext, table: str, column: str, build: Callable[[PlanContext], object]
) -> set[int]:
    """Return where a column of a table is named in the text that `build` reads."""
    position = context.catalog.table(table).position(column)
    assert position is not None
    witness = Witness()
    build(replace(context, witness=witness))
    return witness.places(table, position)
