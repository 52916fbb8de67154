"""The SQLAlchemy dialect: Core, ORM, reflection, asynchronous engines, and what builds on SQLAlchemy.

SQLAlchemy's own suite for dialects is run by ``make sqlalchemy``.
"""

import datetime
import re
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from dialects import dialects as dialects
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlmodel import Field as ModelField
from sqlmodel import Session as ModelSession
from sqlmodel import SQLModel, select

import discosql

TOP = Path(__file__).parent.parent


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = sa.create_engine(f"discosql:///{tmp_path}/test.disco")
    yield made
    made.dispose()


class Base(DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "team"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20), unique=True)
    players: Mapped[list["Player"]] = relationship(back_populates="team", cascade="all, delete-orphan")


class Player(Base):
    __tablename__ = "player"
    __table_args__ = (sa.CheckConstraint("points >= 0", name="points_are_positive"), sa.Index("by_points", "points"))
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    points: Mapped[int] = mapped_column(default=0)
    team_id: Mapped[int] = mapped_column(sa.ForeignKey("team.id", ondelete="CASCADE"))
    team: Mapped[Team] = relationship(back_populates="players")


EVERYTHING = sa.Table(
    "everything",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.String(20)),
    sa.Column("price", sa.Numeric(10, 2)),
    sa.Column("share", sa.Float),
    sa.Column("flag", sa.Boolean),
    sa.Column("day", sa.Date),
    sa.Column("hour", sa.Time),
    sa.Column("moment", sa.DateTime(timezone=True)),
    sa.Column("pause", sa.Interval),
    sa.Column("key", sa.Uuid),
    sa.Column("data", sa.LargeBinary),
    sa.Column("facts", sa.JSON),
)

VALUES: dict[str, Any] = {
    "text": "é",
    "price": Decimal("1.10"),
    "share": 0.1,
    "flag": True,
    "day": datetime.date(2024, 2, 29),
    "hour": datetime.time(23, 59, 59, 7),
    "moment": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
    "pause": datetime.timedelta(hours=5, microseconds=3),
    "key": uuid.UUID(int=7),
    "data": b"\x00\xff",
    "facts": {"a": [1, None, "x"]},
}


def test_core(engine: sa.Engine) -> None:
    EVERYTHING.create(engine)
    with engine.begin() as connection:
        inserted = connection.execute(sa.insert(EVERYTHING).values(**VALUES))
        assert inserted.inserted_primary_key == (1,)
        connection.execute(sa.insert(EVERYTHING), [{"text": "b", "price": 2}, {"text": "c", "price": 0.1}])
    with engine.connect() as connection:
        row = connection.execute(sa.select(EVERYTHING).where(EVERYTHING.c.id == 1)).one()
        assert dict(row._mapping) == {"id": 1, **VALUES}
        for name, value in VALUES.items():
            if name != "facts":
                found = connection.scalars(sa.select(EVERYTHING.c.id).where(EVERYTHING.c[name] == value)).all()
                assert found == [1], name
        assert connection.scalar(sa.select(sa.func.sum(EVERYTHING.c.price))) == Decimal("3.20")
        assert connection.scalar(sa.select(EVERYTHING.c.id).where(EVERYTHING.c.price == 0.1)) == 3
        assert connection.scalar(sa.select(EVERYTHING.c.facts["a"]).where(EVERYTHING.c.id == 1)) == [1, None, "x"]
    upsert = sqlite.insert(EVERYTHING).values(id=2, text="B")
    with engine.begin() as connection:
        connection.execute(upsert.on_conflict_do_update(index_elements=["id"], set_={"text": upsert.excluded.text}))
        assert connection.scalar(sa.select(EVERYTHING.c.text).where(EVERYTHING.c.id == 2)) == "B"


