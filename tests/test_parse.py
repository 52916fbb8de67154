"""SQL text to tokens, statements and trees: what is accepted, what is refused and how, with SQLite as the oracle."""

import random
import sqlite3
import time
from pathlib import Path

import pytest
from pysqlite3 import dbapi2
from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError, SqlSyntaxError
from discosql.planner.grammar.syntax import InsertStatement, Nothing, QueryStatement
from discosql.planner.parse import (
    bind_parameters,
    is_complete,
    is_double_quoted,
    output_name,
    parse,
    parse_expression,
    split,
)
from discosql.planner.tokens import tokenize

# One statement a line. `valid` is what SQLite's grammar takes, `invalid` what it does not, over the tables of `schema`.
CORPUS = Path(__file__).parent / "parse_corpus"
SCHEMA, VALID, INVALID = ((CORPUS / f"{name}.sql").read_text().splitlines() for name in ("schema", "valid", "invalid"))


class AnyParameter(dict[str, int]):
    """Gives every name a value."""

    def __missing__(self, _key: str) -> int:
        return 1


def oracle_error(sql: str) -> tuple[str, bool]:
    """Return SQLite's message for a statement, and whether it is one of the grammar."""
    connection = dbapi2.connect(":memory:", isolation_level=None)
    for statement in SCHEMA:
        connection.execute(statement)
    try:
        connection.execute(sql, AnyParameter())
    except (dbapi2.Error, dbapi2.Warning) as error:
        text = str(error)
        parts = ("syntax error", "incomplete input", "unrecognized token", "one statement at a time")
        return text, any(part in text for part in parts)
    return "", False


def parse_error(sql: str) -> Exception | None:
    try:
        parse(sql)
    except ProgrammingError as error:
        return error
    return None


def tree_of(sql: str) -> exp.Expr:
    syntax = parse(sql).syntax
    assert isinstance(syntax, QueryStatement)
    return syntax.tree


# Accepted and refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", VALID)
def test_what_sqlite_takes_is_taken(sql: str) -> None:
    assert not oracle_error(sql)[1]
    assert parse_error(sql) is None


# Where both refuse, but LALR and recursive descent notice it at different tokens.
NOTICED_LATER = {"SELECT a BETWEEN 1 OR 2", "CREATE TABLE n (a INT) ENGINE = InnoDB"}


@pytest.mark.parametrize("sql", INVALID)
def test_what_sqlite_refuses_is_refused_with_its_message(sql: str) -> None:
    message, is_syntax = oracle_error(sql)
    error = parse_error(sql)
    if is_syntax:
        assert error is not None
        assert str(error) == message or sql in NOTICED_LATER
    else:
        # SQLite reads it whole and finds a fault of another kind, which may be the planner's to find.
        assert message and not isinstance(error, SqlSyntaxError)


# Found by mutation: faults of another kind that SQLite meets before it gets to the syntax error.
EARLIER_FAULTS = ("already exists", "duplicate column", "no such", "assigned", "must have", "more than one primary key")


@pytest.mark.parametrize("seed", range(3))
def test_changed_statements_are_taken_and_refused_as_in_sqlite(seed: int) -> None:
    chance = random.Random(seed)
    texts = [[token.text for token in tokenize(sql) if token.text] for sql in VALID if "/*" not in sql]
    words = sorted({word for text in texts for word in text})
    for _ in range(250):
        text = list(chance.choice(texts))
        place = chance.randrange(len(text))
        change = chance.randrange(4)
        if change == 0:
            del text[place]
        elif change == 1:
            text.insert(place, chance.choice(words))
        elif change == 2:
            text[place] = chance.choice(words)
        else:
            other = chance.randrange(len(text))
            text[place], text[other] = text[other], text[place]
        _check_same_verdict(" ".join(text))


