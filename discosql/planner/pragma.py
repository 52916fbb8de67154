"""PRAGMA, and the tables that are made of the catalog: sqlite_master, ``pragma_…()``, json_each.

A PRAGMA that reads is a query of the table-valued function of its name; one that sets is a `SetPragma`. PRAGMAs that
discosql has no use for do nothing, as unknown ones do in SQLite.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError, UnknownNameError
from discosql.planner.build import Binder
from discosql.planner.catalog_tables import CATALOG_TABLES
from discosql.planner.context import PlanContext
from discosql.planner.grammar.syntax import Nothing, Pragma
from discosql.planner.names import check_database
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import parse_query
from discosql.planner.plan import ChangeSchema, CheckIntegrity, Query, SetPragma, Statement

SETTINGS: Final = frozenset(
    {"foreign_keys", "case_sensitive_like", "defer_foreign_keys", "recursive_triggers", "query_only"}
)
"""What can be set for a connection."""

CHECKS: Final = frozenset({"integrity_check", "quick_check"})
"""What verifies the database."""

KEPT: Final = frozenset({"user_version", "application_id"})
"""Numbers that are kept with the schema, for programs to know its version by."""

REFUSED: Final = frozenset({"encoding", "writable_schema"})
"""What programs would rely on, and cannot be set."""

UNSETTABLE: Final = frozenset(
    {"cache_size", "page_size", "page_count", "freelist_count", "data_version", "schema_version"}
)
"""What tells of the database; setting it does nothing."""


FIXED: Final[Mapping[str, tuple[str, tuple[str | int, ...]]]] = {
    "analysis_limit": ("analysis_limit", (0,)),
    "auto_vacuum": ("auto_vacuum", (0,)),
    "automatic_index": ("automatic_index", (1,)),
    "busy_timeout": ("timeout", (0,)),
    "cell_size_check": ("cell_size_check", (0,)),
    "compile_options": (
        "compile_options",
        (
            "DEFAULT_FOREIGN_KEYS",
            "ENABLE_MATH_FUNCTIONS",
            "MAX_VARIABLE_NUMBER=32766",
            "OMIT_LOAD_EXTENSION",
            "OMIT_SHARED_CACHE",
            "OMIT_VIRTUALTABLE",
        ),
    ),
    "count_changes": ("count_changes", (0,)),
    "empty_result_callbacks": ("empty_result_callbacks", (0,)),
    "full_column_names": ("full_column_names", (0,)),
    "ignore_check_constraints": ("ignore_check_constraints", (0,)),
    "journal_mode": ("journal_mode", ("wal",)),
    "legacy_alter_table": ("legacy_alter_table", (0,)),
    "locking_mode": ("locking_mode", ("normal",)),
    "max_page_count": ("max_page_count", (4294967294,)),
    "module_list": ("name", ("json_each", "json_tree", "jsonb_each", "jsonb_tree")),
    "read_uncommitted": ("read_uncommitted", (0,)),
    "reverse_unordered_selects": ("reverse_unordered_selects", (0,)),
    "secure_delete": ("secure_delete", (0,)),
    "short_column_names": ("short_column_names", (1,)),
    "synchronous": ("synchronous", (2,)),
    "temp_store": ("temp_store", (2,)),
    "threads": ("threads", (0,)),
    "trusted_schema": ("trusted_schema", (1,)),
    "writable_schema": ("writable_schema", (0,)),
}
"""What tools ask that cannot be otherwise here: the column and the values that SQLite would give of such a database.

Commits are in a log, as with a write-ahead log; temporary tables are in memory. No lock is ever waited for.
"""

ANSWERING: Final = frozenset({"journal_mode", "locking_mode", "busy_timeout", "max_page_count"})
"""PRAGMAs that tell the value after it was set, too."""


def pragma_names() -> list[str]:
    """Return the names of all PRAGMAs that do or tell something."""
    tables = [name.removeprefix("pragma_") for name in CATALOG_TABLES if name.startswith("pragma_")]
    return sorted({*tables, *SETTINGS, *CHECKS, *KEPT, *FIXED, "pragma_list"})


def _fixed(context: PlanContext, column: str, values: Sequence[str | int]) -> Query:
    """Return a query of known values."""
    rows = ", ".join(f"({value!r})" for value in values)
    tree = parse_query(f"SELECT column1 AS {column} FROM (VALUES {rows})")
    return Query(*Binder(context, ParameterTable()).build_query(tree))


def build_pragma(context: PlanContext, pragma: Pragma) -> Statement:
    """Return the plan of a PRAGMA."""
    name = pragma.name
    if name in SETTINGS and pragma.value is not None:
        return SetPragma(name, pragma.value)
    if name in CHECKS:
        return _build_check(context, name, pragma.value)
    if name in KEPT and pragma.value is not None:
        return ChangeSchema(f"PRAGMA {name}", context.catalog.with_setting(name, _small_integer(pragma.value)))
    if name == "pragma_list":
        return _fixed(context, "name", pragma_names())
    if name in FIXED and (pragma.value is None or name in ANSWERING):
        return _fixed(context, *FIXED[name])
    if name in REFUSED and pragma.value is not None:
        raise NotSupportedError(f"PRAGMA {name} cannot be set")
    table = CATALOG_TABLES.get(f"pragma_{name}")
    if table is None or (name in UNSETTABLE and pragma.value is not None):
        return nothing(context, f"PRAGMA {name}")
    arguments = [] if pragma.value is None else [exp.Literal.string(pragma.value)]
    if arguments and pragma.database is not None and table.arguments > 1:
        arguments.append(exp.Literal.string(pragma.database))
    call = exp.Anonymous(this=table.name, expressions=arguments)
    query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=exp.Table(this=call)))
    return Query(*Binder(context, ParameterTable()).build_query(query))


def _build_check(context: PlanContext, name: str, value: str | int | None) -> CheckIntegrity:
    quick = name == "quick_check"
    if value is None:
        return CheckIntegrity(quick)
    try:
        limit = int(value)
    except ValueError:
        return CheckIntegrity(quick, context.catalog.table(str(value)).name)
    return CheckIntegrity(quick, limit=limit) if limit > 0 else CheckIntegrity(quick)


def _small_integer(text: str) -> int:
    """Return the number of 32 bits that a text begins with, 0 for anything else."""
    match = re.match(r"[+-]?\d+", text)
    value = int(match[0]) if match else 0
    return value if -(2**31) <= value < 2**31 else 0


def build_nothing(context: PlanContext, statement: Nothing) -> Statement:
    """Return the plan of a statement that has nothing to do, after a look at the name it was given."""
    name = statement.name
    if name is not None and name.name.lower() not in ("main", "temp"):
        check_database(name)
        catalog = context.catalog
        known = (
            catalog.find_table(name.name) is not None
            or catalog.find_index(name.name) is not None
            or (statement.word == "REINDEX" and name.name.upper() in context.collations)
        )
        if not known and statement.word == "REINDEX":
            raise ProgrammingError("unable to identify the object to be reindexed")
        if not known:
            raise UnknownNameError(f"no such table: {name.name}")
    return nothing(context, statement.word)


def nothing(context: PlanContext, label: str) -> ChangeSchema:
    """Return a statement that changes nothing."""
    return ChangeSchema(label, context.catalog, unchanged=True)
