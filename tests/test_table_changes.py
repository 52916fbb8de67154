"""A class that changed since its table was stored, and what becomes of tasks that nobody awaited."""

import asyncio
import itertools
from typing import Any

import pytest
from databases import World
from loguru import logger

import discosql
from discosql import Database, Field, Table


async def rebuilt(db: Database, annotations: dict[str, Any], **values: Any) -> Any:
    """Attach a class User in place of the one before, and build it."""
    db.tables.pop("user", None)
    table = db.table(type("User", (Table,), {"__annotations__": annotations, "__module__": __name__, **values}))
    await db.build_tables()
    return table


async def test_a_gained_field_has_its_default_in_stored_rows(db: Database) -> None:
    user = await rebuilt(db, {"name": str})
    await user.save_all([user(name="Ada"), user(name="Bob")])
    numbers = itertools.count(7)
    user = await rebuilt(
        db,
        {"name": str, "age": int, "nick": str | None, "tags": list[str], "number": int, "maybe": int},
        age=18,
        tags=Field(default_factory=list),
        number=Field(default_factory=lambda: next(numbers), unique=True),
        nick=Field(default=None, unique=True),
        maybe=Field(default=None, index=True),
    )
    rows = [{"name": name, "age": 18, "nick": None, "tags": [], "maybe": None} for name in ("Ada", "Bob")]
    assert [row.model_dump(exclude={"number"}) for row in await user.find()] == rows
    assert [row.number for row in await user.find()] == [7, 8]
    with pytest.raises(discosql.IntegrityError, match=r"user\.number"):
        await user(name="Cy", number=8).save()
    assert "IndexLookup" in str(await db.sql("EXPLAIN SELECT * FROM user WHERE maybe = 1"))


async def test_a_renamed_field_keeps_its_values(db: Database) -> None:
    user = await rebuilt(db, {"name": str, "age": int})
    await user(name="Ada", age=36).save()
    renamed = {"nick": Field(renamed_from="name")}
    for _ in range(2):  # the note may stay where it is
        user = await rebuilt(db, {"nick": str, "age": int}, **renamed)
        assert [row.model_dump() for row in await user.find(nick="Ada")] == [{"nick": "Ada", "age": 36}]


async def test_what_does_not_fit_is_told_all_at_once_and_nothing_is_changed(db: Database) -> None:
    user = await rebuilt(db, {"name": str, "age": int, "old": int}, old=0)
    await user(name="Ada", age=36).save()
    before = await db.sql("SELECT sql FROM sqlite_master")
    with pytest.raises(discosql.DatabaseTableError) as raised:
        await rebuilt(db, {"name": str | None, "age": str, "new": int}, new=0)
    message = str(raised.value)
    assert 'column old has no field any more (renamed: give the new field Field(renamed_from="old")' in message.replace(
        "'old'", '"old"'
    )
    assert 'ALTER TABLE "user" DROP COLUMN "old"' in message
    assert "field age is now TEXT, but was stored as INTEGER" in message
    assert "field name may now be None, but its column is NOT NULL" in message
    assert await db.sql("SELECT sql FROM sqlite_master") == before
    # What the message says can be done, and helps.
    await db.sql('ALTER TABLE "user" DROP COLUMN "old"')
    user = await rebuilt(db, {"name": str, "age": int, "new": int}, new=0)
    assert [row.model_dump() for row in await user.find()] == [{"name": "Ada", "age": 36, "new": 0}]


