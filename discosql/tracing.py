"""What a trace callback is told: statements with the values of their parameters in place, as sqlite3 tells it."""

from collections.abc import Callable, Sequence

from discosql.errors import DataError
from discosql.executor.functions.user import show
from discosql.planner.tokens import tokenize
from discosql.types import Value
from discosql.upkeep.dump import literal


class Trace:
    """Calls a callback with each statement.

    What the callback raises stops nothing; `enable_callback_tracebacks` shows it.
    """

    def __init__(self, callback: Callable[[str], object]) -> None:
        self._callback = callback

    def tell(self, sql: str) -> None:
        """Call it with a text."""
        try:
            self._callback(sql)
        except Exception as exc:  # the user's code may raise anything
            show(exc, self._callback)

    def tell_expanded(self, sql: str, values: Sequence[Value], limit: int) -> None:
        """Call it with a statement, its values in place unless that makes it longer than `limit`."""
        text = expanded(sql, values) if values else sql
        if len(text) > limit and text is not sql:
            show(DataError("Expanded SQL string exceeds the maximum string length"), self._callback)
            text = sql
        self.tell(text)


def expanded(sql: str, values: Sequence[Value]) -> str:
    """Return a statement with its parameters written as literals."""
    parts: list[str] = []
    names: list[str | None] = []
    end = 0
    for token in tokenize(sql):
        if token.kind != "parameter":
            continue
        place = _place(token.text, names)
        parts += [sql[end : token.start], literal(values[place])]
        end = token.end
    return "".join([*parts, sql[end:]])


def _place(text: str, names: list[str | None]) -> int:
    """Return which value a parameter stands for; `names` are those before it, and it is added."""
    if text == "?":
        names.append(None)
        return len(names) - 1
    if text[0] == "?":
        number = int(text[1:])
        names.extend([None] * (number - len(names)))
        names[number - 1] = names[number - 1] or text
        return number - 1
    if text not in names:
        names.append(text)
    return names.index(text)
