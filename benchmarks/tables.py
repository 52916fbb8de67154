"""The data of the benchmarks: a shop, made from a fixed seed, and TPC-H, made by tpchgen-cli."""

import sqlite3
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

SEED: Final = 20_240_601
USERS: Final = 10_000
ORDERS: Final = 100_000
SCALE_FACTOR: Final = "0.01"

TPCH: Final = Path(__file__).parent / "tpch"
"""The tables and queries of TPC-H."""

SHOP_SCHEMA: Final = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL, age INTEGER NOT NULL);
    CREATE TABLE orders (
      id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, amount REAL NOT NULL, status TEXT NOT NULL,
      day INTEGER NOT NULL);
"""

SHOP_INDEXES: Final = (
    "CREATE INDEX orders_user ON orders (user_id, amount, id)",
    "CREATE INDEX orders_day ON orders (day, user_id)",
    "CREATE INDEX orders_status ON orders (status, amount)",
    "CREATE INDEX orders_amount ON orders (amount, id)",
)
"""Indexes that serve each query of the shop, for the engine that is to have them."""


@dataclass(frozen=True)
class Table:
    """A table with its rows; `columns` are pairs of name and SQLite's type, `key` the primary key."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.columns]

    def create(self, *, keyed: bool = True) -> str:
        """Return the statement that makes the table, in words that SQLite and its relatives know."""
        parts = [f"{name} {kind} NOT NULL" for name, kind in self.columns]
        if keyed and len(self.key) == 1:
            parts = [part + " PRIMARY KEY" if part.split()[0] in self.key else part for part in parts]
        elif keyed and self.key:
            parts.append(f"PRIMARY KEY ({', '.join(self.key)})")
        return f"CREATE TABLE {self.name} ({', '.join(parts)})"

    @property
    def insert(self) -> str:
        """The statement that adds a row."""
        return f"INSERT INTO {self.name} VALUES ({', '.join('?' * len(self.columns))})"


def shop() -> list[Table]:
    """Return 10,000 users and 100,000 orders, the same ones each time."""
    random = Random(SEED)
    countries, statuses = ("BR", "DE", "FR", "IN", "JP", "US"), ("cancelled", "open", "paid", "sent")
    rows = {
        "users": [(n, f"user {n}", random.choice(countries), random.randint(18, 90)) for n in range(1, USERS + 1)],
        "orders": [
            (n, random.randint(1, USERS), random.randint(1, 100_000) / 100, random.choice(statuses), n * 1000 // ORDERS)
            for n in range(1, ORDERS + 1)
        ],
    }
    return _tables(SHOP_SCHEMA, rows)


def tpch() -> list[Table]:
    """Return the tables of TPC-H at scale 0.01."""
    program = Path(sysconfig.get_path("scripts"), "tpchgen-cli")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "tbl", "-s", SCALE_FACTOR, "-o", folder], check=True, capture_output=True)
        files = {path.stem: path.read_text().splitlines() for path in Path(folder).glob("*.tbl")}
    rows: dict[str, Iterable[Any]] = {
        name: (line.removesuffix("|").split("|") for line in lines) for name, lines in files.items()
    }
    return _tables((TPCH / "schema.sql").read_text(), rows)


def tpch_queries() -> dict[str, str]:
    """Return the 22 queries by their names, q01 to q22."""
    return {path.stem: path.read_text() for path in sorted(TPCH.glob("q*.sql"))}


def _tables(schema: str, rows: dict[str, Iterable[Any]]) -> list[Table]:
    """Return the tables of a schema, with values as SQLite converts them."""
    database = sqlite3.connect(":memory:")
    database.executescript(schema)
    tables = []
    for name, values in rows.items():
        info = database.execute(f"PRAGMA table_info({name})").fetchall()
        columns = tuple((column[1], column[2]) for column in info)
        key = tuple(column[1] for column in sorted(info, key=lambda column: column[5]) if column[5])
        database.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", values)
        tables.append(Table(name, columns, key, database.execute(f"SELECT * FROM {name}").fetchall()))
    database.close()
    return tables
