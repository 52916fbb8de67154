"""CREATE TRIGGER (https://www.sqlite.org/lang_createtrigger.html)."""

from typing import Final, Literal

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.grammar.change import ChangeGrammar
from discosql.planner.grammar.operand import QUERY_STARTS
from discosql.planner.grammar.reader import Place
from discosql.planner.grammar.syntax import CreateTrigger, QueryStatement, TriggerStep

_EVENTS: Final[dict[str, Literal["insert", "update", "delete"]]] = {
    "INSERT": "insert",
    "UPDATE": "update",
    "DELETE": "delete",
}
_CHANGES: Final = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE"})


class TriggerGrammar(ChangeGrammar):
    """Reads triggers."""

    def create_trigger(self, *, temporary: bool) -> CreateTrigger:
        """Read CREATE TRIGGER from the word TRIGGER on."""
        self.skip()
        if_not_exists = self.if_not_exists()
        name = self.qualified_name()
        start = self.position - 1
        timing = self._timing()
        if self.kind not in _EVENTS:
            self.fail()
        event = _EVENTS[self.skip().kind]
        known = len(self.places)
        columns = self._updated_columns() if event == "update" and self.accept("OF") else ()
        self.expect("ON")
        table = self.qualified_name()
        # The columns of UPDATE OF are those of the table, which comes behind them.
        self.places[known:-1] = [place._replace(owner=table.name) for place in self.places[known:-1]]
        if self.accept("FOR"):
            self.expect("EACH", "ROW")
        self.in_trigger = True
        when = self._when()
        self.expect("BEGIN")
        steps = [self._step()]
        while self.kind != "END":
            steps.append(self._step())
        self.skip()
        if self.names:
            raise ProgrammingError("trigger cannot use variables")
        text = f"CREATE TRIGGER {self.text_since(start)}"
        return CreateTrigger(
            name,
            table,
            timing,
            event,
            columns,
            when,
            tuple(steps),
            text,
            temporary=temporary,
            if_not_exists=if_not_exists,
        )

    def _timing(self) -> Literal["before", "after", "instead of"]:
        if self.accept("AFTER"):
            return "after"
        if self.accept("INSTEAD"):
            self.expect("OF")
            return "instead of"
        self.accept("BEFORE")
        return "before"

    def _updated_columns(self) -> tuple[str, ...]:
        names = []
        while True:
            self.places.append(Place("owned column", self.token))
            names.append(self.read_name())
            if not self.accept(","):
                return tuple(names)

    def _when(self) -> exp.Expr | None:
        if not self.accept("WHEN"):
            return None
        start = len(self.out)
        self.expression()
        return self.expressions_since(start)[0]

    def _step(self) -> TriggerStep:
        step: TriggerStep
        if self.kind in QUERY_STARTS:
            start = len(self.out)
            self.query()
            step = QueryStatement(self.query_since(start))
        elif self.kind in _CHANGES:
            step = self.change()
        else:
            self.fail()
        self.expect(";")
        return step
