"""The oracle: what the log says, by everything that was ever posted, and whether everybody saw just that.

It follows the chain with code of its own, as it knows more than any process can: all messages, at any time.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from discosql.storage.entry import GENESIS, Entry, read_entry
from discosql.storage.guild import Message, id_time
from discosql.storage.opening import SEGMENT
from simulation.clients import Tables
from simulation.history import Attempt, History, Read, Rows, Sight
from simulation.server import Server


class Violation(AssertionError):
    """What must never happen has happened."""


def rows_of(table: dict[int, tuple[Any, ...]]) -> Rows:
    """Return a table's rows in the order of rowids, without them."""
    return tuple(table[rowid] for rowid in sorted(table))


class Ledger:
    """The true chain of a server's log, and the database as it tells it."""

    def __init__(self, server: Server, *, settle: float = 1.0, segment: float = SEGMENT, damaged: bool = False) -> None:
        self.server = server
        self.damaged = damaged
        self._segment = segment
        self.messages = {message.id: message for message in server.shelf(server.log.id).posted}
        self.winners = list(self._winners(settle))

    def _winners(self, settle: float) -> Iterator[tuple[Entry, Message]]:
        children: dict[str, dict[str, tuple[Entry, Message]]] = defaultdict(dict)
        for message in sorted(self.messages.values(), key=lambda message: message.id):
            entry = read_entry(message)
            if entry is not None:
                children[entry.parent].setdefault(entry.id, (entry, message))
        parent, owner = GENESIS, ""
        while candidates := list(children[parent].values()):
            first = candidates[0]
            own = next((pair for pair in candidates if pair[0].session == owner), first)
            won = own if id_time(own[1].id) <= id_time(first[1].id) + settle else first
            yield won
            parent, owner = won[0].id, won[0].session

    @property
    def head(self) -> int:
        return self.winners[-1][0].slot

    def _body(self, entry: Entry, message: Message) -> list[Any]:
        if entry.kind == "p" or (entry.oldest and id_time(message.id) - id_time(entry.oldest) > self._segment):
            return []
        if not entry.files:
            return list(entry.body)
        data, seen = b"", defaultdict[int, int](int)
        for mark in entry.files:
            carrier = mark.part or message.id
            data += self.server.files[f"{carrier}/{seen[carrier]}"]
            seen[carrier] += 1
        return [json.loads(line) for line in gzip.decompress(data).splitlines()]

    def commits(self) -> Iterator[tuple[int, list[list[Any]]]]:
        """Yield each slot with its transactions: ``[number, schema, operations]``."""
        for entry, message in self.winners:
            joined: dict[int, list[Any]] = {}
            for number, schema, operations in self._body(entry, message):
                known = joined.setdefault(number, [number, schema, []])
                known[2] += operations
            yield entry.slot, list(joined.values())


class Judge:
    """Replays the chain and compares it with what everybody did and saw."""

    def __init__(self, ledger: Ledger, history: History) -> None:
        self._ledger = ledger
        self._history = history
        self._sights: dict[int, list[Sight]] = defaultdict(list)
        for sight in history.sights:
            self._sights[sight.slot].append(sight)
        self._names: dict[int, str] = {}
        self.tables: Tables = {}
        self.order: list[Attempt] = []
        self.slots: dict[str, int] = {}

    def judge(self) -> None:
        """Raise Violation if anything is wrong."""
        self._check_sights(0)
        for slot, commits in self._ledger.commits():
            for commit in commits:
                self._apply(slot, commit)
            self._check_sights(slot)
        if self._sights:
            raise Violation(f"slots {sorted(self._sights)} were seen that the log does not have")
        self._check_outcomes()
        self._check_order()

    def _apply(self, slot: int, commit: Sequence[Any]) -> None:
        _, schema, operations = commit
        for table in (schema or {}).get("put", ()):
            self._names[table["id"]] = table["name"]
            self.tables.setdefault(table["name"], {})
        for kind, table, rows in operations:
            if kind == "i" and self._names[table] == "journal":
                for row in rows:
                    self._check_reads(self._history.attempts[row[2]], tuple(row[1:]), slot)
        for kind, number, data in operations:
            self._change(self.tables[self._names[number]], kind, data, slot)
        keys = [row[1] for row in self.tables.get("claims", {}).values()]
        if len(set(keys)) < len(keys):
            raise Violation(f"slot {slot} leaves a unique key twice: {keys}")

    def _check_reads(self, attempt: Attempt, row: tuple[Any, ...], slot: int) -> None:
        if attempt.name in self.slots:
            raise Violation(f"{attempt.name} is in slots {self.slots[attempt.name]} and {slot}")
        self.slots[attempt.name] = slot
        self.order.append(attempt)
        for read in attempt.reads:
            now = self._rows(read)
            if now != read.rows:
                raise Violation(f"{attempt.name} in slot {slot} read {read}, which then was {now}")
        if attempt.exact is not None and not attempt.exact(self.tables, row):
            raise Violation(f"{attempt.name} in slot {slot} does not fit what was there before")

    def _rows(self, read: Read) -> Rows:
        rows = rows_of(self.tables.get(read.table, {}))
        return rows if read.column < 0 else tuple(row for row in rows if row[read.column] == read.value)

    def _change(self, table: dict[int, tuple[Any, ...]], kind: str, data: Any, slot: int) -> None:
        if kind == "d":
            for rowid in data:
                del table[rowid]
        elif kind == "i":
            for row in data:
                if row[0] in table:
                    raise Violation(f"slot {slot} inserts row {row[0]} a second time")
                table[row[0]] = tuple(row[1:])
        elif kind == "u":
            for row in data:
                if row[0] not in table:
                    raise Violation(f"slot {slot} changes row {row[0]}, which is not there")
                table[row[0]] = tuple(row[1:])

    def _check_sights(self, slot: int) -> None:
        for sight in self._sights.pop(slot, ()):
            rows = rows_of(self.tables.get(sight.table, {}))
            if rows != sight.rows:
                raise Violation(f"{sight.process} saw {sight.rows} in {sight.table} at slot {slot}, which had {rows}")

    def _check_outcomes(self) -> None:
        for attempt in self._history.attempts.values():
            stored = attempt.name in self.slots
            if stored and attempt.outcome in ("refused", "failed"):
                raise Violation(f"{attempt.name} was {attempt.outcome} and is in slot {self.slots[attempt.name]}")
            if not stored and attempt.outcome == "acknowledged":
                raise Violation(f"{attempt.name} was acknowledged and is lost")
            if attempt.outcome == "unknown" and not attempt.transaction and not self._ledger.damaged:
                raise Violation(f"{attempt.name} cannot be asked for")
            if attempt.told is not None and attempt.told != stored:
                raise Violation(f"{attempt.name} was told to be {attempt.told}, but is {stored}")

    def _check_order(self) -> None:
        """What was acknowledged before something else began comes before it, and is seen by whoever asks later."""
        latest = 0.0
        for attempt in self.order:
            if attempt.outcome == "acknowledged" and attempt.ended < latest:
                raise Violation(f"{attempt.name} was acknowledged before an earlier one in the log began")
            latest = max(latest, attempt.started)
        acknowledged = sorted(
            (attempt.ended, self.slots[attempt.name]) for attempt in self.order if attempt.outcome == "acknowledged"
        )
        for sight in self._history.sights:
            for ended, slot in acknowledged if sight.asked else ():
                if ended < sight.asked and slot > sight.slot:
                    raise Violation(f"{sight.process} asked for the latest state and got {sight.slot}, not {slot}")
