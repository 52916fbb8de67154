"""CREATE, DROP, ALTER, INSERT, UPDATE, DELETE and PRAGMA: taken or refused as by SQLite, and the same schema after."""

import pytest
from planning import Schema, differences, oracle, oracle_outcome, outcome
from statement_corpus import CHANGES, SCRIPTS, TABLES

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.plan import (
    CatalogScan,
    ChangeSchema,
    Constant,
    Delete,
    Explain,
    Filter,
    Insert,
    Projection,
    Query,
    Scan,
    SetPragma,
    TransactionControl,
    Update,
    Vacuum,
)
from discosql.schema import Catalog
from discosql.types import SqlType

# CREATE TABLE -------------------------------------------------------------------------------------------------------

DEFINITIONS = (
    "(a, b)",
    "(a INT, b INTEGER, c TEXT, d REAL, e BLOB, f NUMERIC, g, h varchar(20), i double precision, j decimal(10, 2))",
    "(a INTEGER PRIMARY KEY, b)",
    "(a INTEGER PRIMARY KEY AUTOINCREMENT, b)",
    "(a INTEGER PRIMARY KEY DESC, b)",
    "(a integer, PRIMARY KEY (a))",
    "(a integer, PRIMARY KEY (a DESC))",
    "(a integer, PRIMARY KEY (a AUTOINCREMENT))",
    "(a INT PRIMARY KEY)",
    "(a INT PRIMARY KEY DESC, b UNIQUE)",
    "(a UNIQUE, b UNIQUE, c, UNIQUE (a), UNIQUE (a, b), UNIQUE (b, a), PRIMARY KEY (c, a))",
    "(a UNIQUE PRIMARY KEY, b PRIMARY KEY)",
    "(a PRIMARY KEY UNIQUE)",
    "(a INTEGER PRIMARY KEY UNIQUE NOT NULL)",
    "(a, b, c, PRIMARY KEY (a, b, a), UNIQUE (c, c))",
    "(a, b COLLATE nocase, UNIQUE (a COLLATE rtrim, b), UNIQUE (a, b COLLATE binary), UNIQUE (b DESC))",
    "(a INTEGER PRIMARY KEY, b UNIQUE) WITHOUT ROWID",
    "(a INT PRIMARY KEY, b, UNIQUE (b), UNIQUE (a)) WITHOUT ROWID",
    "(a, b, PRIMARY KEY (b, a)) WITHOUT ROWID",
    "(a) WITHOUT ROWID",
    "(a INTEGER PRIMARY KEY AUTOINCREMENT) WITHOUT ROWID",
    "(a INT PRIMARY KEY AUTOINCREMENT)",
    "(a INT, b TEXT, c ANY, d REAL, e BLOB, f INTEGER PRIMARY KEY) STRICT",
    "(a int primary key, b text) strict, without rowid",
    "(a INT, b TEXT, PRIMARY KEY (b, a)) STRICT",
    "(a VARCHAR) STRICT",
    "(a) STRICT",
    "(a) FOO",
    "(a, A)",
    "(a, PRIMARY KEY (x))",
    "(a, UNIQUE (x))",
    "(a, UNIQUE (a + 1))",
    "(a COLLATE foo)",
    "(a, UNIQUE (a COLLATE foo))",
    "(a DEFAULT 1, b DEFAULT -1.5, c DEFAULT 'x', d DEFAULT NULL, e DEFAULT x'00', f DEFAULT abc, g DEFAULT \"q\")",
    "(a DEFAULT (1 + 1), b DEFAULT (max(1, 2)), c DEFAULT TRUE, d DEFAULT +5, e DEFAULT (random()))",
    "(a DEFAULT 1 DEFAULT 2)",
    "(a DEFAULT (a))",
    "(a DEFAULT ((SELECT 1)))",
    "(a DEFAULT (?))",
    "(a CHECK (a > 0), b CONSTRAINT pos CHECK (b > 0 AND a < b), CHECK (a <> b), CONSTRAINT x CHECK (t.a = 1))",
    "(a CHECK (x > 0))",
    "(a CHECK (x.a > 0))",
    "(a CHECK (rowid > 0))",
    "(a CHECK (a IN (SELECT 1)))",
    "(a CHECK (EXISTS (SELECT 1)))",
    "(a CHECK (sum(a) > 1))",
    "(a CHECK (row_number() OVER () > 1))",
    "(a CHECK (a = ?))",
    "(a CHECK (nosuch(a)))",
    "(a CHECK (random() > a))",
    "(a, b AS (a + 1), c INT GENERATED ALWAYS AS (b * 2) STORED, d generated always as (c) virtual)",
    "(a AS (b) STORED, b AS (c), c)",
    "(a AS (1))",
    "(a, b AS (b))",
    "(a, b AS (c), c AS (b))",
    "(a, b AS (x))",
    "(a, b AS (rowid))",
    "(a, b AS (random()))",
    "(a, b AS ((SELECT 1)))",
    "(a, b AS (sum(a)))",
    "(a, b AS (?))",
    "(a, b AS (a) PRIMARY KEY)",
    "(a, b DEFAULT 1 AS (a))",
    "(a, b AS (a) FOO)",
    "(a GENERATED ALWAYS)",
    "(a REFERENCES p, b REFERENCES p (x) ON DELETE CASCADE ON UPDATE SET NULL, c REFERENCES nope)",
    "(a, b, FOREIGN KEY (a, b) REFERENCES p (x, y) ON DELETE SET DEFAULT ON UPDATE RESTRICT)",
    "(a REFERENCES p DEFERRABLE INITIALLY DEFERRED, b REFERENCES p NOT DEFERRABLE INITIALLY DEFERRED)",
    "(a REFERENCES p ON DELETE CASCADE ON DELETE NO ACTION MATCH SIMPLE)",
    "(a, FOREIGN KEY (x) REFERENCES p)",
    "(a REFERENCES p (x, y))",
    "(a, FOREIGN KEY (a) REFERENCES p (x, y))",
    "(a DEFERRABLE INITIALLY DEFERRED)",
    '("a b" "my type", [c d] \'x\' (3), `e``f` int(10,  20), abort key)',
    "(a NOT NULL NOT NULL, b NULL, c NOT NULL ON CONFLICT ABORT, d CONSTRAINT foo)",
    "(a, CONSTRAINT foo)",
    "  ( a /* c */ int , -- x\n b )  ",
    " (a INTEGER PRIMARY KEY)  WITHOUT  rowid  ;",
)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_tables_are_created_as_in_sqlite(definition: str) -> None:
    schema, connection = Schema(), oracle()
    sql = f"create table t{definition}"
    assert outcome(schema, sql) == oracle_outcome(connection, sql)
    assert not differences(schema, connection, ())


