"""The tail: what the log says after the checkpoint whose pages are in use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from discosql.schema import Catalog
from discosql.storage.entry import Entry
from discosql.storage.state import Changes, commits_from_json


@dataclass(frozen=True, slots=True)
class _Item:
    slot: int
    commits: Sequence[Changes]
    size: int
    in_files: bool


class Tail:
    """The commits after the checkpoint in use, kept to be put over the pages of the next one.

    With `kept` false they are only counted: for databases that never make checkpoints. `last_id` is the id of the last
    entry applied.
    """

    def __init__(self, *, kept: bool, last_id: str = "") -> None:
        self.last_id = last_id
        self._kept = kept
        self._items: list[_Item] = []

    def add(self, entry: Entry, commits: Sequence[Changes]) -> None:
        """Take an entry that was applied."""
        self.last_id = entry.id
        if self._kept and entry.kind == "c":
            self._items.append(_Item(entry.slot, commits, entry.size, bool(entry.files)))

    def cut(self, slot: int) -> None:
        """Drop the entries up to a slot."""
        self._items = [item for item in self._items if item.slot > slot]

    def __iter__(self) -> Iterator[tuple[int, Sequence[Changes]]]:
        return iter([(item.slot, item.commits) for item in self._items])

    def __len__(self) -> int:
        return len(self._items)

    @property
    def size(self) -> int:
        """The bytes of the entries."""
        return sum(item.size for item in self._items)

    @property
    def files(self) -> int:
        """The number of entries that opening the database would have to download."""
        return sum(item.in_files for item in self._items)


def commits_of(entry: Entry, body: Any, catalog: Catalog) -> Sequence[Changes]:
    """Return the transactions of an entry: `body` is a tuple of them, parsed JSON, or None if nothing is to be done."""
    if body is None:
        return ()
    return body if isinstance(body, tuple) else commits_from_json(body, catalog, objects=entry.objects)
