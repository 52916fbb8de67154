"""The simulation on an encrypted database: what orders commits does not depend on what they say."""

from functools import partial
from typing import Any

import pytest
from simulation import ledger, runs
from simulation.ledger import Ledger
from simulation.modes import MODES

from discosql.storage.engine import EngineOptions
from discosql.storage.entry import Entry, read_body, read_entry
from discosql.storage.guild import Message
from discosql.storage.sealing import Keyring

KEY = bytes(range(32))


class SealedLedger(Ledger):
    """The true chain of an encrypted log, for one who has the key."""

    def _body(self, entry: Entry, message: Message) -> list[Any]:
        body = super()._body(replace_files(entry), message)
        if not entry.files or body != [PLACEHOLDER]:
            return body
        seen: dict[int, int] = {}
        files = []
        for mark in entry.files:
            carrier = mark.part or message.id
            files.append(self.server.files[f"{carrier}/{seen.get(carrier, 0)}"])
            seen[carrier] = seen.get(carrier, 0) + 1
        return read_body(entry, files)


PLACEHOLDER: Any = ["in files"]


def replace_files(entry: Entry) -> Entry:
    """Return an entry as if its body was in its text, for all that the ledger decides before it looks at files."""
    if not entry.files:
        return entry
    return Entry(
        entry.id, entry.slot, entry.parent, entry.session, 0, False, [PLACEHOLDER], (), entry.oldest, entry.cover
    )


def read_with_key(message: Message) -> Entry | None:
    keyring = Keyring(KEY, message.channel)
    entry = read_entry(message, keyring)
    if entry is None or not entry.locked:
        return entry
    with pytest.raises(StopIteration):
        keyring.prepare(entry.mark).send(None)  # a raw key is derived without waiting
    return read_entry(message, keyring)


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "EngineOptions", partial(EngineOptions, key=KEY))
    monkeypatch.setattr(runs, "Ledger", SealedLedger)
    monkeypatch.setattr(ledger, "read_entry", read_with_key)


@pytest.mark.parametrize("mode", MODES)
def test_simulated_minutes(mode: str) -> None:
    this = runs.simulate(mode, 3, 1)
    assert this.acknowledged
    texts = [message.content for message in this.server.shelf(this.server.log.id).posted]
    assert texts and all(not text.startswith("#") or '"e":["raw"' in text for text in texts)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(2, 40))
@pytest.mark.parametrize("mode", MODES)
def test_many_simulated_minutes(mode: str, seed: int) -> None:
    runs.simulate(mode, 3, seed)
