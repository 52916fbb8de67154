"""Keys: what is one, what follows from it, where it comes from, and where it must never show."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import SERVER, World
from loguru import logger
from stepped_clock import SteppedClock
from tables import create
from test_cli import run
from test_encryption import KEY, OTHER, connect, everything, rows

import discosql
from discosql.cli.main import main
from discosql.errors import DatabaseCorruptionError, EncryptionKeyError, Error, OperationalError, ProgrammingError
from discosql.opening import Options
from discosql.storage import sealing
from discosql.storage.discord import DiscordGuild
from discosql.storage.engine import EncryptionKey, EngineOptions, open_engine
from discosql.storage.guild import Guild
from discosql.storage.local import LocalGuild
from discosql.storage.sealing import COST, OVERHEAD, Derivation, Keyring, Seal, Secret, place_of

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def light_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys with the least work that is taken."""
    monkeypatch.setattr(sealing, "COST", 15)


@pytest.mark.parametrize("key", ["", b"", b"too short", bytes(33), 7, "\ud800"])
def test_what_is_no_key(key: Any) -> None:
    with pytest.raises(ProgrammingError) as caught:
        Keyring(key)
    assert "too short" not in str(caught.value)


def test_forms_of_one_key() -> None:
    assert Secret(f"hex:{KEY.hex()}").master(None) == Secret(KEY).master(None) == KEY
    assert Secret("hex:0123").is_passphrase
    derivation = Derivation(bytes(16), cost=15)
    # One letter in two code points, or in one.
    assert Secret("caf\u00e9").master(derivation) == Secret("cafe\u0301").master(derivation)


def test_scrypt_as_rfc_7914_has_it() -> None:
    # The third vector has 16 MiB: N=16384, r=8, p=1; its first 32 bytes.
    derivation = Derivation(b"SodiumChloride", cost=14)
    assert Secret("pleaseletmein").master(derivation).hex() == (
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    )