def _check_same_verdict(sql: str) -> None:
    message, is_syntax = oracle_error(sql)
    try:
        error = parse_error(sql)
    except NotSupportedError:
        return
    if is_syntax:
        assert error is not None, (sql, message)
    elif not message:
        assert error is None, (sql, error)
    elif isinstance(error, SqlSyntaxError):
        assert any(fault in message for fault in EARLIER_FAULTS), (sql, message, error)


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("CREATE VIRTUAL TABLE x USING fts5(a)", "VIRTUAL TABLE"),
        ("ATTACH 'x' AS y", "ATTACH"),
        ("DETACH y", "DETACH"),
        ("VACUUM INTO 'x'", "VACUUM INTO"),
        ("DELETE FROM t ORDER BY a LIMIT 1", "ORDER BY and LIMIT"),
        ("UPDATE t SET a = 1 LIMIT 1", "ORDER BY and LIMIT"),
        ("ALTER TABLE t ADD CONSTRAINT x CHECK (a > 1)", "ADD CONSTRAINT"),
        ("SELECT 1 IN json_each('[1]')", "IN with a table-valued function"),
    ],
)
def test_what_discosql_does_not_have_is_named(sql: str, name: str) -> None:
    with pytest.raises(NotSupportedError, match=name):
        parse(sql)


def test_several_statements_are_refused() -> None:
    with pytest.raises(ProgrammingError, match="You can only execute one statement at a time"):
        parse("SELECT 1; SELECT 2")


@pytest.mark.parametrize("sql", ["", " ", ";", "-- nothing", "/* nothing */", " ;; "])
def test_a_blank_text_is_a_statement_that_does_nothing(sql: str) -> None:
    assert isinstance(parse(sql).syntax, Nothing)


def test_a_syntax_error_tells_its_place() -> None:
    with pytest.raises(SqlSyntaxError) as caught:
        parse("SELECT a\nFROM t\nWHERE x ==== 1")
    assert (caught.value.line, caught.value.column) == (3, 11)
    assert caught.value.sql[caught.value.offset :] == "== 1"


# Trees --------------------------------------------------------------------------------------------------------------


def names_of(sql: str) -> list[str]:
    return [item.alias if isinstance(item, exp.Alias) else output_name(item) for item in tree_of(sql).selects]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1+1, 1 + 1 /* c */ , 'a' , (2), count ( * ), -1, x'00', NULL, 1 AS one, 2 two",
        "SELECT (SELECT 1 + 1), (SELECT a FROM (SELECT 5 AS a)), CASE WHEN 1 THEN 2 END, 1 IN (1,2), max(1, 2) ",
        "SELECT DISTINCT upper('x') || 'y' UNION SELECT 2",
        'SELECT 1\n+\n2, "text", CAST(1 AS TEXT), current_date IS NULL, 1 -- end\n',
    ],
)
def test_result_columns_are_named_as_in_sqlite(sql: str) -> None:
    expected = [column[0] for column in dbapi2.connect(":memory:").execute(sql).description]
    assert names_of(sql) == expected


def test_result_columns_of_nested_queries_have_their_own_names() -> None:
    outer = tree_of("SELECT x+1 FROM (SELECT y * 2, max(z) FROM t WHERE (SELECT a - b FROM u)) WHERE 1")
    texts = [output_name(item) for select in outer.find_all(exp.Select) for item in select.selects]
    assert texts == ["x+1", "y * 2", "max(z)", "a - b"]


def test_every_call_is_anonymous() -> None:
    tree = tree_of(
        "SELECT count(*), IFNULL(a, b), date('now'), sum(DISTINCT c) FILTER (WHERE d), iif(1, 2, 3), log(2, 8)"
    )
    assert not list(tree.find_all(exp.Coalesce, exp.Count, exp.Sum, exp.Date, exp.If, exp.Log))
    names = {call.name for call in tree.find_all(exp.Anonymous)}
    assert names == {"count", "IFNULL", "date", "sum", "iif", "log"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_000", "1000"),
        ("0xFF", "255"),
        ("0xffffffffffffffff", "-1"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9.223372036854776e+18"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("00012", "12"),
        ("1e3", "1e3"),
        (".5", ".5"),
    ],
)
def test_numbers_are_written_as_python_reads_them(text: str, value: str) -> None:
    tree = parse_expression(text)
    assert isinstance(tree, exp.Literal)
    assert tree.this == value
    assert dbapi2.connect(":memory:").execute(f"SELECT {text}").fetchone()[0] == (
        float(value) if set(value) & set(".e") else int(value)
    )


def test_a_hex_number_of_more_than_64_bits_is_refused() -> None:
    with pytest.raises(ProgrammingError, match="hex literal too big: 0x10000000000000000"):
        parse("SELECT 0x10000000000000000")


def test_only_double_quoted_names_may_stand_for_texts() -> None:
    columns = list(tree_of('SELECT "a", [b], `c`, d').find_all(exp.Column))
    assert [is_double_quoted(column.this) for column in columns] == [True, False, False, False]
    assert [column.name for column in columns] == ["a", "b", "c", "d"]


