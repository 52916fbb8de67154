"""Random triggers and statements that fire them: discosql does what SQLite does."""

from collections.abc import Sequence
from random import Random

import pysqlite3.dbapi2 as sqlite
import pytest
from trigger_generator import CONTENTS, Generator

import discosql

EXAMPLES = 36
BLOCK = 12
CAMPAIGN = 4_000
CAMPAIGN_BLOCK = 200


class Example:
    """One schema with triggers and what is done to it, on both sides."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        generator = Generator(random)
        self.ours = discosql.connect(":memory:", isolation_level=None)
        self.theirs = sqlite.connect(":memory:", isolation_level=None)
        self.script = ["PRAGMA foreign_keys = ON", f"PRAGMA recursive_triggers = {random.random() < 0.3:d}"]
        self.script += generator.tables()
        self.script += [generator.trigger(f"tr{number}") for number in range(random.randint(1, 6))]
        self.script += ["BEGIN"] if random.random() < 0.3 else []
        self.script += [generator.statement() for _ in range(8)]
        # Replaced rows of a table without rowid are counted in a way of its own.
        self.compares_totals = not any("REPLACE" in sql for sql in self.script)

    def run(self) -> None:
        """Run the script on both sides up to where SQLite tells its counters in a way of its own."""
        for number, sql in enumerate(self.script):
            ours, theirs = _outcome(self.ours, sql, discosql.Error), _outcome(self.theirs, sql, sqlite.Error)
            if {"datatype mismatch", "too many levels of trigger recursion"} & {str(ours), str(theirs)}:
                # SQLite does not undo what such a statement has done by then.
                return
            said = "\n".join(self.script[: number + 1])
            is_error = isinstance(ours, str)
            assert is_error == isinstance(theirs, str) and (is_error or ours == theirs), f"{said}\n{ours}\n{theirs}"
            self._compare_contents(said, counters=not is_error)
            if is_error and not sql.startswith(("CREATE", "PRAGMA")):
                # Here a statement that failed counts for nothing, in SQLite for what it did before.
                return

    def _compare_contents(self, said: str, *, counters: bool) -> None:
        made = [name for name in CONTENTS if f"CREATE TABLE {name} " in said]
        questions = [f"SELECT * FROM {name}" + (" ORDER BY 1, 2" if name != "log" else "") for name in made]
        if counters:
            questions.append("SELECT changes(), last_insert_rowid()")
        if counters and self.compares_totals:
            questions.append("SELECT total_changes()")
        for question in questions:
            ours, theirs = (list(map(tuple, side.execute(question))) for side in (self.ours, self.theirs))
            assert ours == theirs, f"{said}\n{question}\n{ours}\n{theirs}"

    def close(self) -> None:
        """Close both databases."""
        self.ours.close()
        self.theirs.close()


def _outcome(
    connection: discosql.Connection | sqlite.Connection, sql: str, errors: type[Exception]
) -> tuple[Sequence[str], int] | str:
    try:
        cursor = connection.execute(sql)
        rows = sorted(map(repr, map(tuple, cursor.fetchall()))) if cursor.description else []
    except errors as error:
        return str(error)
    return rows, cursor.rowcount if not cursor.description else -1


def _run(seeds: range) -> None:
    for seed in seeds:
        example = Example(seed)
        try:
            example.run()
        finally:
            example.close()


@pytest.mark.parametrize("block", range(EXAMPLES // BLOCK))
def test_triggers(block: int) -> None:
    _run(range(block * BLOCK, (block + 1) * BLOCK))


@pytest.mark.campaign
@pytest.mark.parametrize("block", range(CAMPAIGN // CAMPAIGN_BLOCK))
def test_many_triggers(block: int) -> None:
    _run(range(block * CAMPAIGN_BLOCK, (block + 1) * CAMPAIGN_BLOCK))
