"""Fields of every type that pydantic can write as JSON: stored, found by equality, and equal again."""

import datetime
import enum
import uuid
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NewType

import pydantic
import pytest
from databases import World
from hypothesis import given, settings
from hypothesis import strategies as st

import discosql
from discosql import Database, Field, Table, col
from discosql.storage.engine import EngineOptions


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Word(enum.StrEnum):
    YES = "yes"
    NO = "no"


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"
    NONE = None


class Address(pydantic.BaseModel):
    street: str = pydantic.Field(alias="Street")
    numbers: list[int] = []
    since: datetime.datetime | None = None

    @pydantic.computed_field
    def label(self) -> str:
        return self.street.upper()


UserId = NewType("UserId", int)

ZONES = st.sampled_from([None, datetime.UTC, datetime.timezone(datetime.timedelta(hours=-9, minutes=-30))])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
REALS = st.floats(allow_nan=False)
DECIMALS = st.decimals(-(10**30), 10**30, places=6)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
MOMENTS = st.datetimes(datetime.datetime(2, 1, 1), datetime.datetime(9998, 1, 1), timezones=ZONES)
ADDRESSES = st.builds(
    lambda street, numbers, since: Address(Street=street, numbers=numbers, since=since),
    TEXT,
    st.lists(INTEGERS, max_size=3),
    st.none() | MOMENTS,
)

FIELDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "text": (str, TEXT),
    "number": (int, INTEGERS),
    "share": (float, REALS),
    "flag": (bool, st.booleans()),
    "data": (bytes, st.binary(max_size=20)),
    "price": (Decimal, DECIMALS),
    "day": (datetime.date, st.dates()),
    "hour": (datetime.time, st.times(timezones=ZONES)),
    "moment": (datetime.datetime, MOMENTS),
    "pause": (datetime.timedelta, st.timedeltas(datetime.timedelta(-(10**6)), datetime.timedelta(10**6))),
    "key": (uuid.UUID, st.uuids()),
    "colour": (Colour, st.sampled_from(Colour)),
    "size": (Size, st.sampled_from(Size)),
    "word": (Word, st.sampled_from(Word)),
    "mixed": (Mixed, st.sampled_from(Mixed)),
    "literal": (Literal["a", "b"], st.sampled_from(["a", "b"])),
    "literals": (Literal["a", 1, None], st.sampled_from(["a", 1, None])),
    "owner": (UserId, INTEGERS),
    "short": (Annotated[str, pydantic.Field(max_length=20)], TEXT),
    "tags": (list[str], st.lists(TEXT, max_size=3)),
    "days": (list[datetime.date], st.lists(st.dates(), max_size=3)),
    "places": (dict[int, Decimal], st.dictionaries(INTEGERS, DECIMALS, max_size=3)),
    "facts": (dict[str, Any], st.dictionaries(TEXT, JSON, max_size=3)),
    "names": (set[str], st.sets(TEXT, max_size=4)),
    "pair": (tuple[int, str], st.tuples(INTEGERS, TEXT)),
    "address": (Address, ADDRESSES),
    "homes": (list[Address], st.lists(ADDRESSES, max_size=2)),
    "either": (int | str, INTEGERS | TEXT),
    "maybe": (str | None, st.none() | TEXT),
    "maybe_number": (int | None, st.none() | INTEGERS),
    "maybe_address": (Address | None, st.none() | ADDRESSES),
    "anything": (Any, JSON),
    "secret": (pydantic.SecretStr, st.builds(pydantic.SecretStr, TEXT)),
    "url": (
        pydantic.AnyUrl,
        st.sampled_from([pydantic.AnyUrl("https://a.example/x?y=1"), pydantic.AnyUrl("ftp://b/")]),
    ),
}

ROWS = st.fixed_dictionaries({name: strategy for name, (_, strategy) in FIELDS.items()})


def attach(db: Database) -> None:
    """Attach a class with a field of each type."""
    annotations = {name: annotation for name, (annotation, _) in FIELDS.items()}
    db.table(type("Wide", (Table,), {"__annotations__": annotations, "__module__": __name__}))


@pytest.fixture
async def wide(world: World) -> Any:
    """The class with a field of each type, ready."""
    return (await world.process(build=attach)).tables["wide"]


