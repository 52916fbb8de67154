"""EXPLAIN: what a statement will do, what it did and cost, and the code that was generated for it."""

import json
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, TypeAlias

from discosql.errors import NotSupportedError
from discosql.executor.context import Result
from discosql.executor.run import CompiledStatement
from discosql.planner.cost import Cost
from discosql.planner.explain import explain_json, explain_lines
from discosql.planner.plan import (
    ChangeSchema,
    Delete,
    Explain,
    IndexLookup,
    Insert,
    Scan,
    Statement,
    TransactionControl,
    Update,
    Vacuum,
)
from discosql.storage.engine import Engine, Pending

Steps: TypeAlias = Generator["Pending | None", Any, Result]
"""A running operation: yields what to fetch or None, is sent what was fetched, returns a result."""

Leaves: TypeAlias = Sequence[tuple[Scan | IndexLookup, Cost]]
"""The parts of a statement that read tables, with what that is expected to cost."""

COMMIT_REQUESTS: Final = 2
"""One to post the entry, one to see that it won its slot."""

_UNPLANNED: Final = (TransactionControl, Vacuum)
_WRITING: Final = (Insert, Update, Delete, ChangeSchema)


def explain_steps(
    explain: Explain,
    engine: Engine,
    leaves: Leaves,
    compile_inner: Callable[..., CompiledStatement],
    run: Callable[[CompiledStatement], Steps],
) -> Steps:
    """Explain a statement.

    `leaves` are those of the statement that is explained, `compile_inner` compiles it, with
    `count_rows` or without; `run` gives the steps of running it, which ANALYZE does: changes are really made.
    """
    statement = explain.statement
    if isinstance(statement, _UNPLANNED):
        raise NotSupportedError(f"EXPLAIN of {type(statement).__name__} has nothing to show")
    if explain.mode == "code":
        return _result(explain, compile_inner().code.splitlines())
    expected, notes = _expected(statement, leaves), _notes(engine, leaves)
    if explain.mode == "plan":
        return _shown(explain, notes, {"expected": expected}, [_expectation(expected)])
    compiled = compile_inner(count_rows=True)
    requests, modelled, started = engine.requests.copy(), engine.guild.model.seconds, time.perf_counter()
    result = yield from run(compiled)
    seconds = time.perf_counter() - started
    used = engine.requests.since(requests)
    measured: dict[str, Any] = {
        "rows": result.rowcount if result.columns is None else len(result.rows),
        "requests": dict(sorted(used.count.items())),
        "bytes_sent": used.bytes_sent,
        "bytes_received": used.bytes_received,
        "milliseconds": round(seconds * 1000, 3),
        "seconds_on_discord": round(engine.guild.model.seconds - modelled, 3),
    }
    for node, count in compiled.row_counts.items():
        notes[node] = {"rows": count, **notes.get(node, {})}
    return _shown(explain, notes, {"expected": expected, **measured}, [_expectation(expected), *_summary(measured)])


def _notes(engine: Engine, leaves: Leaves) -> dict[int, dict[str, object]]:
    """Return what to say of each leaf whose table has pages: their channels, and the expected cost of reading them."""
    notes: dict[int, dict[str, object]] = {}
    for node, cost in leaves:
        index = node.index.id if isinstance(node, IndexLookup) and node.index is not None else None
        channels = engine.channels_of(node.table.id, index)
        if channels:
            named = tuple(f"#{name}" for name in channels)
            notes[id(node)] = {
                "channels" if len(named) > 1 else "channel": named,
                "expected requests": cost.requests,
                "expected bytes": cost.bytes,
            }
    return notes


def _expected(statement: Statement, leaves: Leaves) -> dict[str, int]:
    total = sum([cost for _, cost in leaves], Cost())
    commit = COMMIT_REQUESTS if isinstance(statement, _WRITING) else 0
    return {"requests": total.requests, "bytes": total.bytes, "commit_requests": commit}


def _expectation(expected: dict[str, int]) -> str:
    parts = []
    if expected["requests"]:
        parts.append(f"{expected['requests']:,} requests for {expected['bytes']:,} bytes")
    if expected["commit_requests"]:
        parts.append(f"{expected['commit_requests']} requests to commit")
    return f"expected: {' and '.join(parts) or 'no requests'}"


def _summary(measured: dict[str, Any]) -> list[str]:
    asked = ", ".join(f"{kind} {count}" for kind, count in measured["requests"].items())
    return [
        f"rows: {measured['rows']:,}",
        f"requests: {asked or 'none'}",
        f"bytes: {measured['bytes_sent']:,} sent, {measured['bytes_received']:,} received",
        f"time: {measured['milliseconds']:.1f} ms here, {measured['seconds_on_discord']:.1f} s on Discord",
    ]


def _shown(explain: Explain, notes: dict[int, dict[str, object]], data: dict[str, Any], lines: list[str]) -> Result:
    if explain.format == "json":
        plan = json.loads(explain_json(explain.statement, notes))
        return _result(explain, [json.dumps({"plan": plan, **data}, ensure_ascii=False)])
    return _result(explain, [*explain_lines(explain.statement, notes), *lines])


def _result(explain: Explain, lines: list[str]) -> Result:
    return Result(explain.columns, [(line,) for line in lines])
