"""EXPLAIN: what a statement will do, what it did and cost, and the code that was generated for it."""

import json
import time
from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias

from discosql.errors import NotSupportedError
from discosql.executor.context import Result
from discosql.executor.run import CompiledStatement
from discosql.planner.explain import explain_json, explain_lines
from discosql.planner.plan import Explain, TransactionControl, Vacuum
from discosql.storage.engine import Engine, Pending

Steps: TypeAlias = Generator["Pending | None", Any, Result]
"""A running operation: yields what to fetch or None, is sent what was fetched, returns a result."""

_UNPLANNED: Final = (TransactionControl, Vacuum)


def explain_steps(
    explain: Explain,
    engine: Engine,
    compile_inner: Callable[[bool], CompiledStatement],
    run: Callable[[CompiledStatement], Steps],
) -> Steps:
    """Explain a statement.

    `compile_inner` compiles the statement that is explained, with counting of rows or without; `run` gives the steps
    of running it, which ANALYZE does: changes are really made.
    """
    statement = explain.statement
    if isinstance(statement, _UNPLANNED):
        raise NotSupportedError(f"EXPLAIN of {type(statement).__name__} has nothing to show")
    if explain.mode == "code":
        return _result(explain, compile_inner(False).code.splitlines())
    if explain.mode == "plan":
        text = explain_json(statement) if explain.format == "json" else None
        return _result(explain, [text] if text is not None else explain_lines(statement))
    compiled = compile_inner(True)
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
    counts = {node: {"rows": count} for node, count in compiled.row_counts.items()}
    if explain.format == "json":
        plan = json.loads(explain_json(statement, counts))
        return _result(explain, [json.dumps({"plan": plan, **measured}, ensure_ascii=False)])
    return _result(explain, [*explain_lines(statement, counts), *_summary(measured)])


def _summary(measured: dict[str, Any]) -> list[str]:
    asked = ", ".join(f"{kind} {count}" for kind, count in measured["requests"].items())
    return [
        f"rows: {measured['rows']:,}",
        f"requests: {asked or 'none'}",
        f"bytes: {measured['bytes_sent']:,} sent, {measured['bytes_received']:,} received",
        f"time: {measured['milliseconds']:.1f} ms here, {measured['seconds_on_discord']:.1f} s on Discord",
    ]


def _result(explain: Explain, lines: list[str]) -> Result:
    return Result(explain.columns, [(line,) for line in lines])