def test_a_table_has_2000_columns_at_most() -> None:
    columns = ", ".join(f"c{i}" for i in range(2001))
    with pytest.raises(ProgrammingError, match="too many columns on t"):
        Schema(f"CREATE TABLE t ({columns})")
    assert len(Schema(f"CREATE TABLE t ({columns.removesuffix(', c2000')})").catalog.table("t").columns) == 2000


def test_types_of_discosql_are_allowed_in_strict_tables() -> None:
    table = Schema("CREATE TABLE t (a DATE, b DECIMAL(10, 2), c JSON, d UUID, e BOOLEAN) STRICT").catalog.table("t")
    expected = (SqlType.DATE, SqlType.DECIMAL, SqlType.JSON, SqlType.UUID, SqlType.BOOLEAN)
    assert tuple(column.type for column in table.columns) == expected


def test_ids_are_never_used_twice() -> None:
    schema = Schema("CREATE TABLE t (a UNIQUE, b, c)", "CREATE INDEX i ON t (b)", "CREATE TABLE u (x UNIQUE)")
    tables = schema.catalog.tables.values()
    ids = [table.id for table in tables] + [index.id for table in tables for index in table.indexes]
    assert len(set(ids)) == 5 and schema.catalog.next_id > max(ids)
    dropped = schema.catalog.table("t").columns[2].id
    for sql in ("ALTER TABLE t DROP COLUMN c", "ALTER TABLE t ADD COLUMN c", "ALTER TABLE t RENAME COLUMN c TO d"):
        schema.run(sql)
    columns = schema.catalog.table("t").columns
    assert columns[2].id != dropped
    assert len({column.id for column in columns}) == 3


