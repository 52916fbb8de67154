"""SQLAlchemy's ORM, Alembic's autogenerate, pandas and polars, as programs use them beyond the first steps."""

import datetime
import enum
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pandas
import polars
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from dialects import dialects as dialects
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.orm.exc import StaleDataError


class Base(DeclarativeBase):
    """The classes of these tests."""


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


labels = sa.Table(
    "labels",
    Base.metadata,
    sa.Column("item_id", sa.ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("label_id", sa.ForeignKey("label.id"), primary_key=True),
)


class Owner(Base):
    __tablename__ = "owner"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True)
    version: Mapped[int] = mapped_column()
    items: Mapped[list["Item"]] = relationship(
        back_populates="owner", cascade="all, delete-orphan", passive_deletes=True
    )
    __mapper_args__: ClassVar[Any] = {"version_id_col": version}


class Label(Base):
    __tablename__ = "label"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("owner.id", ondelete="CASCADE"))
    owner: Mapped[Owner | None] = relationship(back_populates="items")
    labels: Mapped[list[Label]] = relationship(secondary=labels)
    price: Mapped[Decimal | None] = mapped_column(sa.Numeric(10, 2))
    moment: Mapped[datetime.datetime | None] = mapped_column(sa.DateTime(timezone=True))
    span: Mapped[datetime.timedelta | None] = mapped_column(sa.Interval)
    code: Mapped[uuid.UUID | None]
    colour: Mapped[Colour | None]
    data: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    tree: Mapped[Any] = mapped_column(sa.JSON, nullable=True)
    created: Mapped[datetime.datetime] = mapped_column(server_default=sa.func.now())
    kind: Mapped[str] = mapped_column(server_default="plain")
    __mapper_args__: ClassVar[Any] = {"polymorphic_on": "kind", "polymorphic_identity": "plain"}

    @hybrid_property
    def is_cheap(self) -> bool:
        return self.price is not None and self.price < 10

    @is_cheap.inplace.expression
    @classmethod
    def _is_cheap(cls) -> sa.ColumnElement[bool]:
        return cls.price < 10


class Special(Item):
    __tablename__ = "special"
    id: Mapped[int] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    more: Mapped[str]
    __mapper_args__: ClassVar[Any] = {"polymorphic_identity": "special"}


class Node(Base):
    __tablename__ = "node"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("node.id"))
    name: Mapped[str] = mapped_column(index=True)
    children: Mapped[list["Node"]] = relationship(remote_side=parent_id)


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    engine = sa.create_engine("discosql://", poolclass=sa.pool.StaticPool)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_cascades_inheritance_and_hybrids(engine: sa.Engine) -> None:
    with Session(engine) as session:
        owner = Owner(
            name="A",
            items=[Item(price=Decimal("2.50")), Item(price=12, labels=[Label(text="x")]), Special(price=3, more="m")],
        )
        session.add(owner)
        session.commit()
        assert [type(item) for item in owner.items] == [Item, Item, Special]
        owner.items.pop(0)
        session.commit()
        assert session.scalars(sa.select(Item.price).where(~Item.is_cheap)).all() == [Decimal("12.00")]
        session.delete(owner)
        session.commit()
        for table in (Item, Special, labels):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_versions_and_merge(engine: sa.Engine) -> None:
    with Session(engine) as session:
        session.merge(Owner(id=7, name="m"))
        session.commit()
        session.merge(Owner(id=7, name="n", version=1))
        session.commit()
        owner = session.get_one(Owner, 7)
        assert (owner.name, owner.version) == ("n", 2)
        session.execute(sa.update(Owner).values(version=9), execution_options={"synchronize_session": False})
        owner.name = "o"
        with pytest.raises(StaleDataError):
            session.commit()


