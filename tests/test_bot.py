"""Slash commands, used by an administrator on a simulated Discord."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import discord
import pytest
import simcord.interactions
from bot_world import World, bot_world

from discosql import CommandAccess
from discosql.bot.text import MAX_DESCRIPTION, MAX_TITLE


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with bot_world() as made:
        yield made


async def test_looking(world: World) -> None:
    answer = await world.ask("schema table", name="user")
    assert "name    TEXT          no" in answer
    assert "2 columns, 1 index" in answer
    assert "Ada" in await world.ask("table", name="USER")
    answer = await world.ask("column", table="user", name="age")
    assert "36" in answer
    assert "Ada" not in answer
    assert "user      2" in await world.ask("tablestats")
    found = await world.ask("find", table="user", column="age", value="36")
    assert "Ada" in found
    assert "Bob" not in found
    assert "0 rows" in await world.ask("find", table="user", column="name", value="Zoe")


async def test_an_empty_database_has_answers_too(world: World) -> None:
    await world.database.sql("DROP TABLE user")
    assert "no tables" in await world.ask("tablestats")
    assert "no such table: user" in await world.ask("table", name="user")


async def test_views_are_shown_and_suggested(world: World) -> None:
    await world.database.sql("CREATE VIEW Usual AS SELECT name AS who FROM user")
    assert "who\n---\nAda" in await world.ask("table", name="usual")
    assert [choice["value"] for choice in await world.admin.autocomplete(world.channel, "table", "name", "us")] == [
        "user",
        "Usual",
    ]
    assert "no such table" in await world.ask("insert", table="usual", record='{"who": "x"}')


async def test_long_values_are_cut_and_exported_whole(world: World) -> None:
    query = "SELECT hex(zeroblob(200000)) AS text, zeroblob(300000) AS bytes, 12345678901234 AS number, NULL AS empty"
    answer = await world.ask("sql", statement=query)
    assert "0" * 199 + "…" in answer
    assert "x'" + "0" * 197 + "…" in answer
    assert "12345678901234" in answer
    _, data = world.file(await world.message("export", query=query))
    assert len(data) > 1_000_000


async def test_changing(world: World) -> None:
    assert "1 row changed" in await world.ask("insert", table="user", record='{"name": "Cy", "age": 5}')
    assert "1 row changed" in await world.ask("update", table="user", column="name", current="Cy", new="Di")
    assert [(user.name, user.age) for user in await world.users.find(name="Di")] == [("Di", 5)]
    assert "1 row changed" in await world.ask("delete", table="user", record='{"name": "Di", "age": 5}')
    assert "1 row changed" in await world.ask("delete", table="user", record='{"age": null}')
    assert "0 rows changed" in await world.ask("delete", table="user", record='{"age": 99}')
    assert await world.users.count() == 1


@pytest.mark.parametrize(
    ("kind", "first", "second", "stored"),
    [
        ("INTEGER", "7", "8", 8),
        ("REAL", "0.5", "-2", -2.0),
        ("TEXT", "it's", '"', '"'),
        ("BLOB", "01ff", "x'02'", b"\x02"),
        ("BOOLEAN", "true", "0", False),
        ("DATE", "2024-02-29", "2024-03-01", date(2024, 3, 1)),
        ("DECIMAL", "2.50", "0.1", Decimal("0.1")),
        ("ANY", "x", "y", "y"),
    ],
)
async def test_values_of_every_type_are_found_and_replaced(
    world: World, kind: str, first: str, second: str, stored: Any
) -> None:
    await world.database.sql(f"CREATE TABLE thing (id INTEGER PRIMARY KEY, value {kind})")
    await world.ask("insert", table="thing", record=json.dumps({"value": first}))
    assert "1 row" in await world.ask("find", table="thing", column="value", value=first)
    changed = await world.ask("update", table="thing", column="value", current=first, new=second)
    assert "1 row changed" in changed
    assert (await world.database.sql("SELECT value FROM thing"))[0][0] == stored
    assert "1 row changed" in await world.ask("delete", table="thing", record=json.dumps({"value": second}))


async def test_looking_a_value_up_uses_the_index(world: World) -> None:
    seen: list[str] = []
    make = world.database.new_connection

    def traced(**options: Any) -> Any:
        connection = make(**options)
        connection.set_trace_callback(seen.append)
        return connection

    world.database.new_connection = traced  # type: ignore[method-assign]
    await world.ask("find", table="user", column="name", value="Ada")
    plan = await world.database.sql(f"EXPLAIN {seen[-1]}")
    assert "IndexLookup: user.name" in "\n".join(row[0] for row in plan)


async def test_sql_and_explain(world: World) -> None:
    assert "72" in await world.ask("sql", statement="SELECT age * 2 FROM user WHERE name = 'Ada'")
    assert "IndexLookup: user.name" in await world.ask("explain", statement="SELECT * FROM user WHERE name = 'Ada'")
    assert "requests: " in await world.ask("explain", statement="ANALYZE SELECT * FROM user")
    assert "1 row changed" in await world.ask("sql", statement="DELETE FROM user WHERE name = 'Bob'")
    assert "Cy" in await world.ask("sql", statement="INSERT INTO user (name) VALUES ('Cy') RETURNING name")
    assert "done" in await world.ask("sql", statement="CREATE TABLE thing (a)")
    assert await world.users.count() == 2


async def test_transactions_do_not_outlive_their_command(world: World) -> None:
    assert "transaction of its own" in await world.ask("sql", statement="BEGIN")
    assert "transaction of its own" in await world.ask("sql", statement="SAVEPOINT s")
    await world.users(name="Cy").save()
    assert not world.database.connection.in_transaction
    assert "no transaction is active" in await world.ask("sql", statement="COMMIT")


async def test_files(world: World) -> None:
    answer = await world.message("export", query="SELECT * FROM user ORDER BY name", format="csv")
    assert (answer.content, answer.ephemeral) == ("2 rows", True)
    name, data = world.file(answer)
    assert name == "result.csv"
    assert list(csv.reader(io.StringIO(data.decode()))) == [["name", "age"], ["Ada", "36"], ["Bob", ""]]
    answer = await world.message("export", query="SELECT * FROM user WHERE age > 1", format="json")
    assert json.loads(world.file(answer)[1]) == [{"name": "Ada", "age": 36}]
    assert world.file(await world.message("export", query="SELECT name FROM user WHERE 0"))[1] == b"name\n"
    assert "returns no rows" in await world.ask("export", query="DELETE FROM user")
    assert await world.users.count() == 2


async def test_files_that_the_server_would_not_take(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = simcord.interactions.base_payload

    def small(*arguments: Any, **options: Any) -> Any:
        record, payload = made(*arguments, **options)
        return record, {**payload, "attachment_size_limit": 1000}

    monkeypatch.setattr(simcord.interactions, "base_payload", small)
    said = await world.ask("export", query="SELECT zeroblob(600)")
    assert "takes files of 1,000" in said
    assert "LIMIT" in said
    assert world.file(await world.message("export", query="SELECT zeroblob(300)"))[1].startswith(b"zeroblob(300)\nx'0")


async def test_errors_are_told(world: World) -> None:
    for command, options, said in (
        ("table", {"name": "nothing"}, "no such table: nothing"),
        ("column", {"table": "user", "name": "x"}, "has no column x"),
        ("find", {"table": "user", "column": "x", "value": "1"}, "has no column x"),
        ("insert", {"table": "user", "record": "{"}, "no JSON"),
        ("insert", {"table": "user", "record": "[" * 100_000}, "no JSON"),
        ("insert", {"table": "user", "record": "[]"}, "JSON object"),
        ("insert", {"table": "user", "record": '{"nick": "A"}'}, "has no column nick"),
        ("insert", {"table": "user", "record": '{"name": "Ada"}'}, "UNIQUE constraint failed"),
        ("insert", {"table": "user", "record": '{"name": "Eve", "age": "old"}'}, "cannot store TEXT value in INTEGER"),
        ("sql", {"statement": "SELEC"}, "syntax error"),
        ("sql", {"statement": "SELECT 1; DELETE FROM user"}, "one statement at a time"),
        ("chart", {"query": "SELECT name, name FROM user"}, "needs numbers"),
        ("chart", {"query": "SELECT 1, 2 WHERE 0"}, "no rows"),
    ):
        answer = await world.ask(command, **options)
        assert said in answer, command
        assert "Traceback" not in answer
        assert "discosql." not in answer


async def test_faults_of_the_program_are_logged_and_not_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise ValueError("secret detail")

    monkeypatch.setattr(world.database, "new_connection", broken)
    answer = await world.ask("column", table="user", name="age")
    assert "Something went wrong" in answer
    assert "secret detail" not in answer
    assert "secret detail" in str(world.env.errors[-1])


async def test_a_database_that_is_closed_says_so(world: World) -> None:
    await world.database.close()
    assert "not connected" in await world.ask("table", name="user")
    assert await world.admin.autocomplete(world.channel, "table", "name", "") == []


async def test_slow_statements_are_stopped() -> None:
    # Time stands still on the simulated Discord, so the moment to stop at must have passed before.
    async with bot_world(CommandAccess(timeout=-1)) as world:
        endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
        for command, options in (("sql", {"statement": endless}), ("export", {"query": endless})):
            assert "longer than its timeout" in await world.ask(command, **options)
        assert await world.users.count() == 2


async def test_answers_that_take_time_are_announced(world: World) -> None:
    for command, options in (
        ("table", {"name": "user"}),
        ("tablestats", {}),
        ("sql", {"statement": "SELECT 1"}),
        ("explain", {"statement": "SELECT 1"}),
        ("export", {"query": "SELECT 1"}),
        ("chart", {"query": "SELECT 'a', 1"}),
        ("insert", {"table": "user", "record": '{"name": "Eve"}'}),
    ):
        before = len(world.env.http_requests)
        await world.ask(command, **options)
        told = [request.json for request in world.env.http_requests[before:] if request.path.endswith("/callback")]
        assert told == [{"type": 5, "data": {"flags": 64}}], command


async def test_long_titles_and_many_rows_stay_within_discords_limits(world: World) -> None:
    await world.users.save_all(
        [world.users(name=f"user {number:04} `@everyone` " + "x" * 300) for number in range(1100)]
    )
    message = await world.message("sql", statement="SELECT *" + " " * 3000 + "FROM user")
    embed = discord.Embed.from_dict(message.embeds[0].to_dict())
    assert embed.title is not None and len(embed.title) <= MAX_TITLE
    assert embed.description is not None and len(embed.description) <= MAX_DESCRIPTION
    assert len(embed) <= 6000
    assert "1,102 rows, of which the first 1,000 are shown" in shown_footer(embed)


def shown_footer(embed: discord.Embed) -> str:
    return embed.footer.text or ""


async def test_tables_and_columns_are_suggested(world: World) -> None:
    async def suggested(command: str, option: str, typed: str, **given: str) -> list[str]:
        return [
            choice["value"] for choice in await world.admin.autocomplete(world.channel, command, option, typed, **given)
        ]

    await world.database.sql("CREATE TABLE use (a)")
    await world.database.sql(f'CREATE TABLE "{"long" * 30}" (a)')
    assert await suggested("table", "name", "us") == ["use", "user"]
    assert await suggested("schema table", "name", "SER") == ["user"]
    for command in ("insert", "delete"):
        assert await suggested(command, "table", "") == ["use", "user"]
    for command, option in (("column", "name"), ("find", "column"), ("update", "column")):
        assert await suggested(command, option, "a", table="User") == ["age", "name"]
        assert await suggested(command, option, "", table="nothing") == []
    for number in range(30):
        await world.database.sql(f"CREATE TABLE t{number} (a)")
    assert len(await suggested("table", "name", "")) == 25


async def test_reset_erases_after_a_yes(world: World) -> None:
    result = await world.admin.slash(world.channel, "reset")
    assert result.response is not None
    assert "for ever" in result.response.content
    pressed = await world.admin.click(result.response, label="Erase everything")
    assert pressed.acknowledged
    await world.env.settle()
    for _ in range(20):
        await asyncio.sleep(0)
    assert await world.users.count() == 0
    assert result.response.content == "The database is empty now."
    assert result.response.components == []
    await world.users(name="Cy").save()
    assert "Cy" in await world.ask("table", name="user")


async def test_reset_does_nothing_after_a_no(world: World) -> None:
    result = await world.admin.slash(world.channel, "reset")
    assert result.response is not None
    await world.admin.click(result.response, label="No")
    assert await world.users.count() == 2
    assert result.response.content == "Nothing was changed."


async def test_reset_does_nothing_without_an_answer(world: World) -> None:
    result = await world.admin.slash(world.channel, "reset")
    assert result.response is not None
    await world.env.advance_time(61)
    assert await world.users.count() == 2
    assert "no answer in time" in result.response.content
    assert result.response.components == []


async def test_no_message_pings_anybody(world: World) -> None:
    await world.users.save_all([world.users(name=f"@everyone <@{world.member.id}> {number}") for number in range(60)])
    before = len(world.env.http_requests)
    pages = await world.message("table", name="user")
    await world.admin.click(pages, label="Next")
    for command, options in (
        ("find", {"table": "user", "column": "name", "value": "@everyone"}),
        ("export", {"query": "SELECT name FROM user"}),
        ("chart", {"query": "SELECT name, 1 FROM user", "title": "@everyone"}),
        ("sql", {"statement": "SELECT '@everyone' FROM nowhere"}),
        ("table", {"name": "@everyone"}),
    ):
        await world.message(command, **options)
    asked = (await world.admin.slash(world.channel, "reset")).response
    assert asked is not None
    await world.admin.click(asked, label="No")
    sent = [
        body
        for request in world.env.http_requests[before:]
        if request.path.startswith(("/interactions", "/webhooks")) and isinstance(request.json, dict)
        for body in [request.json.get("data", request.json)]
        if body.get("content") or body.get("embeds")
    ]
    assert len(sent) >= 9
    assert all(body["allowed_mentions"] == {"parse": []} for body in sent)
