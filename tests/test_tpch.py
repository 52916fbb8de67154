"""The 22 queries of TPC-H on a small database of our own making: the rows are SQLite's."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pysqlite3.dbapi2 as sqlite
import pytest

import discosql

FOLDER = Path(__file__).parent.parent / "benchmarks" / "tpch"
QUERIES = sorted(FOLDER.glob("q*.sql"))

NATIONS = """
    ALGERIA ARGENTINA BRAZIL CANADA EGYPT ETHIOPIA FRANCE GERMANY INDIA INDONESIA IRAN IRAQ JAPAN JORDAN KENYA
    MOROCCO MOZAMBIQUE PERU CHINA ROMANIA ARABIA VIETNAM RUSSIA KINGDOM STATES
"""
REGION_OF_NATION = (0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1)
REGIONS = ("AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST")
WORDS = "special requests pending Customer Complaints green forest ironic furious slow quick bold"
EMPTY_QUERIES_AT_MOST = 4
"""So many of the queries may give no rows on data this small."""

Tables = dict[str, list[tuple[Any, ...]]]


class Maker:
    """Makes rows whose values are those that the queries ask for, often enough."""

    def __init__(self) -> None:
        self.random = Random(22)

    def tables(self) -> Tables:
        parts = [self.part(key) for key in range(1, 121)]
        made: Tables = {
            "region": [(key, name, "") for key, name in enumerate(REGIONS)],
            "nation": [(key, name, REGION_OF_NATION[key], "") for key, name in enumerate(NATIONS.split())],
            "part": parts,
            "supplier": [self.supplier(key) for key in range(1, 41)],
            "customer": [self.customer(key) for key in range(1, 101)],
        }
        made["partsupp"] = [
            (part, (part + place * 9) % 40 + 1, self.random.randint(1, 9999), self.money(1, 1000), self.text())
            for part in range(1, 121)
            for place in range(4)
        ]
        made["orders"], made["lineitem"] = [], []
        for key in range(1, 601):
            self.order(key, made)
        return made

    def money(self, low: int, high: int) -> float:
        return self.random.randint(low * 100, high * 100) / 100

    def text(self) -> str:
        return " ".join(self.random.choices(WORDS.split(), k=4))

    def part(self, key: int) -> tuple[Any, ...]:
        pick = self.random.choice
        brand = f"Brand#{pick('1123')}{pick('2335')}"
        kind = " ".join(
            (pick(("PROMO", "ECONOMY", "MEDIUM")), pick(("ANODIZED", "POLISHED")), pick(("STEEL", "BRASS")))
        )
        container = f"{pick(('SM', 'MED', 'LG'))} {pick(('CASE', 'BOX', 'BAG', 'PKG'))}"
        name = " ".join(self.random.sample(("forest", "green", "azure", "peach"), 2))
        size = pick((3, 9, 15, 23, 36, 45, 49))
        return key, name, "Manufacturer#1", brand, kind, size, container, self.money(900, 2000), self.text()

    def supplier(self, key: int) -> tuple[Any, ...]:
        nation = self.random.choice((2, 3, 3, 6, 7, 20, 20, *range(25)))
        phone = f"{nation + 10}-{key:03}"
        return key, f"Supplier#{key:03}", f"street {key}", nation, phone, self.money(-999, 9999), self.text()

    def customer(self, key: int) -> tuple[Any, ...]:
        nation = self.random.randrange(25)
        segment = self.random.choice(("BUILDING", "MACHINERY", "AUTOMOBILE"))
        phone = f"{nation + 10}-{key:03}"
        return key, f"Customer#{key:03}", "street", nation, phone, self.money(-999, 9999), segment, self.text()

    def order(self, key: int, made: Tables) -> None:
        pick = self.random.choice
        placed = date(1992, 1, 1) + timedelta(days=self.random.randrange(2400))
        lines = [self.line(key, number, placed) for number in range(1, self.random.randint(1, 7) + 1)]
        total = round(sum(line[5] for line in lines), 2)
        customer = self.random.randint(1, 70)
        priority = pick(("1-URGENT", "2-HIGH", "3-MEDIUM"))
        made["orders"].append(
            (key, customer, pick("FOP"), total, placed.isoformat(), priority, "Clerk", 0, self.text())
        )
        made["lineitem"].extend(lines)

    def line(self, order: int, number: int, placed: date) -> tuple[Any, ...]:
        pick, randint = self.random.choice, self.random.randint
        part = randint(1, 120)
        supplier = (part + randint(0, 3) * 9) % 40 + 1
        days = (randint(1, 120), randint(30, 90), randint(1, 30))
        shipped, committed = placed + timedelta(days=days[0]), placed + timedelta(days=days[1])
        received = shipped + timedelta(days=days[2])
        # Some orders are large enough for the query of large orders.
        quantity = 50.0 if order % 50 == 0 else float(randint(1, 50))
        return (
            *(
                order,
                part,
                supplier,
                number,
                quantity,
                self.money(900, 90000),
                randint(0, 10) / 100,
                randint(0, 8) / 100,
            ),
            *(pick("ANR"), pick("FO"), shipped.isoformat(), committed.isoformat(), received.isoformat()),
            *(pick(("DELIVER IN PERSON", "NONE")), pick(("AIR", "AIR REG", "MAIL", "SHIP")), self.text()),
        )


@pytest.fixture(scope="module")
def databases() -> Iterator[tuple[discosql.Connection, Any]]:
    ours, theirs = discosql.connect(":memory:"), sqlite.connect(":memory:")
    made = Maker().tables()
    for database in (ours, theirs):
        database.executescript((FOLDER / "schema.sql").read_text())
        for name, rows in made.items():
            database.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        database.commit()
    # Without these SQLite takes minutes for some of the queries.
    theirs.executescript("CREATE INDEX a ON lineitem (l_partkey); CREATE INDEX b ON orders (o_custkey)")
    yield ours, theirs
    ours.close()
    theirs.close()


def rounded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(float(f"{value:.9g}") if isinstance(value, float) else value for value in row) for row in rows]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_rows_are_those_of_sqlite(databases: tuple[discosql.Connection, Any], path: Path) -> None:
    ours, theirs = (database.execute(path.read_text()).fetchall() for database in databases)
    assert rounded(ours) == rounded(theirs)


def test_most_queries_find_something(databases: tuple[discosql.Connection, Any]) -> None:
    found = {path.stem: databases[0].execute(path.read_text()).fetchall() for path in QUERIES}
    empty = [name for name, rows in found.items() if not rows or all(value is None for row in rows for value in row)]
    assert len(found) == 22
    assert len(empty) <= EMPTY_QUERIES_AT_MOST, empty