def test_transactions(engine: sa.Engine) -> None:
    assert engine.dialect.get_isolation_level_values(None) == ["SERIALIZABLE", "AUTOCOMMIT"]
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        EVERYTHING.create(connection)
        raise ZeroDivisionError
    assert not sa.inspect(engine).has_table("everything"), "CREATE TABLE is part of the transaction"
    EVERYTHING.create(engine)
    with engine.connect() as connection:
        with connection.begin():
            connection.execute(sa.insert(EVERYTHING).values(text="a"))
            with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
                connection.execute(sa.insert(EVERYTHING).values(id=1))
        assert connection.get_isolation_level() == "SERIALIZABLE"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.insert(EVERYTHING).values(text="b"))
        assert connection.get_isolation_level() == "AUTOCOMMIT"
    with engine.connect() as one, engine.connect() as two:
        for connection in (one, two):
            connection.execute(sa.select(EVERYTHING)).all()
        one.execute(sa.insert(EVERYTHING).values(text="c"))
        one.commit()
        two.execute(sa.insert(EVERYTHING).values(text="d"))
        with pytest.raises(sa.exc.OperationalError, match="SerializationError"):
            two.commit()
    with engine.connect() as connection:
        assert connection.scalars(sa.select(EVERYTHING.c.text).order_by(EVERYTHING.c.id)).all() == ["a", "b", "c"]


def test_orm(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Team(name="red", players=[Player(name="Ada", points=3), Player(name="Bob")]))
        session.add(Team(name="blue", players=[Player(name="Cy", points=5)]))
        session.commit()
    with Session(engine) as session:
        best = sa.select(Team.name, sa.func.sum(Player.points)).join(Player).group_by(Team.name).order_by(Team.name)
        assert session.execute(best).all() == [("blue", 5), ("red", 3)]
        red = session.scalars(sa.select(Team).filter_by(name="red")).one()
        assert [player.name for player in red.players] == ["Ada", "Bob"]
        red.players[0].points = 7
        session.delete(red.players[1])
        session.commit()
        with pytest.raises(sa.exc.IntegrityError, match="points_are_positive"):
            session.execute(sa.update(Player).values(points=-1))
        session.rollback()
        session.delete(red)
        session.commit()
        assert session.scalars(sa.select(Player.name)).all() == ["Cy"]


def test_reflection(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    EVERYTHING.create(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE VIEW best AS SELECT name, points FROM player WHERE points > 10"))
    inspector = sa.inspect(engine)
    assert inspector.get_view_names() == ["best"]
    assert [(c["name"], str(c["type"])) for c in inspector.get_columns("best")] == [
        ("name", "VARCHAR"),
        ("points", "INTEGER"),
    ]
    assert inspector.get_table_names() == ["everything", "player", "team"]
    assert inspector.get_foreign_keys("player")[0]["options"] == {"ondelete": "CASCADE"}
    assert inspector.get_indexes("player")[0]["name"] == "by_points"
    assert inspector.get_check_constraints("player")[0]["name"] == "points_are_positive"
    assert inspector.get_unique_constraints("team")[0]["column_names"] == ["name"]
    read = sa.MetaData()
    read.reflect(engine)
    assert set(read.tables) == {"everything", "player", "team"}
    types = {column.name: str(column.type) for column in read.tables["everything"].columns}
    assert types["key"] == "UUID"
    assert types["price"] == "DECIMAL(10, 2)"
    assert types["moment"] == "TIMESTAMP"


async def test_asynchronous_engines(tmp_path: Path) -> None:
    engine = create_async_engine(f"discosql+aio:///{tmp_path}/test.disco")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        session.add(Team(name="red", players=[Player(name="Ada")]))
        await session.commit()
        assert (await session.scalars(sa.select(Player.name))).all() == ["Ada"]
        with pytest.raises(sa.exc.IntegrityError):
            await session.execute(sa.insert(Team).values(name="red"))
    await engine.dispose()


def test_databases_in_memory() -> None:
    engine = sa.create_engine("discosql://")
    EVERYTHING.create(engine)
    assert sa.inspect(engine).has_table("everything")
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("discosql:///shop.disco", (["shop.disco"], {})),
        (
            "discosql:////data/shop.disco?timeout=5&cache_size=1000",
            (["/data/shop.disco"], {"timeout": 5.0, "cache_size": 1000}),
        ),
        ("discosql+discord://123/shop", (["discord://123/shop"], {})),
        ("discosql+discord://:secret@123", (["discord://123"], {"token": "secret"})),
        ("discosql+aio://123/shop", (["discord://123/shop"], {})),
    ],
)
def test_urls(url: str, arguments: Any) -> None:
    parsed = sa.make_url(url)
    assert parsed.get_dialect()().create_connect_args(parsed) == arguments