@pytest.mark.parametrize(
    "mark",
    [
        ["scrypt", 14, 8, 1, "00" * 16],
        ["scrypt", 21, 8, 1, "00" * 16],
        ["scrypt", 17, 9, 1, "00" * 16],
        ["scrypt", 17, 8, 5, "00" * 16],
        ["scrypt", 17, 8, 0, "00" * 16],
        ["scrypt", 17, 8, 1, "00" * 15],
        ["scrypt", 17, 8, 1, "xx" * 16],
        ["scrypt", 17, 8, True, "00" * 16],
        ["scrypt", 17.0, 8, 1, "00" * 16],
        ["argon2id", 17, 8, 1, "00" * 16],
        ["scrypt", 17, 8, 1],
    ],
)
def test_derivations_out_of_bounds(mark: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Derivation.from_json(mark)


def test_derivations_are_told_in_full() -> None:
    derivation = Derivation(bytes(range(16)))
    assert derivation.cost == COST >= 17
    assert Derivation.from_json(derivation.to_json()) == derivation


def sealed(master: bytes = KEY, log: int = 1) -> Seal:
    return Seal(master, None, log, lambda size: bytes(range(size)))


def test_a_seal_holds_at_its_place_only() -> None:
    seal = sealed()
    file = seal.seal_file(b"rows", place_of("rows", 1, 2))
    assert len(file) == len(b"rows") + OVERHEAD
    assert seal.open_file(file, place_of("rows", 1, 2)) == b"rows"
    assert seal.open_file(file, place_of("rows", 1, 3)) is None
    assert sealed(OTHER).open_file(file, place_of("rows", 1, 2)) is None
    assert sealed(log=2).open_file(file, place_of("rows", 1, 2)) is None
    assert all(seal.open_file(file[:size], place_of("rows", 1, 2)) is None for size in range(len(file)))
    text = seal.seal_text(b"rows", b"place")
    assert seal.open_text(text, b"place") == b"rows"
    assert seal.open_text(text, b"another") is None
    assert seal.open_text("no base64!", b"place") is None


def test_what_follows_from_a_key_differs_by_purpose_and_database() -> None:
    one, other = sealed(), sealed(log=2)
    assert len({one.seed, other.seed, one.name_of("t"), other.name_of("t"), one.name_of("u")}) == 5
    assert one.mark != other.mark


async def test_nonces_are_never_the_same() -> None:
    guild = LocalGuild.memory()
    db = await connect(guild)
    await db.execute("CREATE TABLE t (x)")
    for number in range(50):
        await db.execute("INSERT INTO t VALUES (?)", (number,))
    texts = [item.split(b'"z":"')[1][:16] async for item in everything(guild) if b'"z":"' in item]
    assert len(set(texts)) == len(texts) == 51
    await db.close()


async def test_a_passphrase(tmp_path: Path) -> None:
    guild = LocalGuild.memory(clock=SteppedClock())
    db = await connect(guild.peer(), PASSPHRASE)
    await db.execute("CREATE TABLE t (x)")
    await db.execute("INSERT INTO t VALUES (1)")
    await db.close()
    again = await connect(guild.peer(), PASSPHRASE)
    assert await rows(again, "SELECT * FROM t") == [(1,)]
    await again.close()
    for wrong in (PASSPHRASE + "r", KEY, None):
        with pytest.raises(EncryptionKeyError):
            await connect(guild.peer(), wrong)
    text = b"".join([item async for item in everything(guild)])
    assert PASSPHRASE.encode() not in text


async def test_two_processes_create_it_with_one_passphrase() -> None:
    guild = LocalGuild.memory(clock=SteppedClock())
    one, other = [await connect(guild.peer(), PASSPHRASE) for _ in range(2)]
    await one.execute("CREATE TABLE t (x)")
    # Its own salt is of no use any more.
    await other.execute("INSERT INTO t VALUES (1)")
    assert await one._session.engine.checkpoint()
    third = await connect(guild.peer(), PASSPHRASE)
    marks = {item.split(b'"e":')[1].split(b"]")[0] async for item in everything(guild) if b'"e":' in item}
    assert len(marks) == 1
    for db in (one, other, third):
        assert await rows(db, "SELECT * FROM t") == [(1,)]
        await db.close()


async def costs(guild: LocalGuild, key: EncryptionKey | None) -> list[Any]:
    """Return what everything costs that a database is used for."""
    spent: list[Any] = []

    async def opened() -> tuple[Guild, discosql.aio.Connection]:
        peer = guild.peer()
        db = await connect(peer, key)
        spent.append(dict(peer.requests.count))
        return peer, db

    async def measure(peer: Guild, db: discosql.aio.Connection, sql: str, *sets: Any) -> None:
        before = peer.requests.copy()
        await (db.executemany(sql, sets) if sets else db.execute(sql))
        spent.append((sql, dict(peer.requests.since(before).count)))

    peer, db = await opened()
    await measure(peer, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INTEGER)")
    await measure(peer, db, "INSERT INTO t VALUES (?, ?, ?)", *[(i, f"name {i}", i % 97) for i in range(5_000)])
    for number in range(20):
        await measure(peer, db, f"INSERT INTO t VALUES ({5_000 + number}, 'name {5_000 + number}', {number})")
    before = peer.requests.copy()
    assert await db._session.engine.checkpoint(everything=True)
    spent.append(dict(peer.requests.since(before).count))
    await measure(peer, db, f"UPDATE t SET name = '{'long ' * 250}' WHERE id = 7")
    await db.close()
    for sql in (
        "SELECT n FROM t WHERE name = 'name 500'",
        "SELECT n FROM t WHERE name = 'nobody'",
        "SELECT n FROM t WHERE id = 500",
        "SELECT count(*) FROM t",
    ):
        peer, db = await opened()
        await measure(peer, db, sql)
        await db.close()
    return spent


async def test_a_key_costs_no_request() -> None:
    plain = await costs(LocalGuild.memory(clock=SteppedClock()), None)
    assert await costs(LocalGuild.memory(clock=SteppedClock()), KEY) == plain
    for _, lookup in plain[-7::2][:3]:
        assert lookup.pop("download", 0) <= 2 and sum(lookup.values()) <= 2


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, level=0, format="{message} {extra} {exception}", backtrace=True, diagnose=False)
    logger.enable("discosql")
    yield lines
    logger.disable("discosql")
    logger.remove(sink)


