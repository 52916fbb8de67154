"""Limits of a connection, as https://sqlite.org/c3ref/c_limit_attached.html has them; some can be lowered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from discosql.errors import DataError, NotSupportedError, ProgrammingError, SqlLimitError
from discosql.sqlite_codes import LIMITS
from discosql.types import Value

_HOLDING: Final = {
    "SQLITE_LIMIT_LENGTH": 1_000_000_000,
    "SQLITE_LIMIT_SQL_LENGTH": 1_000_000_000,
    "SQLITE_LIMIT_COLUMN": 2_000,
    "SQLITE_LIMIT_EXPR_DEPTH": 1_000,
    "SQLITE_LIMIT_COMPOUND_SELECT": 500,
    "SQLITE_LIMIT_VDBE_OP": 250_000_000,
    "SQLITE_LIMIT_FUNCTION_ARG": 1_000,
    "SQLITE_LIMIT_ATTACHED": 0,
    "SQLITE_LIMIT_LIKE_PATTERN_LENGTH": 50_000,
    "SQLITE_LIMIT_VARIABLE_NUMBER": 32_766,
    "SQLITE_LIMIT_TRIGGER_DEPTH": 1_000,
    "SQLITE_LIMIT_WORKER_THREADS": 0,
}
_ADJUSTABLE: Final = ("LENGTH", "SQL_LENGTH", "FUNCTION_ARG", "VARIABLE_NUMBER")
_NAMES: Final = {number: name for name, number in LIMITS.items()}


@dataclass(slots=True)
class Limits:
    """The limits of one connection by category. LENGTH is that of parameters, in characters or bytes.

    `is_short` tells whether it is below what SQLite allows, so that parameters must be looked at.
    """

    values: dict[str, int] = field(default_factory=lambda: dict(_HOLDING))
    is_short: bool = False

    def get(self, category: int) -> int:
        """Return a limit; of those that cannot be changed SQLite's, and more may work.

        Raises ProgrammingError for a category that there is not.
        """
        return self.values[_name(category)]

    def set(self, category: int, limit: int) -> int:
        """Change a limit, to what SQLite allows at most, and return what it was; a negative one changes nothing.

        Raises NotSupportedError for a limit that is fixed here.
        """
        name = _name(category)
        before = self.values[name]
        if limit < 0 or limit == before:
            return before
        if name.removeprefix("SQLITE_LIMIT_") not in _ADJUSTABLE:
            raise NotSupportedError(f"{name} cannot be changed; it is {before}")
        self.values[name] = min(limit, _HOLDING[name])
        self.is_short = self.length < _HOLDING["SQLITE_LIMIT_LENGTH"]
        return before

    @property
    def arguments(self) -> int:
        """How many arguments a function may be given."""
        return self.values["SQLITE_LIMIT_FUNCTION_ARG"]

    def check_text(self, sql: str) -> None:
        """Raise DataError for a statement, or a script, that is too long."""
        limit = self.values["SQLITE_LIMIT_SQL_LENGTH"]
        if len(sql) > limit or (len(sql) * 4 > limit and len(sql.encode()) > limit):
            raise DataError("query string is too large").coded("SQLITE_TOOBIG")

    def check_parameters(self, count: int) -> None:
        """Raise SqlLimitError for a statement with too many parameters."""
        if count > self.values["SQLITE_LIMIT_VARIABLE_NUMBER"]:
            raise SqlLimitError("too many SQL variables")

    @property
    def length(self) -> int:
        """How long a parameter may be, and the text of a statement that is traced."""
        return self.values["SQLITE_LIMIT_LENGTH"]

    def check_values(self, values: Sequence[Value]) -> None:
        """Raise DataError for a parameter that is too long."""
        if any(isinstance(value, str | bytes) and len(value) > self.length for value in values):
            raise DataError("string or blob too big").coded("SQLITE_TOOBIG")


def _name(category: int) -> str:
    if category not in _NAMES:
        raise ProgrammingError("'category' is out of bounds")
    return _NAMES[category]
