"""Indexes over expressions and partial indexes against SQLite: what they refuse, replace and show."""

from pathlib import Path
from typing import Any

import pytest
from planning import oracle
from test_statements_against_sqlite import answer

import discosql

SCRIPTS = {
    "one table": """
        create table t(a,b text,c)
        create unique index i on t(lower(b))
        create unique index j on t(a) where c>0
        create index k on t(a+1, b desc) where b is not null
        insert into t values(1,'X',1),(2,'y',0)
        insert into t values(3,'x',1)
        insert into t values(1,'z',1)
        insert into t values(1,'z',0)
        insert into t values(1,'w',0)
        update t set c=1 where b='z'
        update t set c=1 where b='w'
        update t set b='Y' where b='w'
        insert or ignore into t values(5,'x',1),(6,'q',1)
        insert or replace into t values(7,'Q',7)
        select * from t order by 1,2
        insert into t values(9,'q',5) on conflict(lower(b)) do update set a=99
        insert into t values(7,'p',5) on conflict(a) where c>0 do update set b='upd'
        insert into t values(7,'p',5) on conflict(a) do nothing
        insert into t values(99,'p',5) on conflict do nothing
        select * from t order by 1,2
        pragma index_list(t)
        pragma index_info(i)
        pragma index_xinfo(k)
        select name,sql from sqlite_master order by name
        create unique index l on t(c%2)
        create unique index i on t(a)
        create unique index m on t((a),(b))
        drop index i
        insert into t values(100,'Q',0)
        alter table t rename b to bb
        select name,sql from sqlite_master order by name
        alter table t rename to tt
        select name,sql from sqlite_master order by name
        insert into tt values(99,'new',3)
        alter table tt drop column c
        drop index j
        alter table tt drop column c
        create index x on tt(nope+1)
        create index x on tt(a) where nope
        create index x on tt(random())
        create index x on tt((select 1))
        create index x on tt(a) where a in (select 1)
        create index x on tt(?)
        create index x on tt(sum(a))
        create unique index y on tt(a || bb collate nocase)
        select sql from sqlite_master where name='y'
        insert into tt values(5,'ab')
        insert into tt values('5A','B')
        insert into tt values('5A','B') on conflict do update set a='zz' returning *
        begin
        create unique index z on tt(length(bb)) where a=5
        insert into tt values (5,'cd')
        rollback
        insert into tt values (5,'cd')
        reindex tt
        update or replace tt set bb='AB' where bb='cd'
        select * from tt
    """,
    "triggers, foreign keys and other tables": """
        pragma foreign_keys=on
        create table p(id integer primary key, n)
        create unique index pi on p(abs(n))
        create table q(p references p(id) on delete cascade, m)
        create unique index qi on q(m*2) where p>1
        insert into p values(1,1),(2,-2),(3,3)
        insert into q values(1,5),(1,5),(2,5)
        insert into q values(3,5)
        replace into p values(9,2)
        select * from p
        create trigger tr before insert on p begin insert into q values(new.id, 1); end
        insert into p values(4,-3)
        replace into p values(3,-3)
        select * from q
        insert into p(n) values(null),(null)
        select * from p
        update p set n=n+1 where n>0
        update p set n=1
        create temp table te(a)
        create unique index ti on te(a) where a<5
        insert into te values(6),(6),(1)
        insert into te values(1)
        create table wr(a primary key, b) without rowid
        create unique index wi on wr(b+0)
        insert into wr values(1,1),(2,1)
        insert into wr values(1,1),(2,2)
        update wr set b=b+1
        select * from wr
    """,
}
"""Statements, one a line."""

MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts(script: str) -> None:
    sqlite = oracle()
    with discosql.connect(":memory:", isolation_level=None) as db:
        for sql in map(str.strip, script.strip().splitlines()):
            assert answer(db, sql) == answer(sqlite, sql), sql
        assert answer(db, MASTER) == answer(sqlite, MASTER)


