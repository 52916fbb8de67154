"""What a session keeps of a statement that it has seen."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from discosql.adapting import check_encodable
from discosql.errors import ArgumentTypeError, ArgumentValueError, SerializationError
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.executor.run import CompiledStatement, compile_statement
from discosql.explaining import Steps
from discosql.planner.plan import Explain, Prepared, Query
from discosql.schema import Catalog
from discosql.statistics import TableStatistics
from discosql.types import Value

MAX_VARIANTS: Final = 16
"""Kinds of parameters that one statement is compiled for; further ones share code that works for all."""


class Plan:
    """A statement about to be run, for each of `rows` if they are given; `again` compiles it for the schema of then.

    When it has to be run again after a conflict, another process may have changed the schema meanwhile.
    """

    __slots__ = ("_again", "compiled", "rows", "sql")

    def __init__(
        self,
        compiled: CompiledStatement,
        again: Callable[[], CompiledStatement],
        rows: Sequence[tuple[Value, ...]] | None = None,
        sql: str = "",
    ) -> None:
        self.compiled = compiled
        self.sql = sql
        self._again = again
        self.rows = rows

    def run(self, context: Context) -> Steps:
        """Return the steps of running it."""
        return self.compiled.run(context) if self.rows is None else self.compiled.run_many(context, self.rows)

    def renew(self) -> None:
        """Compile it anew, if its schema is no more."""
        self.compiled = self._again()


def unless_changed(compiled: CompiledStatement, old: Catalog, new: Catalog) -> CompiledStatement:
    """Return a compiled statement unless the schema is another one by now, for which it must not be planned anew."""
    if old != new:
        raise SerializationError("the schema was changed while the statement was being explained")
    return compiled


@dataclass(slots=True)
class CachedStatement:
    """A prepared statement and its compiled forms, one for each combination of parameter types met.

    `catalog` is the schema that it was planned for: a number of it would not do, for one that was undone may have had
    the same. `magnitudes` are the sizes (in bits) of the tables then, `checked_slot` is the slot up to which they were
    compared with those of now.
    """

    prepared: Prepared
    catalog: Catalog
    magnitudes: dict[int, int]
    checked_slot: int
    variants: dict[tuple[type, ...], CompiledStatement] = field(default_factory=dict)

    @property
    def is_query(self) -> bool:
        """Whether the statement only reads; EXPLAIN does, but EXPLAIN ANALYZE makes the changes it explains."""
        statement = self.prepared.statement
        if isinstance(statement, Explain) and (statement.mode != "analyze" or isinstance(statement.statement, Query)):
            return True
        return isinstance(statement, Query)

    def fits(self, catalog: Catalog, slot: int, statistics: Callable[[int], TableStatistics]) -> bool:
        """Tell whether the plan still fits: the same schema, and tables of sizes such as it was made for."""
        if self.catalog is not catalog:
            if self.catalog != catalog:
                return False
            self.catalog = catalog
        if self.checked_slot == slot:
            return True
        self.checked_slot = slot
        return all(magnitude == statistics(table).rows.bit_length() for table, magnitude in self.magnitudes.items())

    def compiled(self, registry: Registry, values: tuple[Value, ...] | None) -> CompiledStatement:
        """Return the statement compiled for parameters such as these; None for any."""
        signature = () if values is None else tuple(map(type, values))
        compiled = self.variants.get(signature)
        if compiled is None:
            if len(self.variants) >= MAX_VARIANTS:
                signature = ()
            compiled = self.variants.get(signature) or compile_statement(self.prepared.statement, registry, signature)
            self.variants[signature] = compiled
        return compiled


class StatementCache:
    """The statements seen last, by their text."""

    def __init__(self, size: int) -> None:
        self._size = max(1, size)
        self._kept: OrderedDict[str, CachedStatement] = OrderedDict()

    def get(self, sql: str) -> CachedStatement | None:
        """Return the statement of a text, if it is there. Raises ProgrammingError for what cannot be one."""
        try:
            self._kept.move_to_end(sql)
        except (KeyError, TypeError):
            if not isinstance(sql, str):
                raise ArgumentTypeError(f"a statement is text, not {type(sql).__name__}") from None
            if "\0" in sql:
                raise ArgumentValueError("the query contains a null character") from None
            check_encodable(sql)
            return None
        return self._kept[sql]

    def put(self, sql: str, statement: CachedStatement) -> None:
        """Keep a statement; the one that was not used for longest may go."""
        self._kept[sql] = statement
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all of them."""
        self._kept.clear()