@pytest.mark.parametrize(
    ("annotations", "values", "said"),
    [
        ({"name": str, "must": int}, {}, "without a default"),
        ({"name": str, "id": int | None}, {"id": Field(default=None, primary_key=True)}, "as its primary key"),
        ({"name": str}, {"name": Field(primary_key=True)}, "is now the primary key"),
        ({"name": str}, {"name": Field(unique=True)}, "stored rows share a value"),
        ({"name": str, "code": int}, {"code": Field(default=1, unique=True)}, "stored rows share a value"),
    ],
)
async def test_changes_that_need_a_person(
    db: Database, annotations: dict[str, Any], values: dict[str, Any], said: str
) -> None:
    user = await rebuilt(db, {"name": str})
    await user.save_all([user(name="Ada"), user(name="Ada")])
    with pytest.raises(discosql.DatabaseTableError, match=said):
        await rebuilt(db, annotations, **values)
    assert await (await rebuilt(db, {"name": str})).count() == 2


async def test_a_field_can_become_unique(db: Database) -> None:
    user = await rebuilt(db, {"name": str})
    await user(name="Ada").save()
    user = await rebuilt(db, {"name": str}, name=Field(unique=True))
    with pytest.raises(discosql.IntegrityError):
        await user(name="Ada").save()


async def test_values_that_do_not_fit_any_more_are_told(db: Database) -> None:
    from typing import Literal

    user = await rebuilt(db, {"mood": Literal["glad", "sad"], "age": int | None})
    await user(mood="sad", age=None).save()
    user = await rebuilt(db, {"mood": Literal["glad"], "age": int | None})
    with pytest.raises(discosql.DatabaseTableError, match="column mood"):
        await user.find()
    user = await rebuilt(db, {"mood": str, "age": int})
    with pytest.raises(discosql.DatabaseTableError, match="column age"):
        await user.find()


async def test_tables_are_built_in_one_commit(db: Database) -> None:
    await db.sql("CREATE TABLE first (a)")  # a process that has not written before reads the log first
    for name in ("One", "Two", "Three"):
        annotations = {"name": str, "team": str}
        values = {"name": Field(unique=True), "team": Field(index=True)}
        db.table(type(name, (Table,), {"__annotations__": annotations, "__module__": __name__, **values}))
    before = db.connection.requests.copy()
    await db.build_tables()
    assert db.connection.requests.since(before).rest == 2
    before = db.connection.requests.copy()
    await db.build_tables()
    assert db.connection.requests.since(before).rest == 0


async def test_two_processes_may_build_the_same_tables(world: World, db: Database) -> None:
    other = Database(db.name, bot=world.env.bot, slash_commands=False)
    await other.init()
    for database in (db, other):
        database.table(type("User", (Table,), {"__annotations__": {"name": str}, "__module__": __name__}))
    await asyncio.gather(db.build_tables(), other.build_tables())
    user: Any = db.tables["user"]
    await user(name="Ada").save()
    same: Any = other.tables["user"]
    assert [row.name for row in await same.find(name="Ada")] == ["Ada"]
    await other.close()


# Tasks in the background --------------------------------------------------------------------------------------------


async def users(db: Database) -> Any:
    @db.table
    class User(Table):
        id: int | None = Field(default=None, primary_key=True)
        name: str = Field(unique=True)

    await db.build_tables()
    return User


async def test_what_is_started_for_an_object_happens_in_order_with_the_values_of_the_call(db: Database) -> None:
    user = await users(db)
    row = user(name="one")
    row.save()
    row.name = "two"
    with pytest.raises(discosql.DatabaseStorageError, match="stored already"):
        row.save()
    row.commit()
    row.name = "three"
    await row.update()
    assert [found.name for found in await user.find()] == ["three"]
    row.delete()
    with pytest.raises(discosql.DatabaseStorageError, match="not stored"):
        row.update()
    row.name = "four"
    await row.commit()
    assert [found.name for found in await user.find()] == ["four"]


