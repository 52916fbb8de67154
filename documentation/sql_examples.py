"""The examples of the SQL reference: statements in the order they are run, and a call for each function."""

from typing import Final, NamedTuple


class Section(NamedTuple):
    """A part of the page on statements: `own` says that SQLite does not have what its examples show."""

    title: str
    text: str
    examples: tuple[str, ...]
    own: bool = False


STATEMENTS: Final = (
    Section(
        "CREATE TABLE",
        "Columns have types, and all tables are strict: a value that does not fit is refused. Constraints are PRIMARY"
        " KEY, UNIQUE, NOT NULL, CHECK, DEFAULT, GENERATED, REFERENCES and FOREIGN KEY, with ON CONFLICT, ON DELETE "
        "and ON UPDATE. `CREATE TEMP TABLE` makes a table that only this connection sees and that costs no request.",
        (
            "CREATE TABLE team (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
            "CREATE TABLE player (id INTEGER PRIMARY KEY, name TEXT NOT NULL, points INTEGER DEFAULT 0 CHECK (points "
            ">= 0), team_id INTEGER REFERENCES team ON DELETE SET NULL)",
            "CREATE TABLE IF NOT EXISTS team (id INTEGER PRIMARY KEY)",
        ),
    ),
    Section(
        "INSERT and REPLACE",
        "Rows are given as VALUES, as a query, or as DEFAULT VALUES. ON CONFLICT says what to do about a row whose "
        "key is there. RETURNING gives back what was stored.",
        (
            "INSERT INTO team (name) VALUES ('red'), ('blue')",
            "INSERT INTO player (name, points, team_id) VALUES ('Ada', 7, 1), ('Bob', 3, 2), ('Cy', 5, 1)",
            "INSERT INTO player (name) SELECT 'Dee' RETURNING id, name, points",
            "INSERT INTO team (id, name) VALUES (2, 'green') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            "INSERT OR IGNORE INTO team (id, name) VALUES (1, 'black')",
            "REPLACE INTO team (id, name) VALUES (3, 'white')",
        ),
    ),
    Section(
        "UPDATE",
        "FROM takes values of other tables. RETURNING gives the rows as they became.",
        (
            "UPDATE player SET points = points + 1 WHERE name = 'Bob' RETURNING name, points",
            "UPDATE player SET name = player.name || ' of ' || team.name FROM team WHERE team.id = team_id AND points"
            " > 6",
        ),
    ),
    Section(
        "DELETE",
        "Without WHERE all rows go.",
        ("DELETE FROM team WHERE name = 'white' RETURNING id",),
    ),
    Section(
        "SELECT",
        "Joins (inner, left, right, full, cross, natural, USING), subqueries anywhere, grouping with HAVING and "
        "FILTER, window functions, UNION, INTERSECT and EXCEPT, ORDER BY with NULLS FIRST or LAST, LIMIT and OFFSET.",
        (
            "SELECT name, points FROM player ORDER BY points DESC, name LIMIT 2",
            "SELECT team.name, count(*), sum(points) FROM player JOIN team ON team.id = team_id GROUP BY team.id "
            "ORDER BY 1",
            "SELECT p.name, t.name FROM player AS p LEFT JOIN team AS t ON t.id = p.team_id WHERE t.id IS NULL",
            "SELECT id, rank() OVER (PARTITION BY team_id ORDER BY points DESC) AS place FROM player ORDER BY id",
            "SELECT count(*) FILTER (WHERE points > 4) FROM player",
            "SELECT id FROM player WHERE EXISTS (SELECT 1 FROM team WHERE team.id = team_id) EXCEPT SELECT 1 ORDER BY"
            " 1",
        ),
    ),
    Section(
        "VALUES and WITH",
        "WITH names queries for the statement behind it, also for INSERT, UPDATE and DELETE. WITH RECURSIVE may refer"
        " to itself.",
        (
            "VALUES (1, 'a'), (2, 'b')",
            "WITH RECURSIVE step (n) AS (SELECT 1 UNION ALL SELECT n * 2 FROM step WHERE n < 50) SELECT n FROM step",
        ),
    ),
    Section(
        "CREATE INDEX",
        "An index finds rows by key without reading the table. UNIQUE enforces that keys are. An index over "
        "expressions finds the rows of conditions that are written like them; a partial index serves queries that name "
        "its condition. One that uses a function of the connection is there for uniqueness only. `ANALYZE` and "
        "`REINDEX` are accepted and have nothing to do.",
        (
            "CREATE INDEX player_team ON player (team_id)",
            "CREATE UNIQUE INDEX player_name ON player (lower(name)) WHERE points > 0",
            "ANALYZE",
            "REINDEX player_team",
        ),
    ),
    Section(
        "CREATE VIEW",
        "A view is a query with a name.",
        (
            "CREATE VIEW standing (team, points) AS SELECT team.name, total(points) FROM team LEFT JOIN player ON "
            "team_id = team.id GROUP BY team.id",
            "SELECT * FROM standing ORDER BY team",
        ),
    ),
    Section(
        "CREATE TRIGGER",
        "Triggers run BEFORE, AFTER or INSTEAD OF a change, row by row. RAISE ends the statement.",
        (
            "CREATE TABLE history (player INTEGER, was INTEGER, became INTEGER)",
            "CREATE TRIGGER noted AFTER UPDATE OF points ON player WHEN new.points <> old.points BEGIN INSERT INTO "
            "history VALUES (old.id, old.points, new.points); END",
            "UPDATE player SET points = 9 WHERE id = 3",
            "SELECT * FROM history",
        ),
    ),
    Section(
        "ALTER TABLE",
        "Tables and columns can be renamed, columns added and dropped. No row is written anew for it.",
        (
            "ALTER TABLE player ADD COLUMN email TEXT",
            "ALTER TABLE player RENAME COLUMN email TO mail",
            "ALTER TABLE player DROP COLUMN mail",
            "ALTER TABLE history RENAME TO change",
        ),
    ),
    Section(
        "DROP",
        "Tables, indexes, views and triggers.",
        ("DROP TRIGGER noted", "DROP VIEW standing", "DROP INDEX player_team", "DROP TABLE IF EXISTS change"),
    ),
    Section(
        "BEGIN, COMMIT, ROLLBACK, SAVEPOINT",
        "Transactions are serializable, contain schema changes, and become one message at COMMIT (also END). "
        "DEFERRED, IMMEDIATE and EXCLUSIVE are accepted and mean the same.",
        (
            "BEGIN",
            "DELETE FROM player",
            "SAVEPOINT half",
            "DROP TABLE player",
            "ROLLBACK TO half",
            "RELEASE half",
            "SELECT count(*) FROM player",
            "ROLLBACK",
            "SELECT count(*) FROM player",
        ),
    ),
    Section(
        "EXPLAIN",
        "`EXPLAIN` shows the plan and the requests it is expected to need. `EXPLAIN ANALYZE` runs the statement and "
        "tells what it needed. `EXPLAIN (FORMAT JSON)` and `EXPLAIN (ANALYZE, FORMAT JSON)` give JSON, `EXPLAIN "
        "(CODE)` the Python code that runs. `EXPLAIN QUERY PLAN` is the same as `EXPLAIN`.",
        ("EXPLAIN SELECT name FROM player WHERE id = 1",),
        own=True,
    ),
    Section(
        "FOR SYSTEM_TIME AS OF",
        "A stored table as it was at a moment, until VACUUM removes that. Moments are in UTC if they name no zone; a "
        "whole number is a slot of the log.",
        ("SELECT name FROM team FOR SYSTEM_TIME AS OF 3 ORDER BY id",),
        own=True,
    ),
    Section(
        "VACUUM",
        "Removes messages and channels that nothing needs any more, and with them the past.",
        ("VACUUM",),
    ),
)

