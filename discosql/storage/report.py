"""Everything that an engine can tell of itself in figures, under names that stay."""

from collections.abc import Iterator

from discosql.storage.core import Engine
from discosql.storage.metrics import WAITS


def report(engine: Engine) -> dict[str, int | float]:
    """Return the figures of a database since it was opened, by name; the names are those of ``discosql_stats``."""
    return dict(_figures(engine))


def _figures(engine: Engine) -> Iterator[tuple[str, int | float]]:
    requests, cache, activity = engine.requests, engine.pages.cache, engine.activity
    yield "requests", requests.rest
    yield "downloads", requests.downloads
    for kind in sorted(requests.count):
        if kind != "download":
            yield f"requests.{kind}", requests.count[kind]
    yield "bytes_sent", requests.bytes_sent
    yield "bytes_received", requests.bytes_received
    for reason in WAITS:
        name = reason.replace(" ", "_")
        yield f"waits.{name}", requests.waits[reason]
        yield f"waits.{name}.seconds", round(requests.waited.get(reason, 0.0), 3)
    yield "cache.hits", cache.hits
    yield "cache.misses", cache.misses
    yield "cache.bytes", cache.used
    yield "cache.limit", cache.limit
    yield "commits", activity.commits
    yield "commits.joined", activity.commits - activity.entries
    yield "commits.unknown", activity.unknown
    yield "conflicts", activity.conflicts
    yield "slot", engine.head
    yield "checkpoints", activity.checkpoints
    yield "checkpoint.slot", 0 if engine.adopted is None else engine.adopted.cover.slot
    yield "tail.entries", len(engine.tail)
    yield "tail.bytes", engine.tail.size
