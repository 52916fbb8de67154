"""Wrong uses of the Table API. A comment names the errors that mypy and pyright must report in the line, by code."""

import datetime

import discosql
from discosql import Field, Table, asc, col, desc, in_, like, not_

db = discosql.Database("My Server")


@db.table
class User(Table):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    age: int = 0
    nick: str | None = None
    active: bool = True
    born: datetime.date | None = None
    tags: list[str] = Field(default_factory=list)


async def rows() -> None:
    User(nam="Ada")  # call-arg reportCallIssue
    User(age=3)  # call-arg reportCallIssue
    User(name=3)  # arg-type reportArgumentType
    User("Ada")  # call-arg reportCallIssue
    User(name="Ada", tags="x")  # arg-type reportArgumentType
    user = User(name="Ada")
    user.age = "x"  # assignment reportAttributeAccessIssue
    user.nam = "x"  # attr-defined reportAttributeAccessIssue
    await user  # misc reportGeneralTypeIssues
    await user.save  # misc reportGeneralTypeIssues
    await user.age  # misc reportGeneralTypeIssues
    await User.save_all(user)  # arg-type reportArgumentType
    await User.save_all(["Ada"])  # list-item reportArgumentType
    text: str = await user.save()  # assignment reportAssignmentType
    print(text)


async def lookups() -> None:
    User.find(name="Ada")  # unused-coroutine reportUnusedCoroutine
    User.count()  # unused-coroutine reportUnusedCoroutine
    await User.find("Ada")  # call-arg reportCallIssue
    print((await User.find_unique(strict=False, name="Ada")).age)  # union-attr reportOptionalMemberAccess
    async for _ in User.find(name="Ada"):  # attr-defined reportGeneralTypeIssues
        pass
    await User.nothing()  # attr-defined reportAttributeAccessIssue


async def comparisons() -> None:
    await User.where(User.nam == "Ada")  # attr-defined reportAttributeAccessIssue
    await User.where(User.age >= "x")  # operator reportOperatorIssue
    await User.where(User.age == "x")  # comparison-overlap reportUnnecessaryComparison
    await User.where(User.name == 3)  # comparison-overlap reportUnnecessaryComparison
    await User.where(User.nick == 3)  # comparison-overlap reportUnnecessaryComparison
    await User.where(User.name < 3)  # operator reportOperatorIssue
    await User.where(User.born >= datetime.date(2000, 1, 1))  # operator reportOptionalOperand
    await User.where(col(User.born) >= "2000-01-01")  # operator reportOperatorIssue
    await User.where(col(User.nam) == "x")  # attr-defined reportAttributeAccessIssue
    await User.where(col(User.age) < col(User.name))  # arg-type reportOperatorIssue
    await User.where(col(User.age).like("x"))  # misc reportAttributeAccessIssue
    await User.where(col(User.age).in_(["x"]))  # list-item reportArgumentType
    await User.where(col(User.age).between("a", "b"))  # arg-type reportArgumentType
    await User.where(like(User.age, "x"))  # arg-type reportArgumentType
    await User.where(in_(User.nam, ["x"]))  # attr-defined reportAttributeAccessIssue
    await User.where(User.age)  # call-overload reportArgumentType
    await User.where(col(User.age))  # arg-type reportArgumentType
    await User.where(not_(User.age))  # arg-type reportArgumentType
    await User.where(3)  # call-overload reportArgumentType
    await User.where(User.active, "age > 3")  # call-overload reportArgumentType


async def queries() -> None:
    query = User.where(User.active)
    await query.order_by(User.nam)  # attr-defined reportAttributeAccessIssue
    await query.order_by(["name"])  # arg-type reportArgumentType
    await query.order_by(User.tags)  # arg-type reportArgumentType
    await query.order_by(User)  # arg-type reportArgumentType
    await query.order_by(User.name.lower)  # arg-type reportArgumentType
    await query.order_by(desc(["name"]))  # arg-type reportArgumentType
    await query.order_by(asc(User.nam))  # attr-defined reportAttributeAccessIssue
    await query.limit("3")  # arg-type reportArgumentType
    await query.where("age > ?", 3)  # arg-type reportArgumentType
    for _ in query:  # attr-defined reportGeneralTypeIssues
        pass
    print((await query.first()).name)  # union-attr reportOptionalMemberAccess
    number: str = await query.count()  # assignment reportAssignmentType
    print(number)


async def database() -> None:
    db.table(int)  # type-var reportArgumentType
    db.build_tables()  # unused-coroutine reportUnusedCoroutine
    await db.login_task(3)  # arg-type reportArgumentType
    await db.sql("SELECT 1", model=int)  # type-var reportArgumentType
    with db.transaction():  # attr-defined reportGeneralTypeIssues
        pass
    async with db.connect("token"):  # attr-defined reportAttributeAccessIssue
        pass
