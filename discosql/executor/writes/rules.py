"""The rules of the tables that a statement may change, and the foreign keys of one execution."""

from collections.abc import Iterable

from discosql.errors import InternalError
from discosql.executor.context import Context
from discosql.executor.foreign_keys import ReferenceMap
from discosql.executor.functions.registry import Registry
from discosql.executor.writes.actions import ForeignKeyWork
from discosql.executor.writes.rows import TableRules
from discosql.planner.plan import RowRules
from discosql.schema import TableSchema


class RulesOfTables:
    """The rules of the tables that a statement may change, each compiled when it is first needed."""

    def __init__(self, rules: Iterable[RowRules], registry: Registry) -> None:
        self._rules = {rule.table.id: rule for rule in rules}
        self._registry = registry
        self._compiled: dict[int, TableRules] = {}
        self._references: ReferenceMap | None = None

    def of(self, table: int) -> TableRules:
        """Return the compiled rules of a table."""
        compiled = self._compiled.get(table)
        if compiled is None:
            if table not in self._rules:
                raise InternalError(f"the plan has no rules for the table with id {table}")
            compiled = self._compiled[table] = TableRules(self._rules[table], self._registry)
        return compiled

    def work(self, context: Context, dropped: TableSchema | None = None) -> ForeignKeyWork:
        """Start the foreign keys of one execution, which drops a table perhaps."""
        catalog = context.view.catalog
        if self._references is None or self._references.catalog is not catalog:
            self._references = ReferenceMap(catalog)
        return ForeignKeyWork(context, self._references, self.of, dropped)
