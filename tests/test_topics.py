"""Scripts by topic, a statement a line, on discosql and on SQLite: the same results and the same refusals."""

from pathlib import Path

import pytest
from planning import oracle
from test_statements_against_sqlite import answer

import discosql

TOPICS = sorted((Path(__file__).parent / "topics").glob("*.sql"))


@pytest.mark.parametrize("path", TOPICS, ids=lambda path: path.stem)
def test_topic(path: Path) -> None:
    sqlite = oracle()
    title, *statements = path.read_text(encoding="utf-8").splitlines()
    assert title.startswith("-- ") and statements
    with discosql.connect(":memory:", isolation_level=None) as db:
        for sql in statements:
            ours, theirs = answer(db, sql), answer(sqlite, sql)
            if isinstance(ours, list) and isinstance(theirs, list) and "order by" not in sql:
                ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
            assert repr(ours) == repr(theirs), sql
