"""A million rows through SQL, each step in a process of its own: seconds, memory, and requests that do not grow."""

from pathlib import Path

import pytest

from benchmarks.size.measure import measure


@pytest.mark.campaign
def test_a_million_rows(tmp_path: Path) -> None:
    small, large = measure(10_000, tmp_path), measure(1_000_000, tmp_path)
    load = large["load"]
    assert load.rows == 1_000_000
    assert load.processor <= 60 and load.memory <= 2 * 1024
    for step, rows in (("open", 0), ("key", 1), ("unique", 1), ("secondary", 1), ("miss", 0)):
        spent = large[step]
        assert spent.rows == rows
        assert spent.processor <= 1.5 and spent.memory <= 200, step
        assert spent.rest <= 2 + 2 and spent.downloads <= 1 + 2, step
        assert spent.processor <= small[step].processor + 0.5, step
    pages = large["scan"].downloads - 1
    assert 30 <= pages <= 200
    assert large["scan"].rest <= 2 + -(-pages // 10)
    assert large["scan"].memory <= 1024
    update = large["update"]
    assert update.rows == 1_000
    assert update.memory <= 1024 and update.processor <= 30
