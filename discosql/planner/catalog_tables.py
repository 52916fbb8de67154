"""The tables and table-valued functions that are not stored, by name, with SQLite's columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from discosql.schema import SEQUENCE
from discosql.types import SqlType, fold_case

_INTEGER, _TEXT, _ANY = SqlType.INTEGER, SqlType.TEXT, SqlType.ANY


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """A column of such a table. Hidden columns are the arguments in order; ``*`` leaves them out."""

    name: str
    type: SqlType = _ANY
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A table by the name that a `CatalogScan` has, which is the same for all names of sqlite_master."""

    name: str
    columns: tuple[CatalogColumn, ...]

    @property
    def arguments(self) -> int:
        """How many arguments it takes at most."""
        return sum(column.hidden for column in self.columns)

    @property
    def is_declared(self) -> bool:
        """Whether its columns have declared types, and so affinities; those of table-valued functions have none."""
        return self.name.startswith("sqlite_")

    def readable(self, given: int) -> tuple[CatalogColumn, ...]:
        """Return the columns that rows have where so many arguments are given.

        An argument that is not given could be named in a condition, which SQLite takes for giving it.
        """
        hidden = [column for column in self.columns if column.hidden]
        visible = tuple(column for column in self.columns if not column.hidden)
        return (*visible, *hidden[:given]) if self.name in _WITH_ARGUMENTS else visible


def find_catalog_table(name: str) -> CatalogTable | None:
    """Return the table or table-valued function of that name, or None."""
    return CATALOG_TABLES.get(fold_case(name))


def _table(name: str, columns: str, arguments: str = "") -> CatalogTable:
    """Return a table from names of columns, of which those that end with ``#`` are integers and with ``$`` texts."""
    types = {"#": _INTEGER, "$": _TEXT}
    visible = [CatalogColumn(word.rstrip("#$"), types.get(word[-1], _ANY)) for word in columns.split()]
    hidden = [CatalogColumn(word, hidden=True) for word in arguments.split()]
    return CatalogTable(name, (*visible, *hidden))


_WITH_ARGUMENTS: Final = frozenset({"json_each", "json_tree", "jsonb_each", "jsonb_tree"})
"""The tables whose rows have the arguments too."""

_SCHEMA = "type$ name$ tbl_name$ rootpage# sql$"
_JSON = "key value type$ atom id# parent# fullkey$ path$"
_TABLE_INFO = "cid# name$ type$ notnull# dflt_value$ pk#"

_TABLES = (
    _table(SEQUENCE, "name seq"),
    _table("json_each", _JSON, "json root"),
    _table("json_tree", _JSON, "json root"),
    _table("jsonb_each", _JSON, "json root"),
    _table("jsonb_tree", _JSON, "json root"),
    _table("pragma_table_info", _TABLE_INFO, "arg schema"),
    _table("pragma_table_xinfo", f"{_TABLE_INFO} hidden#", "arg schema"),
    _table("pragma_index_list", "seq# name$ unique# origin$ partial#", "arg schema"),
    _table("pragma_index_info", "seqno# cid# name$", "arg schema"),
    _table("pragma_index_xinfo", "seqno# cid# name$ desc# coll$ key#", "arg schema"),
    _table("pragma_foreign_key_list", "id# seq# table$ from$ to$ on_update$ on_delete$ match$", "arg schema"),
    _table("pragma_foreign_key_check", "table$ rowid# parent$ fkid#", "arg schema"),
    _table("pragma_table_list", "schema$ name$ type$ ncol# wr# strict#", "arg schema"),
    _table("pragma_database_list", "seq# name$ file$"),
    _table("pragma_collation_list", "seq# name$"),
    _table("pragma_function_list", "name$ builtin# type$ enc$ narg# flags#"),
    _table("pragma_foreign_keys", "foreign_keys#"),
    _table("pragma_defer_foreign_keys", "defer_foreign_keys#"),
    _table("pragma_recursive_triggers", "recursive_triggers#"),
    _table("pragma_user_version", "user_version#"),
    _table("pragma_application_id", "application_id#"),
    _table("pragma_schema_version", "schema_version#"),
    _table("pragma_query_only", "query_only#"),
    _table("pragma_data_version", "data_version#"),
    _table("pragma_cache_size", "cache_size#"),
    _table("pragma_page_size", "page_size#"),
    _table("pragma_page_count", "page_count#"),
    _table("pragma_freelist_count", "freelist_count#"),
    _table("pragma_wal_checkpoint", "busy# log# checkpointed#", "arg"),
    _table("pragma_encoding", "encoding$"),
    _table("discosql_stats", "name$ value"),
)

CATALOG_TABLES: Final[Mapping[str, CatalogTable]] = {
    **{table.name: table for table in _TABLES},
    **dict.fromkeys(("sqlite_master", "sqlite_schema"), _table("sqlite_master", _SCHEMA)),
    **dict.fromkeys(("sqlite_temp_master", "sqlite_temp_schema"), _table("sqlite_temp_master", _SCHEMA)),
}
