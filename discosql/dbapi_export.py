"""Exporting from a connection, synchronous or asynchronous: what both take and how they read one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, TypedDict

from discosql.connection import ConnectionBase, Progress, no_progress

if TYPE_CHECKING:
    from discosql.executor.context import Result
    from discosql.explaining import Steps
    from discosql.storage.engine import Pending
    from discosql.transfer.exporting import Exported, IfExists
    from discosql.transfer.relations import Snapshot


class ExportSettings(TypedDict, total=False):
    """What is exported and how: see `transfer.exporting.ExportOptions`. `progress` is told how far it is."""

    query: str | None
    name: str
    format: str | None
    if_exists: IfExists
    batch: int
    progress: Progress | None


class Exporting(ConnectionBase):
    """A connection that can export what it sees."""

    def _reading(self, run: Callable[[Callable[[], Steps]], Result], fetch: Callable[[Pending], object]) -> Snapshot:
        """Return what is now, or what the open transaction sees; `run` drives steps, `fetch` gets what scans want."""
        # Few programs export, and all would import what that needs.
        from discosql.transfer.relations import Snapshot

        return Snapshot(self._session.reader(), run, fetch)


def export_from(
    snapshot: Snapshot, target: str | PathLike[str], table: str | Sequence[str] | None, settings: ExportSettings
) -> Exported:
    """Export from a snapshot as a connection's `export` was told to."""
    from discosql.transfer.exporting import ExportOptions, export

    tables = [table] if isinstance(table, str) else table or ()
    progress = settings.pop("progress", None) or no_progress
    return export(snapshot, target, ExportOptions(tables=tables, **settings), progress)  # type: ignore[misc]