async def test_the_key_never_shows(logged: list[str], caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "abracadabra"
    guild = LocalGuild.memory(clock=SteppedClock())
    options = EngineOptions(key=secret)
    engine = await open_engine(guild.peer(), options=options)
    await create(engine)
    shown = [repr(options), repr(engine), repr(engine.log.keyring), repr(Secret(secret)), repr(engine.options)]
    shown += [repr(Options.of("x.disco", {"key": secret})), repr(vars(engine.log.keyring))]
    await engine.close()
    for given in (secret + "é", secret.encode()):
        with pytest.raises(Error) as caught:
            await open_engine(guild.peer(), options=EngineOptions(key=given))
        shown.append(f"{caught.value} {caught.value!r}")
    with pytest.raises(ProgrammingError) as caught:
        discosql.connect(tmp_path / "x.disco", key=secret, kye=secret)  # type: ignore[call-arg]
    shown += [str(caught.value), *logged, caplog.text]
    assert [text for text in shown if secret in text] == []


def test_the_library_is_asked_for_only_with_a_key(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['cryptography'] = None\n"
        "import discosql\n"
        f"discosql.connect({str(tmp_path / 'plain.disco')!r}).execute('CREATE TABLE t (x)')\n"
        f"discosql.connect({str(tmp_path / 'sealed.disco')!r}, key='secret')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith(
        "OperationalError: encryption needs the library cryptography, the extra 'crypto': "
        "pip install 'discosql[crypto]'\n"
    ), done.stderr


def test_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOSQL_KEY", f"hex:{KEY.hex()}")
    path = tmp_path / "sealed.disco"
    with discosql.connect(path) as db:
        db.execute("CREATE TABLE secrets (x)")
    db.close()
    assert b"secrets" not in path.read_bytes()
    monkeypatch.delenv("DISCOSQL_KEY")
    with pytest.raises(EncryptionKeyError, match="DISCOSQL_KEY"):
        discosql.connect(path)
    discosql.connect(path, key=KEY).close()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.key").write_text(f"hex:{KEY.hex()}\n")
    Path("new.key").write_text(f"hex:{OTHER.hex()}\n")
    assert main(["--key-file", "old.key", "shop.disco", "CREATE TABLE item (x); INSERT INTO item VALUES (1)"]) == 0
    assert main(["shop.disco", "SELECT 1"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and "the database is encrypted: open it with" in shown.err
    assert main(["rekey", "shop.disco", "--key-file", "old.key", "--new-key-file", "new.key"]) == 0
    assert "encrypted with the new key" in capsys.readouterr().out
    assert main(["--key-file", "new.key", "-m", "csv", "shop.disco", "SELECT x FROM item"]) == 0
    assert capsys.readouterr().out.splitlines() == ["x", "1"]
    assert main(["rekey", "shop.disco", "--key-file", "new.key", "--decrypt"]) == 0
    assert main(["-m", "csv", "shop.disco", "SELECT x FROM item"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["x", "1"]


def test_keys_that_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typed = [f"hex:{KEY.hex()}", f"hex:{KEY.hex()}", f"hex:{KEY.hex()}", f"hex:{OTHER.hex()}", f"hex:{KEY.hex()}"]
    monkeypatch.setattr("getpass.getpass", lambda question: typed.pop(0))
    assert main(["shop.disco", "CREATE TABLE item (x)"]) == 0
    assert main(["rekey", "shop.disco", "--new-ask-key"]) == 0  # typed twice
    assert main(["rekey", "shop.disco", "--new-ask-key"]) == 1  # typed twice, but not the same
    assert main(["--ask-key", "shop.disco", "SELECT * FROM item"]) == 0
    assert typed == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--key-file", "nothing.key", "shop.disco", "SELECT 1"], "cannot read the key file nothing.key"),
        (["--key-file", "empty.key", "shop.disco", "SELECT 1"], "has no key in its first line"),
        (["rekey", "shop.disco"], "give either a new key"),
        (["rekey", "shop.disco", "--decrypt", "--new-key-file", "empty.key"], "has no key in its first line"),
        (["rekey", "nowhere.disco", "--decrypt"], "nowhere.disco"),
    ],
)
def test_wrong_commands(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.key").write_text("\n")
    assert main(arguments) == 1
    assert problem in capsys.readouterr().err


async def test_hostile_salts_are_not_derived_for_ever() -> None:
    keyring = Keyring(PASSPHRASE)
    derived = 0

    def count(self: Secret, derivation: Derivation | None) -> bytes:
        nonlocal derived
        derived += 1
        return bytes(32)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Secret, "master", count)
        for number in range(50):
            await keyring.prepare(["scrypt", 15, 8, 1, f"{number:032x}", f"{number:016x}"])
        for odd in ([], {}, "raw", 7, None, [[]], ["scrypt"]):
            await keyring.prepare(odd)
            assert keyring.find(odd) is None
    assert 0 < derived <= 8


async def test_keys_of_the_past_are_not_derived() -> None:
    guild = LocalGuild.memory(clock=SteppedClock())
    db = await connect(guild.peer(), PASSPHRASE)
    await db.execute("CREATE TABLE t (x)")
    for number in range(2):
        await db.rekey(f"{PASSPHRASE} {number}")
    await db.close()
    derived = []
    master = Secret.master

    def count(self: Secret, derivation: Derivation | None) -> bytes:
        derived.append(derivation)
        return master(self, derivation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Secret, "master", count)
        again = await connect(guild.peer(), f"{PASSPHRASE} 1")
    assert await rows(again, "SELECT * FROM t") == []
    assert len(derived) == 1
    await again.close()


def test_the_error_of_no_database_stays(tmp_path: Path) -> None:
    with pytest.raises(OperationalError):
        discosql.connect(tmp_path / "nowhere.disco", key=KEY, create=False)


async def test_a_database_of_tables(world: World) -> None:
    class Diary(discosql.Table):
        secret_entry: str

    db = discosql.Database(SERVER, bot=world.env.bot, slash_commands=False, key=KEY)
    db.table(Diary)
    await db.init()
    await Diary(secret_entry="nobody may know").commit()
    assert [found.secret_entry for found in await Diary.find()] == ["nobody may know"]
    await db.connection.rekey(OTHER)
    await db.clean()
    await db.build_tables()
    await Diary(secret_entry="after the cleaning").commit()
    # It is the new key that the database was made with again.
    guild = await DiscordGuild.attach(world.env.bot, world.guild.id, clock=world.clock)
    held = b"\n".join([item async for item in everything(guild)]).lower()
    assert b"diary" not in held and b"secret_entry" not in held and b"cleaning" not in held
    with pytest.raises(EncryptionKeyError):
        await open_engine(guild, options=EngineOptions(key=KEY))
    engine = await open_engine(guild, options=EngineOptions(key=OTHER))
    assert list(engine.catalog.tables) == ["diary"]
    await engine.close()
    await db.close()


async def test_a_damaged_page_ends_a_change_of_the_key_and_no_more() -> None:
    guild = LocalGuild.memory(clock=SteppedClock())
    db = await connect(guild.peer())
    await db.execute("CREATE TABLE t (x)")
    await db.execute("INSERT INTO t VALUES (1)")
    assert await db._session.engine.checkpoint(everything=True)
    await db.close()
    db = await connect(guild.peer())
    await db.execute("CREATE TABLE u (x)")
    (page,) = [channel for channel in await guild.channels() if channel.name.startswith("data-")]
    (message,) = await guild.messages(page.id)
    await guild.delete_message(page.id, message.id)
    with pytest.raises(DatabaseCorruptionError):
        await db.rekey(OTHER)
    await db.execute("INSERT INTO u VALUES (7)")
    assert await rows(db, "SELECT * FROM u") == [(7,)]
    await db.close()
    await (await connect(guild.peer())).close()


def test_two_processes_with_one_key(tmp_path: Path) -> None:
    (tmp_path / "one.key").write_text(f"hex:{KEY.hex()}\n")
    path = tmp_path / "shared.disco"
    with discosql.connect(path, key=KEY, isolation_level=None) as db:
        db.execute("CREATE TABLE t (x)")
        for number in range(2):
            done = run("--key-file", "one.key", "shared.disco", f"INSERT INTO t VALUES ({number})", cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            db.execute("INSERT INTO t VALUES (?)", (10 + number,))
        assert db.execute("SELECT x FROM t ORDER BY x").fetchall() == [(0,), (1,), (10,), (11,)]
    db.close()