async def test_errors_of_tasks_are_logged_and_raised_by_close(db: Database) -> None:
    user = await users(db)
    logger.enable("discosql")
    told: list[str] = []
    sink = logger.add(lambda message: told.append(str(message)), format="{level} {message}")
    try:
        await user(name="Ada").save()
        user(name="Ada").save()
        row = user(name="Ada")
        row.save()
        row.name = "Bob"
        row.update()
        taken = user(name="Ada").save()
        with pytest.raises(discosql.IntegrityError):
            await taken
        with pytest.raises(discosql.IntegrityError) as raised:
            await db.close()
    finally:
        logger.remove(sink)
        logger.disable("discosql")
    assert [line.strip() for line in told if "failed" in line] == [
        "ERROR a background task failed: IntegrityError",
        "ERROR a background task failed: IntegrityError",
        "ERROR a background task failed: DatabaseStorageError",
    ]
    assert raised.value.__notes__ == ["2 more background tasks failed; the log names their errors"]
    assert not db.open


async def test_close_waits_for_tasks(world: World, db: Database) -> None:
    user = await users(db)
    for number in range(50):
        user(name=str(number)).save()
    await db.close()
    db = await world.process()
    assert [tuple(row) for row in await db.sql("SELECT count(*) FROM user")] == [(50,)]


async def test_a_transaction_waits_for_what_was_started_in_it(db: Database) -> None:
    user = await users(db)
    async with db.transaction():
        user(name="Ada").save()
        user(name="Bob").save()
    assert await user.count() == 2
    with pytest.raises(discosql.IntegrityError):
        async with db.transaction():
            user(name="Cy").save()
            user(name="Ada").save()
    assert await user.count() == 2
    await db.close()  # the error was raised once already


async def test_objects_are_what_they_were_before_a_transaction_that_failed(db: Database) -> None:
    user = await users(db)
    stored, gone, new = user(name="stored"), user(name="gone"), user(name="new")
    await user.save_all([stored, gone])
    before = [row.model_copy() for row in (stored, gone, new)]
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await new.save()
            await gone.delete()
            await stored.update()
            raise ZeroDivisionError
    assert [stored, gone, new] == before
    assert [row.__disco_id__ for row in (stored, gone, new)] == [row.__disco_id__ for row in before]
    await new.save()
    await gone.delete()
    assert {row.name for row in await user.find()} == {"stored", "new"}


async def test_save_all_checks_its_objects(db: Database) -> None:
    user = await users(db)
    stored, new = await user(name="a").save(), user(name="b")
    assert await user.save_all([]) == []
    for rows, said in (([stored], "stored already"), ([new, new], "twice"), ([object()], "takes its objects")):
        with pytest.raises(discosql.DatabaseStorageError, match=said):
            await user.save_all(rows)
    with pytest.raises(discosql.IntegrityError):
        await user.insert_many([new, user(name="a")])
    assert new.__disco_id__ == -1
    assert await user.count() == 1


async def test_objects_are_equal_if_their_fields_are(db: Database) -> None:
    user = await users(db)
    row = await user(id=7, name="Ada").save()
    assert row == user(id=7, name="Ada")
    assert row != user(id=7, name="Bob")
    assert row.model_copy().__disco_id__ == row.__disco_id__
    assert row != "Ada"


async def test_requests_of_the_usual_operations(db: Database) -> None:
    user = await users(db)
    await user(name="first").save()

    async def cost(operation: Any) -> int:
        before = db.connection.requests.copy()
        await operation
        return db.connection.requests.since(before).rest

    row = user(name="Ada")
    assert await cost(row.save()) == 2
    row.name = "Grace"
    assert await cost(row.update()) == 2
    assert await cost(row.update()) == 0  # nothing changed
    assert await cost(row.delete()) == 2
    assert await cost(user.save_all([user(name=str(number)) for number in range(1000)])) == 2
    assert await cost(asyncio.gather(*(user(name=f"at once {number}").save() for number in range(200)))) <= 6
    assert await cost(user.find(name="500")) == 0
    assert await cost(user.find_unique(name="501")) == 0
    assert await cost(user.where(user.name < "5").order_by(user.name).limit(3).all()) == 0
    assert await cost(user.count()) == 0
    assert await cost(user(id=3, name="upserted").upsert()) == 2