def test_values_and_conditions(engine: sa.Engine) -> None:
    moment = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    code, span = uuid.uuid4(), datetime.timedelta(days=2, seconds=3.5)
    tree = {"a": [1, {"b": "c"}], "n": None, "t": True, "f": 1.5}
    with Session(engine) as session:
        session.add(
            Item(price=1234.56, moment=moment, span=span, code=code, colour=Colour.BLUE, data=b"\0x", tree=tree)
        )
        session.commit()
        item = session.scalars(sa.select(Item)).one()
        seen = (item.price, item.moment, item.span, item.code, item.colour, item.data, item.tree)
        assert seen == (Decimal("1234.56"), moment, span, code, Colour.BLUE, b"\0x", tree)
        for condition in (
            Item.price > Decimal("1234.5"),
            Item.moment == moment,
            Item.moment < moment + datetime.timedelta(1),
            Item.span > datetime.timedelta(1),
            Item.colour.in_([Colour.BLUE]),
            Item.code == code,
            Item.data == b"\0x",
            sa.extract("hour", Item.moment) == 10,
            sa.func.date(Item.moment) == "2024-05-01",
            Item.tree["a"][0].as_integer() == 1,
            Item.tree["a", 1, "b"].as_string() == "c",
            Item.tree["t"].as_boolean(),
            Item.tree["f"].as_float() == 1.5,
        ):
            assert session.scalar(sa.select(sa.func.count(Item.id)).where(condition)) == 1, str(condition)
        for expression, value in (
            (Item.price * 2, Decimal("2469.12")),
            (sa.func.sum(Item.price), Decimal("1234.56")),
            (sa.func.max(Item.moment), moment),
            (Item.tree["a"], tree["a"]),
            (Item.tree["f"].as_numeric(10, 2), Decimal("1.50")),
        ):
            assert session.scalar(sa.select(expression)) == value, str(expression)