# Scripts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts_leave_the_schema_that_sqlite_has(script: tuple[str, ...]) -> None:
    assert not differences(Schema(), oracle(), script)


SAME_WORDS = {
    name: SCRIPTS[name]
    for name in SCRIPTS
    if name not in ("a broken view stands in the way", "names taken", "add column", "views", "rename column")
}


@pytest.mark.parametrize("script", SAME_WORDS.values(), ids=SAME_WORDS)
def test_refusals_have_the_words_of_sqlite(script: tuple[str, ...]) -> None:
    schema, connection = Schema(), oracle()
    for sql in script:
        assert outcome(schema, sql) == oracle_outcome(connection, sql)


def test_a_column_added_to_rows_has_a_constant_value() -> None:
    schema = Schema("CREATE TABLE p (x)", "CREATE TABLE t (a)")
    schema.rows = 3
    schema.run("ALTER TABLE t ADD b INTEGER DEFAULT -5")
    schema.run("ALTER TABLE t ADD c TEXT DEFAULT 7")
    assert [column.fill for column in schema.catalog.table("t").columns] == [None, -5, "7"]
    for words, message in (
        ("d NOT NULL", "Cannot add a NOT NULL column with default value NULL"),
        ("d DEFAULT (1 + 1)", "Cannot add a column with non-constant default"),
        ("d DEFAULT CURRENT_TIME", "Cannot add a column with non-constant default"),
        ("d REFERENCES p DEFAULT 1", "Cannot add a REFERENCES column with non-NULL default value"),
        ("d AS (a) STORED", "cannot add a STORED column"),
    ):
        assert outcome(schema, f"ALTER TABLE t ADD {words}") == message


def test_what_stored_rows_must_satisfy_is_checked() -> None:
    schema = Schema("CREATE TABLE t (a, b)")
    generated = schema.plan("ALTER TABLE t ADD c AS (a + b)")
    assert isinstance(generated, ChangeSchema) and generated.check_rows is not None
    assert [item.position for item in generated.check_rows.generated] == [2]
    added = schema.plan("ALTER TABLE t ADD c NOT NULL DEFAULT 1 CHECK (c > a)")
    assert isinstance(added, ChangeSchema) and added.check_rows is not None
    assert [check.label for check in added.check_rows.checks] == ["c > a"]
    unique = schema.plan("CREATE UNIQUE INDEX i ON t (a)")
    assert isinstance(unique, ChangeSchema) and unique.check_index is not None
    assert unique.check_index[1] in {index.id for index in unique.check_index[0].indexes}
    plain = schema.plan("CREATE INDEX i ON t (a)")
    assert isinstance(plain, ChangeSchema) and plain.check_index is None


def test_dropping_a_table_knows_the_tables_that_its_keys_change() -> None:
    schema = Schema(
        "CREATE TABLE p (x PRIMARY KEY)",
        "CREATE TABLE c (y PRIMARY KEY REFERENCES p ON DELETE CASCADE)",
        "CREATE TABLE d (z REFERENCES c ON DELETE SET NULL)",
        "CREATE TABLE e (z REFERENCES c)",
    )
    dropped = schema.plan("DROP TABLE p")
    assert isinstance(dropped, ChangeSchema) and dropped.dropped is not None
    assert dropped.dropped.name == "p"
    assert [rules.table.name for rules in dropped.related] == ["c", "d"]