@pytest.mark.parametrize("url", ["discosql+discord:///x", "discosql:///x?nothing=1", "discosql+discord://user@123"])
def test_wrong_urls(url: str) -> None:
    parsed = sa.make_url(url)
    with pytest.raises(sa.exc.ArgumentError):
        parsed.get_dialect()().create_connect_args(parsed)


def test_alembic(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        operations.create_table("note", sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.String))
        operations.add_column("note", sa.Column("added", sa.Date))
        operations.create_index("by_text", "note", ["text"])
        operations.bulk_insert(sa.table("note", sa.column("text", sa.String)), [{"text": "a"}])
        with operations.batch_alter_table("note") as batch:
            batch.alter_column("text", new_column_name="body", nullable=False, existing_type=sa.String())
            batch.drop_column("added")
        operations.rename_table("note", "remark")
        operations.drop_table("player")
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == ["remark", "team"]
    assert [(column["name"], column["nullable"]) for column in inspector.get_columns("remark")] == [
        ("id", False),
        ("body", False),
    ]
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT * FROM remark")).all() == [(1, "a")]


class Hero(SQLModel, table=True):
    id: int | None = ModelField(default=None, primary_key=True)
    name: str = ModelField(index=True)
    age: int | None = None


def test_sqlmodel(engine: sa.Engine) -> None:
    SQLModel.metadata.create_all(engine)
    with ModelSession(engine) as session:
        session.add(Hero(name="Ada", age=36))
        session.commit()
        (hero,) = session.exec(select(Hero).where(Hero.name == "Ada")).all()
        assert (hero.id, hero.age) == (1, 36)


def test_pandas(engine: sa.Engine) -> None:
    frame = pandas.DataFrame(
        {"name": ["a", "b", None], "n": [1, 2, 3], "at": pandas.to_datetime(["2024-01-01", None, "2024-01-03"])}
    )
    assert frame.to_sql("frame", engine, index=False) == 3
    frame.to_sql("frame", engine, index=False, if_exists="append", method="multi")
    read = pandas.read_sql("SELECT * FROM frame ORDER BY n", engine, parse_dates=["at"])
    assert read["n"].tolist() == [1, 1, 2, 2, 3, 3]
    assert read["at"].tolist()[0] == pandas.Timestamp("2024-01-01")
    table = pandas.read_sql_table("frame", engine)
    assert list(table.columns) == ["name", "n", "at"]
    frame.to_sql("frame", engine, index=False, if_exists="replace")
    assert pandas.read_sql(sa.select(sa.func.count()).select_from(sa.table("frame")), engine).iloc[0, 0] == 3


def test_cells_of_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PLOOMBER_STATS_ENABLED", "false")
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "sql")
    shell.run_line_magic("sql", f"discosql:///{tmp_path}/test.disco")
    shell.run_line_magic("config", "SqlMagic.displaylimit = 5")
    shell.run_cell_magic("sql", "", "CREATE TABLE city (name TEXT, people INTEGER)")
    shell.run_cell_magic("sql", "", "INSERT INTO city VALUES ('Berlin', 3850809), ('Atlantis', NULL)")
    shell.user_ns["least"] = 1000
    assert shell.run_cell("found = %sql SELECT name, people FROM city WHERE people > {{least}}").success
    found = shell.user_ns["found"]
    assert (list(found.keys), list(found)) == (["name", "people"], [("Berlin", 3850809)])
    assert found.DataFrame()["people"].tolist() == [3850809]
    with pytest.raises(UsageError, match="no such table: missing"):
        shell.run_line_magic("sql", "SELECT * FROM missing")
    shell.run_line_magic("sql", f"--close discosql:///{tmp_path}/test.disco")
    with discosql.connect(f"{tmp_path}/test.disco") as db:
        assert db.execute("SELECT count(*) FROM city").fetchone() == (2,)
    db.close()


def test_errors_are_of_the_driver(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError) as raised:
        connection.execute(sa.text("SELECT * FROM nothing"))
    assert isinstance(raised.value.orig, discosql.ProgrammingError)


@pytest.mark.parametrize("number", [0, 1])
def test_the_blocks_of_the_page_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (TOP / "docs" / "sqlalchemy.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.S)[number]
    names: dict[str, Any] = {}
    exec(compile(code, "block", "exec"), names)
    assert ("6.5", "Atlantis")[number] in capsys.readouterr().out
    if "engine" in names:
        names["engine"].dispose()
