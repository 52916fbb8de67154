"""What entries of the log held that a database is about to lose."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from discosql.errors import DatabaseCorruptionError, EncryptionKeyError
from discosql.schema import Catalog
from discosql.storage.chain import Candidate
from discosql.storage.entry import Entry
from discosql.storage.guild import Message, id_time
from discosql.storage.opening import is_timely
from discosql.storage.reading import body_of
from discosql.storage.survey import LogSurvey, claim_of


@dataclass(slots=True)
class RowCounts:
    """Rows of one table that an entry inserted, updated and deleted."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(slots=True)
class LostEntry:
    """A slot that is given up: when it was written and what it did.

    `message` and `moment` (seconds since 1970) are 0 where no message is left; `readable` is False where what it did is
    not known but by its `title`. `schema` names the tables that it created, altered or dropped.
    """

    slot: int
    message: int = 0
    moment: float = 0.0
    title: str = ""
    readable: bool = False
    transactions: int = 0
    tables: dict[str, RowCounts] = field(default_factory=dict)
    schema: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)


async def lost_entries(survey: LogSurvey, slot: int, catalog: Catalog) -> list[LostEntry]:
    """Return what would be lost by going back to a slot, oldest first; `catalog` is the schema as of that slot."""
    winners = {winner.entry.slot: winner for winner in survey.winners()}
    claims = {claim_of(message)[0]: message for message in survey.damaged()}
    top = max(survey.top, survey.last_known + 1 if survey.is_cut_off else 0)
    names = {table.id: table.name for table in catalog.tables.values()}
    slots = range(slot + 1, top + 1)
    return [await _lost(survey, number, winners.get(number), claims.get(number), names) for number in slots]


async def _lost(
    survey: LogSurvey, slot: int, winner: Candidate | None, claim: Message | None, names: dict[int, str]
) -> LostEntry:
    message = winner.message if winner is not None else claim
    if message is None:
        return LostEntry(slot)
    lost = LostEntry(slot, message.id, id_time(message.id), claim_of(message)[1])
    if winner is None:
        return lost
    if winner.entry.kind == "p" or not is_timely(winner.entry, winner.message):
        lost.readable = True
        return lost
    try:
        _count(lost, await body_of(survey.guild, winner), names)
    except (DatabaseCorruptionError, EncryptionKeyError):
        return lost
    lost.readable = True
    return lost


def _count(lost: LostEntry, body: Iterable[Any], names: dict[int, str]) -> None:
    numbers = set()
    for number, schema, operations in body:
        numbers.add(number)
        if schema is not None:
            _count_schema(lost, schema, names)
        for operation in operations:
            if operation[0] in ("i", "u", "d"):
                table = names.get(operation[1], f"number {operation[1]}")
                counts = lost.tables.setdefault(table, RowCounts())
                place = {"i": "inserted", "u": "updated", "d": "deleted"}[operation[0]]
                setattr(counts, place, getattr(counts, place) + len(operation[2]))
    lost.transactions = len(numbers)


def _count_schema(lost: LostEntry, schema: Mapping[str, Any], names: dict[int, str]) -> None:
    for table in schema.get("put", ()):
        verb = "ALTER" if table["id"] in names else "CREATE"
        names[table["id"]] = table["name"]
        lost.schema.append(f"{verb} TABLE {table['name']}")
    for dropped in schema.get("drop", ()):
        lost.schema.append(f"DROP TABLE {names.get(dropped, f'number {dropped}')}")
    lost.schema += [f"CREATE VIEW {view['name']}" for view in schema.get("views", ())]
    lost.schema += [f"DROP VIEW {name}" for name in schema.get("no_views", ())]


def rivals_of(survey: LogSurvey, slot: int, parent: str) -> list[tuple[Entry, Message]]:
    """Return the entries that could still win the slot after a winner."""
    return [(entry, message) for entry, message in survey.entries if entry.slot == slot and entry.parent == parent]
