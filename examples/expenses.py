"""A script with the synchronous API: reads expenses from a CSV file and tells where the money went.

    python examples/expenses.py expenses.disco expenses.csv
    python examples/expenses.py "discord://My Server" expenses.csv      (with the bot's token in DISCOSQL_TOKEN)

The file has the columns day (2024-02-29), category, amount (12.50) and note. A line that was read before is not read
twice, so the script can be run again whenever the file has grown.
"""

import csv
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import discosql

SCHEMA = """
    CREATE TABLE IF NOT EXISTS category (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS expense (
        id INTEGER PRIMARY KEY,
        day DATE NOT NULL,
        category INTEGER NOT NULL REFERENCES category (id),
        amount DECIMAL NOT NULL CHECK (amount > 0),
        note TEXT NOT NULL DEFAULT '',
        UNIQUE (day, category, amount, note)
    );
"""

REPORT = """
    SELECT strftime('%Y-%m', day) AS month, category.name AS category, sum(amount) AS spent, count(*) AS times
    FROM expense JOIN category ON category.id = expense.category
    GROUP BY month, category.name
    ORDER BY month, spent DESC
"""


def lines(path: str) -> Iterator[dict[str, str]]:
    """Yield the lines of a CSV file by column, with spaces around values removed."""
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            yield {name: (value or "").strip() for name, value in line.items() if name}


def load(db: discosql.Connection, path: str) -> int:
    """Store what a file has and the database has not, and return how many lines that were: all in one commit."""
    read = [(line["day"], line["category"], Decimal(line["amount"]), line.get("note", "")) for line in lines(path)]
    with db:  # commits at the end, or rolls back after an error
        db.executemany("INSERT OR IGNORE INTO category (name) VALUES (?)", [(row[1],) for row in read])
        cursor = db.executemany(
            "INSERT OR IGNORE INTO expense (day, category, amount, note) "
            "VALUES (?, (SELECT id FROM category WHERE name = ?), ?, ?)",
            read,
        )
    return cursor.rowcount


def main(address: str, path: str) -> int:
    """Load a file and print the report. Returns the exit status."""
    try:
        db = discosql.connect(address)
    except discosql.Error as error:
        print(f"cannot open {address}: {error}", file=sys.stderr)
        return 1
    try:
        db.row_factory = discosql.Row
        db.executescript(SCHEMA)
        print(f"{load(db, path)} new expenses")
        for row in db.execute(REPORT):
            print(f"{row['month']}  {row['category']:12} {row['spent']:10.2f}  ({row['times']} times)")
    except (OSError, KeyError, InvalidOperation, discosql.Error) as error:
        print(f"cannot read {path}: {error!r}", file=sys.stderr)
        return 1
    finally:
        db.close()
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/expenses.py DATABASE FILE.csv")
    sys.exit(main(*sys.argv[1:]))