def test_every_change_is_one_version() -> None:
    schema = Schema("CREATE TABLE t (a)", "CREATE TABLE u (b REFERENCES t (a))", "CREATE VIEW v AS SELECT a FROM t")
    before = schema.catalog.version
    for number, sql in enumerate(("ALTER TABLE t RENAME a TO x", "ALTER TABLE t RENAME TO s", "DROP VIEW v"), start=1):
        schema.run(sql)
        assert schema.catalog.version == before + number


def test_nothing_to_do_changes_nothing() -> None:
    schema = Schema("CREATE TABLE t (a)")
    for sql in (
        "CREATE TABLE IF NOT EXISTS t (b)",
        "DROP VIEW IF EXISTS x",
        "",
        "ANALYZE t",
        "REINDEX t",
        "PRAGMA foo(1)",
    ):
        statement = schema.plan(sql)
        assert isinstance(statement, ChangeSchema) and statement.unchanged
        assert statement.catalog is schema.catalog


# Changes of rows ----------------------------------------------------------------------------------------------------


def test_changes_of_rows_are_taken_and_refused_as_in_sqlite() -> None:
    assert not differences(Schema(*TABLES), oracle(*TABLES), CHANGES)


@pytest.mark.parametrize("sql", CHANGES)
def test_refused_changes_have_the_words_of_sqlite(sql: str) -> None:
    theirs = oracle_outcome(oracle(*TABLES), sql)
    if "constraint failed" not in theirs:
        assert outcome(Schema(*TABLES), sql) == theirs


def test_insert_tells_where_its_columns_go() -> None:
    schema = Schema(*TABLES)
    insert = schema.plan("INSERT OR REPLACE INTO t (d, a) VALUES (?, :x), (5, 6)")
    assert isinstance(insert, Insert)
    assert insert.positions == (3, 0)
    assert insert.resolution == "replace"
    assert len(insert.source.output) == 2
    assert [check.label for check in insert.rules.checks] == ["d > 0"]
    assert [value.position for value in insert.rules.generated] == [2]
    assert insert.rules.defaults[1] == Constant("x", SqlType.TEXT)
    every = schema.plan("INSERT INTO t VALUES (1, 2, 3)")
    assert isinstance(every, Insert) and every.positions == (0, 1, 3)
    default = schema.plan("INSERT INTO t DEFAULT VALUES")
    assert isinstance(default, Insert) and default.positions == ()


def test_insert_takes_the_rowid_under_its_names() -> None:
    schema = Schema("CREATE TABLE t (a, oid)")
    for name, position in (("rowid", -1), ("_rowid_", -1), ("oid", 1)):
        insert = schema.plan(f"INSERT INTO t ({name}) VALUES (1)")
        assert isinstance(insert, Insert) and insert.positions == (position,)


def test_of_a_column_named_twice_insert_takes_the_first_and_update_the_last() -> None:
    schema = Schema("CREATE TABLE t (a, b)")
    insert = schema.plan("INSERT INTO t (a, b, a) VALUES (1, 2, 3)")
    assert isinstance(insert, Insert) and insert.positions == (0, 1)
    assert len(insert.source.output) == 2
    keyed = Schema("CREATE TABLE t (a INTEGER PRIMARY KEY)").plan("INSERT INTO t (a, rowid, a) VALUES (1, 2, 3)")
    assert isinstance(keyed, Insert) and isinstance(keyed.source, Projection)
    assert keyed.positions == (0,) and keyed.source.expressions == (keyed.source.child.output[2],)
    update = schema.plan("UPDATE t SET a = 1, b = 2, a = 3")
    assert isinstance(update, Update) and update.positions == (0, 1)
    source = update.source
    assert isinstance(source, Projection)
    assert source.expressions[-2:] == (Constant(3, SqlType.INTEGER), Constant(2, SqlType.INTEGER))