def test_they_last(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as db:
        db.execute("CREATE TABLE t (a INTEGER, b TEXT)")
        db.execute("CREATE UNIQUE INDEX i ON t (lower(b)) WHERE a > 0")
        db.execute("INSERT INTO t VALUES (1, 'X')")
    with discosql.connect(path, isolation_level=None) as db:
        with pytest.raises(discosql.IntegrityError, match="UNIQUE constraint failed: index 'i'"):
            db.execute("INSERT INTO t VALUES (2, 'x')")
        with pytest.raises(discosql.IntegrityError):
            db.executemany("INSERT INTO t VALUES (?, ?)", [(0, "x"), (5, "y"), (6, "Y")])
        db.execute("INSERT INTO t VALUES (0, 'x')")
        assert db.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_two_writers_meet_in_a_computed_key(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as one, discosql.connect(path, isolation_level=None) as two:
        one.execute("CREATE TABLE t (a INTEGER)")
        one.execute("CREATE UNIQUE INDEX i ON t (abs(a))")
        one.execute("BEGIN")
        one.execute("INSERT INTO t VALUES (1)")
        two.execute("INSERT INTO t VALUES (-1)")
        with pytest.raises(discosql.SerializationError):
            one.execute("COMMIT")
        with pytest.raises(discosql.IntegrityError):
            one.execute("INSERT INTO t VALUES (1)")


QUERIES = {
    "SELECT id FROM t WHERE lower(name) = 'n5'": "IndexLookup: t(lower(name)) ('n5')",
    "SELECT id FROM t AS x WHERE 'n5' = LOWER(x.name)": "IndexLookup: t(lower(name)) AS x ('n5')",
    "SELECT id FROM t WHERE lower(name) IN ('n5', 'n6', 'N7')": "IndexLookup: t(lower(name)) ('n5', 'n6', 'N7')",
    "SELECT id FROM t WHERE a + b = 3 AND a = 1": "IndexLookup: t(a + b, a) ((3, 1))",
    "SELECT id FROM t WHERE doc->>'$.k' = 5": "IndexLookup: t(doc->>'$.k') (5)",
    "SELECT id FROM t WHERE name = 'N5' AND gone = 0": "IndexLookup: t(name WHERE gone = 0) ('N5')",
    "SELECT id FROM t WHERE c = 2": "IndexLookup: t(c WHERE c IS NOT NULL) (2)",
    "SELECT id FROM t WHERE id % (2 * 50) = 7": "IndexLookup: t(id % 100) (7)",
    "SELECT id FROM t WHERE trim(name) = 'n5' COLLATE NOCASE": "IndexLookup: t(trim(name) COLLATE NOCASE) ('n5')",
    # What does not say the same finds no index.
    "SELECT id FROM t WHERE lower(name) > 'n5'": "Scan: t",
    "SELECT id FROM t WHERE upper(name) = 'N5'": "Scan: t",
    "SELECT id FROM t WHERE lower(name) = 'n5' COLLATE NOCASE": "Scan: t",
    "SELECT id FROM t WHERE a + b = 3": "Scan: t",
    "SELECT id FROM t WHERE b + a = 3 AND a = 1": "Scan: t, pages with a = 1",
    "SELECT id FROM t WHERE name = 'N5'": "Scan: t, pages with name = 'N5'",
    "SELECT id FROM t WHERE name = 'N5' AND gone = 1": "Scan: t, pages with name = 'N5' and gone = 1",
    "SELECT id FROM t WHERE c IS NULL": "Scan: t",
    "SELECT id FROM t WHERE lower(name) = lower(doc)": "Scan: t",
    "SELECT id FROM t WHERE lower(name) = 'n5' OR a = 1": "Scan: t",
}
"""Queries, and how they come by their rows."""

SCHEMA = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, a INTEGER, b INTEGER, c INTEGER, doc TEXT, gone INTEGER);
    CREATE INDEX t1 ON t (lower(name));
    CREATE INDEX t2 ON t (a + b, a);
    CREATE INDEX t3 ON t (doc->>'$.k');
    CREATE UNIQUE INDEX t4 ON t (name) WHERE gone = 0;
    CREATE INDEX t5 ON t (c) WHERE c IS NOT NULL;
    CREATE INDEX t6 ON t (id % 100);
    CREATE INDEX t7 ON t (trim(name) COLLATE NOCASE);
"""
ROWS = [
    (i, f"N{i % 90}" if i % 9 else None, i % 7, i % 11, i % 5 or None, f'{{"k": {i % 100}}}', int(i >= 90))
    for i in range(300)
]


def filled(connection: Any) -> Any:
    connection.executescript(SCHEMA)
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", ROWS)
    return connection


@pytest.mark.parametrize(("sql", "leaf"), QUERIES.items())
def test_conditions_written_alike_use_an_index(sql: str, leaf: str) -> None:
    with filled(discosql.connect(":memory:", isolation_level=None)) as db:
        assert leaf in "\n".join(line for (line,) in db.execute(f"EXPLAIN {sql}"))
        assert sorted(db.execute(sql)) == sorted(filled(oracle()).execute(sql))


def test_they_have_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, pad TEXT)")
        db.execute("CREATE INDEX by_lower ON t (lower(name))")
        db.execute("CREATE UNIQUE INDEX of_some ON t (name) WHERE id < 50000")
        rows = ((i, f"Name{i}", "x" * 50) for i in range(60_000))
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        db.execute("VACUUM")
    with discosql.connect(path, isolation_level=None) as db:
        assert {"t_by_lower", "t_of_some"} <= {channel.name.strip("_") for channel in db.channels()}
        before = db.requests.copy()
        assert db.execute("SELECT id FROM t WHERE lower(name) = 'name777'").fetchall() == [(777,)]
        assert db.requests.since(before).count.total() <= 4
        before = db.requests.copy()
        with pytest.raises(discosql.IntegrityError):
            db.execute("INSERT INTO t VALUES (40001000, 'Name778', NULL), (-1, 'Name779', NULL)")
        assert db.requests.since(before).count.total() <= 4
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.execute("UPDATE t SET name = 'other' WHERE lower(name) = 'name777'")
        assert db.execute("SELECT id FROM t WHERE lower(name) IN ('other', 'name777')").fetchall() == [(777,)]


def test_functions_of_a_connection(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as db:
        db.create_function("half", 1, lambda value: value // 2, deterministic=True)
        db.execute("CREATE TABLE t (a INTEGER, b TEXT)")
        db.execute("CREATE UNIQUE INDEX halves ON t (half(a))")
        db.execute("CREATE INDEX lowered ON t (lower(b))")
        db.execute("INSERT INTO t VALUES (2, 'X'), (4, 'Y')")
        with pytest.raises(discosql.IntegrityError):
            db.execute("INSERT INTO t VALUES (3, 'Z')")
        assert db.execute("SELECT a FROM t WHERE half(a) = 2").fetchall() == [(4,)]
        # One that hides a function of an index keeps its queries from using it, and leaves the index as it is.
        db.create_function("lower", 1, lambda value: "l", deterministic=True)
        assert db.execute("SELECT a FROM t WHERE lower(b) = 'l' ORDER BY a").fetchall() == [(2,), (4,)]
        db.execute("INSERT INTO t VALUES (8, 'Z')")
    with discosql.connect(path, isolation_level=None) as db:
        assert db.execute("SELECT a FROM t WHERE lower(b) = 'z'").fetchall() == [(8,)]
        assert db.execute("SELECT a FROM t WHERE lower(b) = 'l'").fetchall() == []
        with pytest.raises(discosql.ProgrammingError, match="no such function: half"):
            db.execute("INSERT INTO t VALUES (100, 'W')")


def test_a_row_without_a_key_is_refused() -> None:
    with discosql.connect(":memory:", isolation_level=None) as db:
        db.executescript("CREATE TABLE t (a TEXT); CREATE INDEX i ON t (json_extract(a, '$.k'))")
        with pytest.raises(discosql.OperationalError, match="malformed JSON"):
            db.execute("""INSERT INTO t VALUES ('{"k": 1}'), ('{')""")
        assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)
        db.executescript("DROP INDEX i; INSERT INTO t VALUES ('{')")
        with pytest.raises(discosql.OperationalError, match="malformed JSON"):
            db.execute("CREATE INDEX i ON t (json_extract(a, '$.k'))")
        assert db.execute("PRAGMA index_list(t)").fetchall() == []
