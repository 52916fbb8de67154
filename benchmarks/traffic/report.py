"""The results as a table in Markdown."""

from collections import Counter

from benchmarks.markdown import markdown_table
from benchmarks.traffic.libraries import Discobase, Discosql
from benchmarks.traffic.work import Result, Results


def table(results: Results) -> str:
    """Return a row for each kind of work: requests and modelled seconds of both libraries."""
    head = ("", "discobase: requests", "seconds", "discosql: requests", "seconds")
    works = dict.fromkeys(work for work, _ in results)
    rows = [(work, *_cells(results[work, Discobase.name]), *_cells(results[work, Discosql.name])) for work in works]
    return markdown_table(head, rows)


def _cells(result: Result) -> tuple[str, str]:
    if result.cannot:
        return "cannot", ""
    if not result.costs:
        return _failures(result).strip("; "), ""
    requests = _number(result.requests)
    if result.most > 1 and result.most >= 2 * result.requests:
        requests += f" (at most {result.most:,})"
    return requests + _failures(result), _number(result.seconds)


def _failures(result: Result) -> str:
    """Return which errors came how often."""
    tried = max(len(result.costs), len(result.failed))
    return "".join(f"; {number} of {tried} × {error}" for error, number in Counter(result.failed).items())


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