def test_names_that_sqlglot_knows_are_only_names() -> None:
    words = (
        *("interval", "date", "timestamp", "array", "struct", "map", "pivot", "qualify", "top", "lateral", "unnest"),
        *("filter", "over", "percent", "final", "any", "case_", "semi", "anti", "asof", "position"),
    )
    tree = tree_of(f"SELECT {', '.join(f'{word}.{word}' for word in words)} FROM {', '.join(words)}")
    assert tuple(column.name for column in tree.selects) == words
    assert {table.name for table in tree.find_all(exp.Table)} == set(words)


# Parameters ---------------------------------------------------------------------------------------------------------

PARAMETERS = [
    "SELECT ?, ?",
    "SELECT ?2, ?1, ?",
    "SELECT ?5",
    "SELECT :a, :b, :a",
    "SELECT @a, $a, :a",
    "SELECT ?, :a, ?, :a",
    "SELECT ?1, :a, ?1, ?",
    "SELECT 1 WHERE ? = 1 OR 2 = ? LIMIT ?",
    "WITH c AS (SELECT ? AS x) SELECT x, ? FROM c WHERE x IN (?, ?) ORDER BY ? LIMIT ?",
    "SELECT '?', x AS \"?\", x AS [?], x AS `?`, ? -- ?\n, ? /* ? */ FROM (SELECT 5 AS x)",
    f"SELECT 1 IN ({','.join('?' * 100)})",
    f"VALUES {','.join(['(?, ?, :x)'] * 40)}",
]


def number_of_parameters(sql: str) -> int:
    """Ask SQLite, by its complaint, how many values a statement takes."""
    connection = dbapi2.connect(":memory:")
    for count in range(200):
        try:
            connection.execute(sql, (1,) * count)
        except dbapi2.ProgrammingError:
            continue
        return count
    raise AssertionError(sql)


@pytest.mark.parametrize("sql", PARAMETERS)
def test_parameters_are_counted_as_in_sqlite(sql: str) -> None:
    assert len(parse(sql).parameters.names) == number_of_parameters(sql)


@pytest.mark.parametrize("sql", [sql for sql in PARAMETERS if sql.startswith("SELECT ") and "WHERE" not in sql])
def test_parameters_stand_where_they_were_written(sql: str) -> None:
    parsed = parse(sql)
    assert isinstance(parsed.syntax, QueryStatement)
    places = {node.meta.get("start"): node for node in parsed.syntax.tree.find_all(exp.Placeholder)}
    assert places
    values = tuple(range(10, 10 + len(parsed.parameters.names)))
    expected = dbapi2.connect(":memory:").execute(sql, values).fetchone()
    bound = [
        values[parsed.parameters.parameter_of(item).index]
        for item in parsed.syntax.tree.selects
        if isinstance(item, exp.Placeholder)
    ]
    assert bound == [value for value in expected if isinstance(value, int) and value >= 10]


def test_parameters_are_bound_by_place_or_by_name() -> None:
    assert bind_parameters((None, "a"), (1, 2)) == (1, 2)
    assert bind_parameters(("b", "a"), {"a": 1, "b": 2, "c": 3}) == (2, 1)
    assert bind_parameters((), {}) == ()


@pytest.mark.parametrize(
    ("sql", "given"),
    [
        ("SELECT ?, ?", (1,)),
        ("SELECT ?", (1, 2)),
        ("SELECT 1", (1,)),
        ("SELECT ?", ()),
        ("SELECT ?", {"a": 1}),
        ("SELECT :a, :b", {"a": 1}),
    ],
)
def test_wrong_parameters_are_refused_with_sqlite3s_words(sql: str, given: object) -> None:
    with pytest.raises(sqlite3.ProgrammingError) as expected:
        sqlite3.connect(":memory:").execute(sql, given)  # type: ignore[arg-type]
    with pytest.raises(ProgrammingError) as caught:
        bind_parameters(parse(sql).parameters.names, given)  # type: ignore[arg-type]
    assert str(caught.value) == str(expected.value)


def test_a_parameter_number_out_of_range_is_refused() -> None:
    for sql in ("SELECT ?0", "SELECT ?99999"):
        with pytest.raises(ProgrammingError, match="variable number must be between"):
            parse(sql)


# Scripts ------------------------------------------------------------------------------------------------------------


