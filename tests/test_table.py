"""Tables as pydantic objects, on a simulated Discord with a real discord.py bot."""

from typing import Any

import pytest
from databases import SERVER, World

import discosql
from discosql import Database, Field, Table, asc, desc, in_, like


async def test_find(db: Database) -> None:
    @db.table
    class User(Table):
        name: str
        team: str

    await db.build_tables()
    users = [User(name=name, team=team) for name, team in (("a", "x"), ("b", "x"), ("a", "y"))]
    await User.save_all(users)
    assert await User.find() == users
    assert await User.find(name="a", team="x") == [users[0]]
    assert await User.find(name="c") == []
    with pytest.raises(discosql.DatabaseLookupError, match="nick"):
        await User.find(nick="a")
    assert await User.find_unique(name="b") == users[1]
    with pytest.raises(discosql.DatabaseLookupError, match="no row"):
        await User.find_unique(name="c")
    with pytest.raises(discosql.DatabaseLookupError, match="more than one"):
        await User.find_unique(name="a")
    assert await User.find_unique(strict=False, name="c") is None
    assert await User.find_unique(strict=False, name="a") == users[0]
    with pytest.raises(ValueError, match="find_unique"):
        await User.find_unique()
    assert await User.count() == 3
    assert await User.count(name="a") == 2
    assert await User.exists(team="y")
    assert not await User.exists(team="z")


async def test_the_life_of_a_row(db: Database) -> None:
    @db.table
    class User(Table):
        name: str

    await db.build_tables()
    user = User(name="Ada")
    with pytest.raises(discosql.DatabaseStorageError, match="not stored"):
        user.update()
    with pytest.raises(discosql.DatabaseStorageError, match="not stored"):
        user.delete()
    await user.commit()
    with pytest.raises(discosql.DatabaseStorageError, match="stored already"):
        user.save()
    user.name = "Grace"
    await user.commit()
    assert [found.name for found in await User.find()] == ["Grace"]
    same = await User.find_unique(name="Grace")
    await user.delete()
    assert user.__disco_id__ == -1
    assert await User.find() == []
    with pytest.raises(discosql.DatabaseStorageError, match="deleted"):
        await same.update()
    with pytest.raises(discosql.DatabaseStorageError, match="deleted"):
        await same.delete()


async def test_keys(db: Database) -> None:
    @db.table
    class Item(Table):
        id: int | None = Field(default=None, primary_key=True)
        code: str = Field(unique=True)
        shelf: int = Field(default=0, index=True)

    await db.build_tables()
    first, second = Item(code="a"), Item(code="b")
    await first.save()
    await second.save()
    assert (first.id, second.id) == (1, 2)
    with pytest.raises(discosql.IntegrityError, match="code"):
        await Item(code="a").save()
    await Item(code="a", shelf=9).upsert(Item.code)
    assert [(item.id, item.shelf) for item in await Item.find(code="a")] == [(1, 9)]
    assert await Item.count() == 2
    with pytest.raises(discosql.DatabaseLookupError, match="nothing"):
        await Item(code="c").upsert("nothing")


