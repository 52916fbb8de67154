"""Right uses of the Table API, which type checkers accept in their strictest mode."""

import asyncio
import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, assert_type

import pydantic

import discosql
from discosql import Field, Table, asc, col, desc, in_, like, not_

db = discosql.Database("My Server")


class Colour(Enum):
    RED = "red"


@db.table
class User(Table):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    age: int = 0
    nick: str | None = None
    active: bool = True
    born: datetime.date | None = None
    money: Decimal = Decimal(0)
    colour: Colour = Colour.RED
    tags: list[str] = Field(default_factory=list)
    code: Annotated[str, pydantic.Field(max_length=3)] = "x"

    @pydantic.computed_field
    def label(self) -> str:
        return f"{self.name} ({self.age})"


async def rows() -> None:
    user = User(name="Ada", age=36, colour=Colour.RED, tags=["x"])
    assert_type(user.age, int)
    assert_type(user.__disco_id__, int)
    assert_type(await user.save(), User)
    assert_type(await user.update(), User)
    assert_type(await user.commit(), User)
    task: asyncio.Task[None] = user.delete()
    await task
    user.save()  # in the background
    assert_type(await user.upsert(User.name), User)
    assert_type(await User.save_all([User(name="Bob")]), list[User])
    assert_type(await User.insert_many(User(name=name) for name in "abc"), list[User])


async def lookups() -> None:
    assert_type(await User.find(name="Ada", age=36), list[User])
    assert_type(await User.find_unique(name="Ada"), User)
    assert_type(await User.find_unique(strict=False, name="Ada"), User | None)
    assert_type(await User.count(active=True), int)
    assert_type(await User.exists(name="Ada"), bool)


async def queries() -> None:
    query = User.where(User.age >= 18, User.active)
    assert_type(query, discosql.Query[User])
    assert_type(await query, list[User])
    assert_type(await query.order_by(desc(User.age), User.name, asc(User.born)).limit(3).all(), list[User])
    assert_type(await query.first(), User | None)
    assert_type(await query.one(), User)
    assert_type(await query.count(), int)
    assert_type(await query.exists(), bool)
    async for user in User.all():
        assert_type(user, User)
    await User.where("name LIKE ? ORDER BY id LIMIT 5", "A%")
    await User.where((User.age < 18) | not_(User.active))
    await User.where((User.age < 18) & (col(User.nick) == "x") | like(User.name, "a%"))
    await User.where(not_(User.age < 18) & (User.name != "Ada"))
    await User.where(User.nick == None)  # noqa: E711 - that is how it is written
    await User.where(User.money > Decimal("1.5"), User.colour == Colour.RED, User.tags == ["x"])
    await User.where(in_(User.age, [1, 2]), in_(User.nick, ["a", None]))
    # A field that may be None has no "<" of its own, and no methods: col() says what it is in a query.
    assert_type(col(User.born) >= datetime.date(2000, 1, 1), discosql.Condition)
    await User.where(col(User.born) >= datetime.date(2000, 1, 1), col(User.age).between(18, 65))
    await User.where(col(User.nick).like("a%"), col(User.nick).in_(["a", None]), col(User.nick).is_not_null())
    await User.where(~col(User.active) | (col(User.age) > col(User.id))).order_by(col(User.nick).desc())


async def database(token: str) -> None:
    async with db.conn(token) as opened:
        assert_type(opened, discosql.Database)
        async with db.transaction():
            assert_type(await db.sql("SELECT * FROM user WHERE age > ?", 17), list[discosql.Row])
            assert_type(await db.sql("SELECT * FROM user", model=User), list[User])
    await db.build_tables()
    assert_type(db.login_task(token), asyncio.Task[None])