def test_many_values_and_conflicts(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        rows = connection.execute(
            sa.insert(Owner).returning(Owner.id, Owner.name, sort_by_parameter_order=True),
            [{"name": f"n{number}", "version": 1} for number in range(1500)],
        ).all()
        assert [row.name for row in rows] == [f"n{number}" for number in range(1500)]
        again = insert(Owner).values(name="n1", version=5)
        changed = again.on_conflict_do_update(index_elements=["name"], set_={"version": again.excluded.version})
        assert connection.scalar(changed.returning(Owner.version)) == 5
        assert connection.execute(again.on_conflict_do_nothing()).rowcount == 0
        assert len(connection.execute(sa.delete(Owner).returning(Owner.id)).all()) == 1500


def test_trees_and_parts_of_results(engine: sa.Engine) -> None:
    with Session(engine) as session:
        session.add(Node(name="root", children=[Node(name="a", children=[Node(name="b")]), Node(name="c")]))
        session.add_all(Node(name=str(number)) for number in range(250))
        session.commit()
        below = sa.select(Node.id, sa.literal(0).label("depth")).where(Node.name == "root").cte(recursive=True)
        below = below.union_all(sa.select(Node.id, below.c.depth + 1).join(below, Node.parent_id == below.c.id))
        assert sorted(session.scalars(sa.select(below.c.depth))) == [0, 1, 1, 2]
        root = session.scalars(
            sa.select(Node).where(Node.name == "root").options(selectinload(Node.children, recursion_depth=2))
        ).one()
        assert [child.name for child in root.children[0].children] == ["b"]
        parts = session.scalars(sa.select(Node).order_by(Node.id)).yield_per(100).partitions()
        assert [len(part) for part in parts] == [100, 100, 54]
        with pytest.raises(sa.exc.IntegrityError) as raised, session.begin_nested():
            session.execute(sa.insert(Node).values(id=1, name="twice"))
        assert getattr(raised.value.orig, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_PRIMARYKEY"
        assert session.scalar(sa.select(sa.func.count(Node.id))) == 254


async def test_streams_of_asynchronous_engines(tmp_path: Path) -> None:
    engine = create_async_engine(f"discosql+aio:///{tmp_path}/test.disco")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(sa.insert(Node), [{"name": str(number)} for number in range(25)])
    async with engine.connect() as connection:
        async with connection.stream(sa.select(Node.name).order_by(Node.id)) as rows:
            assert [row.name async for row in rows] == [str(number) for number in range(25)]
        async with connection.stream_scalars(sa.select(Node.id), execution_options={"yield_per": 10}) as ids:
            assert [len(part) async for part in ids.partitions()] == [10, 10, 5]
    async with AsyncSession(engine) as session:
        streamed = await session.stream_scalars(sa.select(Node).order_by(Node.id))
        assert [node.name async for node in streamed] == [str(number) for number in range(25)]
    await engine.dispose()


def test_autogenerate_finds_what_differs(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        wanted = sa.MetaData()
        for table in Base.metadata.tables.values():
            table.to_metadata(wanted)
        node = wanted.tables["node"]
        node.append_column(sa.Column("size", sa.Integer, server_default="5"))
        node.c.name.type = sa.Integer()
        sa.Index("sized", node.c.size)
        kinds = [(found[0] if isinstance(found, tuple) else found[0][0]) for found in compare_metadata(context, wanted)]
        assert kinds == ["add_column", "modify_type", "add_index"]


def test_batches_of_operations(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("node") as batch:
            batch.add_column(sa.Column("owner_id", sa.Integer, sa.ForeignKey("owner.id", name="of_owner")))
            batch.alter_column("name", new_column_name="title", type_=sa.String(30), nullable=True)
            batch.create_check_constraint("titled", "title <> ''")
        with operations.batch_alter_table("node") as batch:
            batch.drop_constraint("of_owner", type_="foreignkey")
            batch.drop_constraint("titled", type_="check")
            batch.drop_column("owner_id")
        operations.rename_table("node", "knot")
    inspector = sa.inspect(engine)
    assert [(column["name"], column["nullable"]) for column in inspector.get_columns("knot")] == [
        ("id", False),
        ("parent_id", True),
        ("title", True),
    ]
    assert len(inspector.get_foreign_keys("knot")) == 1
    assert inspector.get_check_constraints("knot") == []
    assert inspector.get_indexes("knot")[0]["column_names"] == ["title"]


FRAME = pandas.DataFrame(
    {
        "moment": pandas.to_datetime(["2024-01-01", "2024-01-02 03:04:05.678", None], format="ISO8601"),
        "zoned": pandas.to_datetime(["2024-01-01", "2024-01-02", None], utc=True),
        "number": [1.5, None, 3.0],
        "flag": [True, False, True],
        "text": ["a", None, "c"],
        "large": [2**63 - 1, -5, 0],
    }
)


@pytest.mark.parametrize("method", [None, "multi"])
@pytest.mark.parametrize("chunksize", [None, 2])
def test_frames_of_pandas(engine: sa.Engine, method: Any, chunksize: int | None) -> None:
    for exists in ("fail", "replace", "append"):
        count = FRAME.to_sql("frame", engine, index=False, if_exists=exists, method=method, chunksize=chunksize)  # type: ignore[arg-type]
        assert count == 3
    with pytest.raises(ValueError, match="already exists"):
        FRAME.to_sql("frame", engine)
    for read in (pandas.read_sql_table("frame", engine), pandas.read_sql("SELECT * FROM frame", engine)):
        assert len(read) == 6
        pandas.testing.assert_frame_equal(read.head(3), FRAME, check_dtype=False)
    assert [len(part) for part in pandas.read_sql("SELECT * FROM frame", engine, chunksize=4)] == [4, 2]
    some = pandas.read_sql(sa.text("SELECT text FROM frame WHERE large > :least"), engine, params={"least": 0})
    assert list(some["text"]) == ["a", "a"]


def test_frames_of_polars(engine: sa.Engine) -> None:
    frame = polars.DataFrame(
        {"number": [1, 2, None], "moment": [datetime.datetime(2024, 1, 1), None, None], "flag": [True, None, False]}
    )
    frame.write_database("frame", engine, if_table_exists="replace")
    frame.write_database("frame", engine, if_table_exists="append")
    read = polars.read_database("SELECT * FROM frame", engine)
    assert read.equals(polars.concat([frame, frame]))
    parts = polars.read_database("SELECT * FROM frame", engine, iter_batches=True, batch_size=4)
    assert [len(part) for part in parts] == [4, 2]