async def test_queries(db: Database) -> None:
    @db.table
    class User(Table):
        name: str
        age: int | None = None
        active: bool = True

    await db.build_tables()
    await User.save_all(
        [
            User(name="Ada", age=36),
            User(name="Bob", age=17),
            User(name="Cy", age=None),
            User(name="Di", age=60, active=False),
        ]
    )

    async def names(query: Any) -> list[str]:
        return [user.name for user in await query]

    assert await names(User.where(User.age >= 18)) == ["Ada", "Di"]
    assert await names(User.where(User.age >= 18, User.active)) == ["Ada"]
    assert await names(User.where((User.age < 18) | ~User.active)) == ["Bob", "Di"]
    assert await names(User.where(User.age == None)) == ["Cy"]  # noqa: E711 - that is how it is written
    assert await names(User.where(User.age != None)) == ["Ada", "Bob", "Di"]  # noqa: E711
    assert await names(User.where(like(User.name, "%d%")).order_by(desc(User.name))) == ["Di", "Ada"]
    assert await names(User.where(in_(User.name, ["Cy", "Ada", "Zoe"]))) == ["Ada", "Cy"]
    assert await names(User.where(in_(User.age, [None, 17]))) == ["Bob", "Cy"]
    assert await names(User.all().order_by(asc(User.age)).limit(2, 1)) == ["Bob", "Ada"]
    assert await names(User.where("name LIKE ? ORDER BY age DESC LIMIT 5", "%d%")) == ["Di", "Ada"]
    assert await names(User.where("age > 10").order_by(User.name).limit(1)) == ["Ada"]
    assert await User.where(User.age > 18).count() == 2
    assert await User.where(User.age > 99).exists() is False
    assert (await User.where(User.name == "Bob").one()).age == 17
    with pytest.raises(discosql.DatabaseLookupError):
        await User.where(User.age > 18).one()
    assert await User.where(User.age > 99).first() is None
    assert [user.name async for user in User.where(User.active).order_by(User.name)] == ["Ada", "Bob", "Cy"]
    with pytest.raises(discosql.ProgrammingError, match="truth value"):
        await User.where(User.age > 1 and User.age < 9)
    with pytest.raises(discosql.ProgrammingError, match="compared"):
        User.where(User.age > "x")  # type: ignore[operator]
    with pytest.raises(AttributeError):
        User.where(User.nick == "x")  # type: ignore[attr-defined]


async def test_sql_and_transactions(db: Database) -> None:
    @db.table
    class Account(Table):
        owner: str
        money: int

    await db.build_tables()
    ada, bob = await Account.save_all([Account(owner="Ada", money=10), Account(owner="Bob", money=0)])
    async with db.transaction():
        ada.money -= 4
        bob.money += 4
        await ada.update()
        await bob.update()
        assert await Account.where(Account.money == 4).count() == 1
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await ada.delete()
            await db.sql("UPDATE account SET money = ?", 1000)
            raise ZeroDivisionError
    rows = await db.sql("SELECT owner, money FROM account WHERE money > ? ORDER BY owner", 1)
    assert [dict(row) for row in rows] == [{"owner": "Ada", "money": 6}, {"owner": "Bob", "money": 4}]
    assert await db.sql("SELECT owner, money FROM account WHERE owner = 'Ada'", model=Account) == [
        Account(owner="Ada", money=6)
    ]


async def test_wrong_uses_of_classes(world: World) -> None:
    db = Database(SERVER, bot=world.env.bot, slash_commands=False)
    other = Database(SERVER, bot=world.env.bot, slash_commands=False)

    class Loose(Table):
        name: str

    with pytest.raises(discosql.DatabaseTableError, match="attached to no database"):
        await Loose.find()
    with pytest.raises(discosql.DatabaseTableError, match="subclass"):
        db.table(int)  # type: ignore[type-var]
    db.table(Loose)
    with pytest.raises(discosql.DatabaseTableError, match="attached already"):
        db.table(Loose)
    with pytest.raises(discosql.DatabaseTableError, match="another database"):
        other.table(Loose)
    with pytest.raises(discosql.NotConnectedError):
        await Loose.find()
    with pytest.raises(discosql.NotConnectedError):
        await db.build_tables()
    await db.init()

    @db.table
    class Late(Table):
        name: str

    with pytest.raises(discosql.DatabaseTableError, match="build_tables"):
        await Late.find()
    with pytest.raises(RuntimeError):
        await db.login("token")
    await db.close()


async def test_clean_erases_everything(db: Database) -> None:
    @db.table
    class User(Table):
        name: str

    await db.build_tables()
    await User(name="Ada").save()
    await db.clean()
    with pytest.raises(discosql.DatabaseTableError, match="build_tables"):
        await User.find()
    await db.build_tables()
    assert await User.find() == []