@settings(max_examples=15)
@given(given_rows=st.lists(ROWS, min_size=1, max_size=3))
async def test_rows_are_found_by_each_field_and_come_back_equal(wide: Any, given_rows: list[dict[str, Any]]) -> None:
    await wide.__disco_database__.sql("DELETE FROM wide")
    rows = await wide.save_all([wide(**values) for values in given_rows])
    assert await wide.find() == rows
    for row in rows:
        for name in FIELDS:
            value = getattr(row, name)
            found = await wide.find(**{name: value})
            assert row in found, name
            assert all(getattr(other, name) == value for other in found), name
            assert all(type(getattr(other, name)) is type(value) for other in found), name


@settings(max_examples=4)
@given(given_rows=st.lists(ROWS, min_size=3, max_size=5))
async def test_rows_come_back_equal_from_log_and_pages(world: World, given_rows: list[dict[str, Any]]) -> None:
    options = EngineOptions(page_size=4_000)
    db = await world.process(build=attach, options=options)
    await db.sql("DELETE FROM wide")
    rows = [wide_row.model_dump() for wide_row in await save_all(db.tables["wide"], given_rows)]
    for _ in ("log", "pages"):
        db = await world.process(build=attach, options=options)
        assert [row.model_dump() for row in await db.tables["wide"].find()] == rows
        assert db._engine is not None
        await db._engine.checkpoint(everything=True)


async def save_all(table: Any, rows: list[dict[str, Any]]) -> list[Any]:
    """Store rows given as dicts."""
    return await table.save_all([table(**values) for values in rows])  # type: ignore[no-any-return]


COLUMNS = {
    "text": "TEXT",
    "number": "INTEGER",
    "share": "REAL",
    "flag": "BOOLEAN",
    "data": "BLOB",
    "price": "DECIMAL",
    "day": "DATE",
    "hour": "TEXT",
    "moment": "TIMESTAMP",
    "pause": "INTEGER",
    "key": "UUID",
    "colour": "TEXT",
    "size": "INTEGER",
    "word": "TEXT",
    "literal": "TEXT",
    "owner": "INTEGER",
    "short": "TEXT",
    "maybe": "TEXT",
    "maybe_number": "INTEGER",
    "secret": "TEXT",
}
"""Columns of the plain types; all others are JSON."""


async def test_fields_have_fitting_columns(wide: Any) -> None:
    columns = {row["name"]: row["type"] for row in await wide.__disco_database__.sql("PRAGMA table_info(wide)")}
    assert columns == {name: COLUMNS.get(name, "JSON") for name in FIELDS}


async def test_lookups_follow_the_equality_of_python(db: Database) -> None:
    @db.table
    class Row(Table):
        word: Word
        colour: Colour
        size: Size
        price: Decimal
        moment: datetime.datetime
        names: set[str]

    await db.build_tables()
    moment = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
    row = Row(
        word=Word.YES, colour=Colour.RED, size=Size.LARGE, price=Decimal("1.10"), moment=moment, names={"a", "b", "c"}
    )
    await row.save()
    elsewhere = moment.astimezone(datetime.timezone(datetime.timedelta(hours=5)))
    for name, equal in (
        ("word", "yes"),
        ("size", 2),
        ("price", Decimal("1.1")),
        ("moment", elsewhere),
        ("names", {"c", "b", "a"}),
    ):
        assert getattr(row, name) == equal
        assert await Row.find(**{name: equal}) == [row], name
    # A member of a plain Enum is equal to no text.
    assert await Row.find(colour="red") == []
    assert await Row.find(moment=moment.replace(tzinfo=None)) == []