AGGREGATES: Final = {
    "avg": "avg(x)",
    "count": "count(x)",
    "group_concat": "group_concat(x, '-')",
    "json_group_array": "json_group_array(x)",
    "json_group_object": "json_group_object(concat('n', x), x)",
    "jsonb_group_array": "json(jsonb_group_array(x))",
    "jsonb_group_object": "json(jsonb_group_object(concat('n', x), x))",
    "max": "max(x)",
    "median": "median(x)",
    "min": "min(x)",
    "percentile": "percentile(x, 25)",
    "percentile_cont": "percentile_cont(x, 0.25)",
    "percentile_disc": "percentile_disc(x, 0.25)",
    "string_agg": "string_agg(x, ', ')",
    "sum": "sum(x)",
    "total": "total(x)",
}
"""Over the values of x: 1, 2, 2, 5 and NULL."""

WINDOWS: Final = {
    "cume_dist": "cume_dist()",
    "dense_rank": "dense_rank()",
    "first_value": "first_value(x)",
    "lag": "lag(x, 1, 0)",
    "last_value": "last_value(x)",
    "lead": "lead(x)",
    "nth_value": "nth_value(x, 2)",
    "ntile": "ntile(2)",
    "percent_rank": "percent_rank()",
    "rank": "rank()",
    "row_number": "row_number()",
}
"""With OVER (ORDER BY x), over the values of x: 1, 2, 2 and 5."""