def test_update_reads_whole_rows_and_the_new_values() -> None:
    schema = Schema(*TABLES)
    update = schema.plan("UPDATE t SET d = d + 1, rowid = 7 WHERE b = 'x' RETURNING a + d AS s, *")
    assert isinstance(update, Update)
    assert update.positions == (3, 0)
    assert update.source.output[:5] == update.rules.row
    assert [ref.name for ref in update.rules.row[1:]] == ["a", "b", "c", "d"]
    assert len(update.source.output) == 7
    assert update.returning is not None
    assert [column.name for column in update.returning.columns] == ["s", "a", "b", "c", "d"]


def test_rows_of_a_table_without_rowid_are_found_too() -> None:
    schema = Schema(*TABLES)
    delete = schema.plan("DELETE FROM u WHERE x = 1")
    assert isinstance(delete, Delete)
    assert len(delete.rules.row) == 3 and delete.rules.row == delete.source.output
    assert delete.rules.table is schema.catalog.table("u")


def test_delete_reads_filtered_rows() -> None:
    delete = Schema(*TABLES).plan("DELETE FROM w WHERE y > 1")
    assert isinstance(delete, Delete) and isinstance(delete.source, Projection)
    assert isinstance(delete.source.child, Filter) and isinstance(delete.source.child.child, Scan)


def test_upserts_name_the_constraint_they_are_for() -> None:
    schema = Schema(*TABLES)
    insert = schema.plan(
        "INSERT INTO t (a) VALUES (1) ON CONFLICT (b) DO NOTHING "
        "ON CONFLICT (a) DO UPDATE SET d = d + excluded.d WHERE t.a > 1 ON CONFLICT DO NOTHING"
    )
    assert isinstance(insert, Insert)
    by_b, by_rowid, by_any = insert.upserts
    assert by_b.index == schema.catalog.table("t").indexes[0].id and by_b.assignments is None
    assert by_rowid.index == -1 and by_rowid.assignments is not None and by_rowid.where is not None
    assert [position for position, _ in by_rowid.assignments] == [3]
    assert len(by_rowid.excluded) == 5
    assert by_any.index is None


def test_related_tables_come_with_changes_that_may_reach_them() -> None:
    schema = Schema(
        "CREATE TABLE p (x PRIMARY KEY, s REFERENCES p ON DELETE CASCADE)",
        "CREATE TABLE c (y REFERENCES p ON DELETE CASCADE, n NOT NULL DEFAULT 4)",
        "CREATE TABLE d (z REFERENCES p)",
    )

    def related(sql: str) -> list[str]:
        statement = schema.plan(sql)
        assert isinstance(statement, Insert | Update | Delete)
        return [rules.table.name for rules in statement.related]

    assert related("DELETE FROM p") == ["c"]
    assert related("UPDATE p SET x = 1") == ["c"]
    assert related("INSERT INTO p VALUES (1, 1)") == []
    assert related("INSERT OR REPLACE INTO p VALUES (1, 1)") == ["c"]
    assert related("INSERT INTO p VALUES (1, 1) ON CONFLICT (x) DO UPDATE SET x = 2") == ["c"]


# Commands -----------------------------------------------------------------------------------------------------------


def test_transactions() -> None:
    schema = Schema()
    for sql, expected in (
        ("BEGIN IMMEDIATE", TransactionControl("begin")),
        ("END TRANSACTION", TransactionControl("commit")),
        ("COMMIT", TransactionControl("commit")),
        ("ROLLBACK", TransactionControl("rollback")),
        ("SAVEPOINT s", TransactionControl("savepoint", "s")),
        ("ROLLBACK TO SAVEPOINT [s t]", TransactionControl("rollback_to", "s t")),
        ("ROLLBACK TRANSACTION TO s", TransactionControl("rollback_to", "s")),
        ("RELEASE s", TransactionControl("release", "s")),
        ("VACUUM", Vacuum()),
        ("PRAGMA foreign_keys = OFF", SetPragma("foreign_keys", "OFF")),
        ("PRAGMA main.case_sensitive_like(1)", SetPragma("case_sensitive_like", "1")),
    ):
        assert schema.plan(sql) == expected