async def test_times_compare_by_moment_not_by_text(db: Database) -> None:
    @db.table
    class Event(Table):
        at: datetime.datetime
        lasts: datetime.timedelta

    await db.build_tables()
    first = datetime.datetime(2024, 1, 1, 23, tzinfo=datetime.UTC)
    later = datetime.datetime(2024, 1, 2, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    events = [Event(at=at, lasts=datetime.timedelta(hours=hours)) for at, hours in ((later, 10), (first, 9))]
    await Event.save_all(events)
    assert await Event.all().order_by(Event.at) == events[::-1]
    assert await Event.where(Event.at > first) == events[:1]
    assert await Event.where(Event.lasts < datetime.timedelta(hours=9, seconds=1)) == events[1:]


async def test_validators_defaults_aliases_and_computed_fields(db: Database) -> None:
    calls: list[str] = []

    @db.table
    class User(Table):
        model_config = pydantic.ConfigDict(validate_assignment=True)
        prefix: ClassVar[str] = "@"
        name: str = Field(alias="userName")
        hidden: str = Field(default="h", exclude=True)
        mail: Annotated[str, pydantic.AfterValidator(lambda text: f"{text}!")] = "none"
        tags: list[str] = Field(default_factory=lambda: ["new"])
        _note: str = pydantic.PrivateAttr(default="private")

        @pydantic.field_validator("name")
        @classmethod
        def check_name(cls, name: str) -> str:
            calls.append(name)
            if not name:
                raise ValueError("no name")
            return name.title()

        @pydantic.computed_field
        def handle(self) -> str:
            return f"{self.prefix}{self.name}"

        def model_post_init(self, context: Any) -> None:
            self._note = f"note of {self.name}"

    await db.build_tables()
    with pytest.raises(pydantic.ValidationError, match="no name"):
        User(userName="")
    user = User(userName="ada", mail="a@b")
    await user.save()
    assert calls == ["", "ada"]
    (found,) = await User.find(name="Ada")
    assert calls == ["", "ada"], "what is stored was validated before"
    assert found == user
    assert (found.name, found.handle, found.mail, found.tags, found._note) == (
        "Ada",
        "@Ada",
        "a@b!",
        ["new"],
        "note of Ada",
    )
    assert found.model_dump(by_alias=True) == {"userName": "Ada", "mail": "a@b!", "tags": ["new"], "handle": "@Ada"}
    assert [column["name"] for column in await db.sql("PRAGMA table_info(user)")] == ["name", "hidden", "mail", "tags"]
    with pytest.raises(pydantic.ValidationError):
        found.name = ""
    found.name = "bob"
    await found.update()
    assert [row.handle for row in await User.find()] == ["@Bob"]
    with pytest.raises(discosql.DatabaseLookupError, match="userName"):
        await User.find(userName="Bob")


async def test_defaults_hold_in_sql_too(db: Database) -> None:
    @db.table
    class User(Table):
        name: str
        age: int = 18
        nick: str | None = None
        mood: Colour = Colour.BLUE
        note: str = "it's \n fine"
        tags: list[str] = Field(default=["new"])

    await db.build_tables()
    await db.sql("INSERT INTO user (name) VALUES ('Ada')")
    assert await User.find() == [User(name="Ada")]


async def test_fields_may_have_the_names_of_newer_methods(db: Database) -> None:
    @db.table
    class Word(Table):
        word: str
        count: int
        all: str
        where: str = "here"
        rowid: int = 7

    await db.build_tables()
    with pytest.raises(pydantic.ValidationError, match="count"):
        Word(word="the", all="x")  # type: ignore[call-arg]
    row = Word(word="the", count=2, all="x")
    await row.save()
    assert await Word.find(count=2, all="x", where="here", rowid=7) == [row]
    row.count = 3
    await row.update()
    assert [found.count for found in await Word.find()] == [3]


def test_types_without_json_are_refused() -> None:
    db = Database("Anywhere", slash_commands=False)

    class Thing:
        pass

    class Odd(Table):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        thing: Thing

    with pytest.raises(discosql.DatabaseTableError, match="thing of Odd"):
        db.table(Odd)

    class Empty(Table):
        pass

    with pytest.raises(discosql.DatabaseTableError, match="no fields"):
        db.table(Empty)

    class Twice(Table):
        name: str
        Name: str

    with pytest.raises(discosql.DatabaseTableError, match="differ only in case"):
        db.table(Twice)


async def test_what_would_not_come_back_equal_is_refused(db: Database) -> None:
    class Login(pydantic.BaseModel):
        password: pydantic.SecretStr

    class Partly(pydantic.BaseModel):
        kept: int
        left_out: int = Field(default=0, exclude=True)

    @db.table
    class Row(Table):
        login: Login | None = None
        partly: Partly | None = None
        anything: Any = None

    await db.build_tables()
    for wrong in (
        Row(login=Login(password=pydantic.SecretStr("x"))),
        Row(partly=Partly(kept=1, left_out=2)),
        Row(anything=(1, 2)),
        Row(anything={"when": datetime.date(2024, 1, 1)}),
    ):
        with pytest.raises(discosql.DataError, match="JSON"):
            wrong.save()
    await Row(partly=Partly(kept=1)).save()
    assert len(await Row.where(col(Row.partly).is_not_null())) == 1