def test_a_script_is_split_at_semicolons_that_end_a_statement() -> None:
    script = "SELECT ';' ; -- a; b\nSELECT \"a;b\", [;], `;` /* ; */;;\n CREATE TRIGGER x BEGIN SELECT 1; END; SELECT 2"
    assert list(split(script)) == [
        "SELECT ';' ;",
        '-- a; b\nSELECT "a;b", [;], `;` /* ; */;',
        "CREATE TRIGGER x BEGIN SELECT 1; END;",
        "SELECT 2",
    ]


def test_the_statements_before_a_broken_one_come_first() -> None:
    assert list(split("SELECT 1; SELECT 'open; SELECT 2;")) == ["SELECT 1;", "SELECT 'open; SELECT 2;"]


@pytest.mark.parametrize(
    "sql",
    [
        *(
            "",
            ";",
            "SELECT 1",
            "SELECT 1;",
            "SELECT 1; ",
            "SELECT 1; -- x",
            "SELECT ';",
            "SELECT ';';",
            "SELECT 1; SELECT",
        ),
        *("SELECT 1; /* open", "SELECT 1; /* a;b */", "SELECT 1 /* ; */", "CREATE TABLE t (a);", '"a;', "[a;", "`a;`;"),
        *("CREATE TRIGGER x BEGIN SELECT 1;", "CREATE TRIGGER x BEGIN SELECT 1; END;", "EXPLAIN CREATE TRIGGER x; y;"),
    ],
)
def test_a_text_is_complete_where_sqlite_says_so(sql: str) -> None:
    assert is_complete(sql) == sqlite3.complete_statement(sql)


# Size ---------------------------------------------------------------------------------------------------------------

LARGE = {
    "parentheses": f"SELECT {'(' * 1000}1{')' * 1000}",
    "parentheses around a query": f"SELECT {'(' * 1000}SELECT 1{')' * 1000}",
    "union": "SELECT 1" + " UNION SELECT 2" * 499,
    "and": "SELECT 1 WHERE " + " AND ".join(["a = 1"] * 1000),
    "concatenation": "SELECT " + " || ".join(["a"] * 900),
    "in": f"SELECT 1 WHERE a IN ({','.join(map(str, range(100_000)))})",
    "in, mixed": f"SELECT 1 WHERE a IN ({','.join(['-1', 'NULL', chr(39) + 'x' + chr(39), '?'] * 5_000)})",
    "values": f"INSERT INTO t VALUES {','.join(['(-1, NULL, 2.5)'] * 10_000)}",
    "nested calls": f"SELECT {'f(' * 60}1{')' * 60}",
    "nested sums": f"SELECT {'1 + (' * 60}1{')' * 60}",
    "long text": f"SELECT '{'x' * 1_000_000}'",
    "whens": f"SELECT CASE {'WHEN a THEN 1 ' * 1000} END",
}


@pytest.mark.parametrize("sql", LARGE.values(), ids=LARGE)
def test_large_statements_parse_in_seconds(sql: str) -> None:
    started = time.perf_counter()
    parse(sql)
    assert time.perf_counter() - started < 10


def test_nesting_beyond_all_measure_is_a_clear_error() -> None:
    for piece, end in (
        ("f(", ")"),
        ("1 + (", ")"),
        ("CASE WHEN 1 THEN ", " END"),
        ("NOT ", ""),
        ("- ", ""),
        ("(SELECT ", ")"),
    ):
        with pytest.raises(ProgrammingError, match="nested too deeply"):
            parse(f"SELECT {piece * 13_000}1{end * 13_000}")


def test_long_lists_are_the_trees_that_short_ones_are() -> None:
    items = "1, -2, 'x', NULL, x'00', 1.5"
    short = tree_of(f"SELECT a IN ({items})").find(exp.In)
    long = tree_of(f"SELECT a IN ({', '.join([items] * 20)})").find(exp.In)
    assert short is not None and long is not None
    assert long.expressions == short.expressions * 20


def test_rows_of_literals_are_the_trees_that_other_rows_are() -> None:
    plain, other = parse("INSERT INTO t VALUES (1, 'a'), (2, NULL)"), parse("INSERT INTO t VALUES (1, 'a'), (2, f())")
    assert isinstance(plain.syntax, InsertStatement) and isinstance(other.syntax, InsertStatement)
    assert plain.syntax.source is not None and other.syntax.source is not None
    assert plain.syntax.source.expressions[0] == other.syntax.source.expressions[0]