@pytest.mark.parametrize(
    ("sql", "mode", "form"),
    [
        ("EXPLAIN SELECT 1", "plan", "text"),
        ("EXPLAIN QUERY PLAN SELECT 1", "plan", "text"),
        ("EXPLAIN ANALYZE SELECT 1", "analyze", "text"),
        ("EXPLAIN (CODE) SELECT 1", "code", "text"),
        ("EXPLAIN (ANALYZE, FORMAT JSON) SELECT 1", "analyze", "json"),
    ],
)
def test_explain(sql: str, mode: str, form: str) -> None:
    statement = Schema().plan(sql)
    assert isinstance(statement, Explain) and isinstance(statement.statement, Query)
    assert (statement.mode, statement.format) == (mode, form)


@pytest.mark.parametrize(
    "name",
    [
        *("table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "foreign_key_list", "table_list"),
        *("database_list", "collation_list", "function_list", "foreign_keys", "user_version", "encoding"),
    ],
)
def test_pragmas_that_read_have_the_columns_of_sqlite(name: str) -> None:
    connection = oracle("CREATE TABLE t (a UNIQUE REFERENCES t)")
    argument = {"index_info": "sqlite_autoindex_t_1", "index_xinfo": "sqlite_autoindex_t_1"}.get(name, "t")
    called = (
        f"PRAGMA {name}({argument})" if name in ("index_list", "table_list") or "info" in name else f"PRAGMA {name}"
    )
    called = "PRAGMA foreign_key_list(t)" if name == "foreign_key_list" else called
    expected = [column[0] for column in connection.execute(called).description]
    statement = Schema().plan(called)
    assert isinstance(statement, Query)
    assert [column.name for column in statement.columns] == expected
    assert isinstance(statement.plan, Projection) and isinstance(statement.plan.child, CatalogScan)
    assert statement.plan.child.name == f"pragma_{name}"


def test_pragmas_are_tables_too() -> None:
    statement = Schema().plan("SELECT m.name, i.pk FROM sqlite_schema AS m, pragma_table_info(m.name) AS i WHERE i.pk")
    assert isinstance(statement, Query)
    assert [column.name for column in statement.columns] == ["name", "pk"]


def test_pragmas_that_cannot_be_set_are_named() -> None:
    with pytest.raises(NotSupportedError, match="PRAGMA encoding cannot be set"):
        Schema().plan("PRAGMA encoding = 'UTF-16'")


@pytest.mark.parametrize(
    "sql",
    ["ANALYZE", "ANALYZE t", "ANALYZE main", "REINDEX", "REINDEX t", "REINDEX nocase", "ANALYZE i", "REINDEX main.i"],
)
def test_upkeep_that_needs_nothing_is_accepted(sql: str) -> None:
    schema = Schema("CREATE TABLE t (a)", "CREATE INDEX i ON t (a)")
    assert outcome(schema, sql) == ""


@pytest.mark.parametrize("sql", ["ANALYZE nope", "REINDEX nope"])
def test_upkeep_of_something_unknown_is_refused(sql: str) -> None:
    assert outcome(Schema(), sql) == oracle_outcome(oracle(), sql) != ""


def test_an_index_that_is_asked_for_must_be_there() -> None:
    schema = Schema("CREATE TABLE t (a)", "CREATE INDEX i ON t (a)")
    for sql in (
        "SELECT * FROM t INDEXED BY i",
        "DELETE FROM t INDEXED BY i WHERE a = 1",
        "SELECT * FROM t NOT INDEXED",
    ):
        assert outcome(schema, sql) == ""
    assert outcome(schema, "SELECT * FROM t INDEXED BY nope") == "no such index: nope"


def test_planning_does_not_change_the_catalog() -> None:
    schema = Schema(*TABLES)
    before = schema.catalog
    for sql in ("CREATE TABLE x (a)", "DROP TABLE t", "ALTER TABLE t RENAME TO s"):
        schema.plan(sql)
    assert schema.catalog is before
    assert isinstance(before, Catalog) and set(before.tables) == {"t", "u", "w"}