PRAGMAS: Final = {
    "application_id": ("a number that programs may keep with the database", "PRAGMA application_id = 5"),
    "cache_size": ("the bound of the page cache, negative in KiB: `connect(cache_size=…)`", "PRAGMA cache_size"),
    "case_sensitive_like": ("LIKE tells upper from lower case", "PRAGMA case_sensitive_like = 0"),
    "collation_list": ("the collations", "PRAGMA collation_list"),
    "data_version": ("changes when another connection has committed", "PRAGMA data_version"),
    "database_list": ("the database, and temp", "PRAGMA database_list"),
    "defer_foreign_keys": ("foreign keys are looked at when the transaction commits", "PRAGMA defer_foreign_keys"),
    "encoding": ("always UTF-8", "PRAGMA encoding"),
    "foreign_key_check": ("rows whose parent is missing", "PRAGMA foreign_key_check"),
    "foreign_key_list": ("the foreign keys of a table", "PRAGMA foreign_key_list(player)"),
    "foreign_keys": ("foreign keys are enforced; they are from the start", "PRAGMA foreign_keys"),
    "freelist_count": ("always 0: VACUUM removes what is needless", "PRAGMA freelist_count"),
    "function_list": ("the functions", "PRAGMA function_list"),
    "index_info": ("the columns of an index", "PRAGMA index_info(player_name)"),
    "index_list": ("the indexes of a table", "PRAGMA index_list(player)"),
    "index_xinfo": ("the columns of an index, with order and collation", "PRAGMA index_xinfo(player_name)"),
    "integrity_check": ("verifies everything: [Damage and repair](repair.md)", "PRAGMA integrity_check"),
    "page_count": ("the size of what is stored, in units of `page_size`", "PRAGMA page_count"),
    "page_size": ("the unit of `page_count`; stored pages are of any size", "PRAGMA page_size"),
    "pragma_list": ("the PRAGMAs", "PRAGMA pragma_list"),
    "query_only": ("statements that write are refused", "PRAGMA query_only"),
    "quick_check": ("the same without comparing indexes with rows", "PRAGMA quick_check"),
    "recursive_triggers": ("triggers may fire themselves", "PRAGMA recursive_triggers"),
    "schema_version": ("grows with each change of the schema", "PRAGMA schema_version"),
    "table_info": ("the columns of a table", "PRAGMA table_info(player)"),
    "table_list": ("the tables and views", "PRAGMA table_list"),
    "table_xinfo": ("the columns of a table, with generated ones", "PRAGMA table_xinfo(player)"),
    "user_version": ("a number that programs may keep with the database", "PRAGMA user_version = 2"),
    "wal_checkpoint": (
        "entries of the log that wait for a checkpoint, which comes by itself: none is made by this",
        "PRAGMA wal_checkpoint",
    ),
}
"""What each PRAGMA is for, and a statement with it."""

TYPES: Final = {
    "INTEGER": ("INT, BIGINT, whatever has INT in it", 7, "64 bits, with sign"),
    "REAL": ("FLOAT, DOUBLE", 2.5, "64 bits; NaN is stored as NULL"),
    "TEXT": ("VARCHAR(20), CHAR, CLOB", "tea", "Unicode"),
    "BLOB": ("", b"\x00\x01", "bytes"),
    "NUMERIC": ("any unknown name", "7", "text that looks like a number becomes one"),
    "ANY": ("no type at all", "7", "any value, as given"),
    "BOOLEAN": ("BOOL", True, "0 or 1 in SQL"),
    "DATE": ("", "2024-02-29", "ISO 8601 text in SQL"),
    "TIMESTAMP": ("DATETIME, TIMESTAMPTZ", "2024-02-29 12:00:00", "ISO 8601 text in SQL; a zone is kept as UTC"),
    "DECIMAL": ("DEC, DECIMAL(10, 2)", "2.50", "exact, with any number of digits"),
    "JSON": ("JSONB", '{"a": [1, 2]}', "text that json_valid takes: no NaN, no Infinity"),
    "UUID": ("", "6f1c2b1e-0d5a-4c1a-9b7e-2f3d4c5b6a70", ""),
}
"""For each type: other names, a value that is stored, and what to know of it."""

REFUSED: Final = (
    "ATTACH 'other.disco' AS other",
    "CREATE VIRTUAL TABLE note USING fts5(text)",
    "VACUUM INTO 'copy.disco'",
    "DELETE FROM team ORDER BY id LIMIT 1",
    "ALTER TABLE team ADD CONSTRAINT c CHECK (id > 0)",
    "PRAGMA writable_schema = 1",
)
"""What SQLite has and discosql has not."""
