"""The drawings of the pages on storage and architecture: ``python -m documentation.diagrams`` writes them anew."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from documentation.drawing import Drawing, row_of

FOLDER: Final = Path(__file__).parent.parent / "docs" / "diagrams"


def channels() -> Drawing:
    """Draw what the channels of a database hold."""
    drawing = Drawing(
        "What the channels hold",
        "The category discosql, hidden from everyone, has a channel _dbmetadata with the log, a channel users with "
        "the pages of the table users, and a channel users_name with the pages of its index. The log has the entries "
        "1 to 7, each naming the one before. Entry 4 is a checkpoint: it covers entries 1 to 3, and its manifest "
        "names the messages whose files are pages. Entries 5 to 7 are the tail.",
        430,
    )
    drawing.group(14, 14, 672, 402, "the category discosql, hidden from @everyone")
    drawing.group(30, 46, 640, 134, "_dbmetadata", "the log: one entry a slot, and each names the one before")
    for slot, x in enumerate(row_of(7, 46, 76, 12), 1):
        name, kind = ("checkpoint", "plain") if slot == 4 else ("commit", "log")
        drawing.box(x, 80, 76, 46, str(slot), name, kind=kind)
        if slot > 1:
            drawing.arrow((x, 103), (x - 12, 103))
    drawing.text(46, 156, "covered by the checkpoint", style="small")
    drawing.text(430, 156, "the tail, which is in memory", style="small")
    drawing.box(286, 142, 124, 28, "its manifest")
    drawing.arrow((348, 126), (348, 142))
    drawing.group(30, 212, 394, 188, "users", "the rows, in pages: files of messages")
    drawing.group(444, 212, 226, 188, "users_name", "an index by hash")
    for y, first, last in ((250, 1, 9000), (322, 9001, 18000)):
        drawing.box(46, y, 170, 62, "page", f"rowids {first:,}", f"to {last:,}", kind="page")
    drawing.box(238, 250, 170, 62, "page", "rowids 18,001", "to 27,000", kind="page")
    drawing.box(238, 322, 170, 62, "page, replaced", "an older state;", "VACUUM removes it", kind="gone")
    drawing.box(460, 250, 194, 62, "page 0", "hashes that begin with 0:", "hash → rowids", kind="index")
    drawing.box(460, 322, 194, 62, "page 1", "hashes that begin with 1:", "hash → rowids", kind="index")
    drawing.arrow((348, 170), (348, 196), (227, 196), (227, 212))
    drawing.arrow((348, 196), (557, 196), (557, 212))
    drawing.text(360, 190, "names each page, by message and checksum", style="small")
    return drawing


def commit() -> Drawing:
    """Draw how a commit goes."""
    drawing = Drawing(
        "The life of a commit",
        "Transactions with their changes and what they have read wait in a queue. One task takes all that wait and "
        "checks each against every entry since its snapshot; those that conflict get a SerializationError. The others "
        "become one entry of the next slot, which is posted, and then the log is read. If the entry won its slot the "
        "commits are acknowledged, else the winner's changes are applied and the check begins anew. Without an answer "
        "the same bytes are sent again; if there is none still, the callers get an UnknownOutcomeError.",
        470,
    )
    for number, x in enumerate(row_of(3, 60, 146, 20)):
        drawing.box(x, 24, 146, 46, f"transaction {'ABC'[number]}", "changes, keys read")
        drawing.arrow((x + 73, 70), (x + 73, 100))
    drawing.text(556, 44, "each on a snapshot;", style="small")
    drawing.text(556, 60, "nothing is sent yet", style="small")
    drawing.box(60, 100, 478, 30, "the queue of commits", kind="plain")
    drawing.arrow((296, 130), (296, 158))
    drawing.box(164, 158, 264, 46, "check against every later entry", "and those before it in the queue")
    drawing.arrow((428, 181), (502, 181))
    drawing.box(502, 158, 184, 46, "SerializationError", "nothing of it is stored", kind="stop")
    drawing.text(465, 174, "conflict", style="small", anchor="middle")
    drawing.arrow((296, 204), (296, 232))
    drawing.box(164, 232, 264, 46, "POST one entry at the next slot", "all that fit together: one message", kind="log")
    drawing.arrow((428, 255), (502, 255), dashed=True)
    drawing.box(502, 232, 184, 46, "the same again", "same bytes, same nonce", kind="log")
    drawing.text(465, 248, "no answer", style="small", anchor="middle")
    drawing.arrow((296, 278), (296, 306))
    drawing.box(164, 306, 264, 46, "GET the newest page of the log", "who won the slot?", kind="log")
    drawing.arrow((594, 278), (594, 306), dashed=True)
    drawing.box(502, 306, 184, 46, "UnknownOutcomeError", "outcome() tells later", kind="stop")
    drawing.arrow((296, 352), (296, 396))
    drawing.text(308, 378, "our entry", style="small")
    drawing.box(164, 396, 264, 46, "the newest state", "the callers are answered", kind="page")
    drawing.arrow((164, 329), (136, 329), (136, 181), (164, 181))
    for y, line in ((246, "another's entry:"), (262, "take its changes"), (278, "in, and check"), (294, "once more")):
        drawing.text(128, y, line, style="small", anchor="end")
    return drawing


def slots() -> Drawing:
    """Draw who wins a slot."""
    drawing = Drawing(
        "Who wins a slot",
        "Three timelines of candidates of one slot. Without an owner the lowest message id wins. The session that won "
        "the slot before, the owner, wins with a higher id, too, if it is at most SETTLE younger. A reader decides at "
        "once for the owner's entry, and otherwise after SETTLE plus DELTA.",
        336,
    )
    for y, name, note in (
        (30, "two newcomers", "the lowest id wins, once SETTLE + Δ have passed since the first one"),
        (132, "the owner in time", "it won the slot before: it wins though its id is higher, and nobody waits"),
        (234, "the owner too late", "more than SETTLE behind the first candidate: the lowest id wins"),
    ):
        drawing.text(24, y + 4, name, style="strong")
        drawing.text(190, y + 4, note, style="small")
        drawing.arrow((180, y + 66), (676, y + 66))
        drawing.text(676, y + 84, "message ids, by time", style="small", anchor="end")
        drawing.box(24, y + 24, 132, 42, "slot 7", "won by the owner", kind="log")
        drawing.arrow((180, y + 45), (156, y + 45))
    drawing.box(212, 54, 110, 42, "B's slot 8", "wins", kind="page")
    drawing.box(346, 54, 110, 42, "C's slot 8", "writes slot 9", kind="gone")
    drawing.box(212, 156, 110, 42, "B's slot 8", "writes slot 9", kind="gone")
    drawing.box(346, 156, 130, 42, "owner's slot 8", "wins", kind="page")
    drawing.box(212, 258, 110, 42, "B's slot 8", "wins", kind="page")
    drawing.box(530, 258, 130, 42, "owner's slot 8", "writes slot 9", kind="gone")
    drawing.text(340, 274, "more than SETTLE, a second", style="small")
    drawing.arrow((340, 284), (520, 284), dashed=True)
    return drawing


def lookup() -> Drawing:
    """Draw how a lookup by key reads."""
    drawing = Drawing(
        "The life of a lookup",
        "A key is looked up in the tail, which is in memory, and hashed. The first bits of the hash name an index "
        "page, which is loaded with one request and one download if it is not in memory. It gives rowids; each names a "
        "row page by its range of rowids, loaded in the same way. The rows are compared with the key, and those that "
        "the tail has changed are left out.",
        300,
    )
    drawing.box(20, 30, 150, 62, "name = 'Ada'", "made comparable:", "type, collation")
    drawing.arrow((170, 61), (200, 61))
    drawing.box(200, 30, 150, 62, "hash, 64 bits", "1011 0110 …", "two bits: page 2")
    drawing.arrow((350, 61), (380, 61))
    drawing.box(380, 30, 140, 62, "index page 2", "1 GET, 1 download", "or in memory: 0", kind="index")
    drawing.arrow((520, 61), (550, 61))
    drawing.box(550, 30, 130, 62, "rowids", "7, 31,415", "or none: a miss")
    drawing.arrow((95, 92), (95, 190))
    drawing.text(107, 136, "also in", style="small")
    drawing.box(20, 190, 150, 62, "the tail", "changed rows, by key:", "in memory, 0", kind="log")
    drawing.arrow((615, 92), (615, 190))
    drawing.text(603, 136, "ranges of rowids", style="small", anchor="end")
    drawing.text(603, 152, "in the manifest", style="small", anchor="end")
    drawing.box(530, 190, 150, 62, "row pages", "1 GET, 1 download", "or in memory: 0", kind="page")
    drawing.arrow((530, 221), (455, 221))
    drawing.arrow((170, 221), (245, 221))
    drawing.box(
        245, 178, 210, 86, "the rows", "compared with the key;", "what the tail changed", "counts as the tail says"
    )
    drawing.text(350, 284, "cold: 2 requests and 2 downloads, for any size; warm: none", style="small", anchor="middle")
    return drawing


def checkpoint() -> Drawing:
    """Draw what a checkpoint writes, and what VACUUM removes afterwards."""
    drawing = Drawing(
        "A checkpoint, and VACUUM after it",
        "Before: the pages P1 to P3 and a tail of changes that touch P2. The checkpoint writes P2 anew as a page of "
        "its own and names P1, the new page and P3 in its manifest. Later VACUUM removes the entries that no "
        "checkpoint in use needs, and the old P2. Nothing is ever edited.",
        424,
    )
    for y, title, note in (
        (22, "1  a tail has grown", "64 entries, 1 MiB of log, or at closing: a checkpoint is due"),
        (156, "2  the checkpoint", "writes pages that changed, then its entry, which names all pages"),
        (290, "3  VACUUM", "an hour and one more checkpoint later: what no state needs goes"),
    ):
        drawing.text(24, y + 8, title, style="strong")
        drawing.text(226, y + 8, note, style="small")
        drawing.text(24, y + 44, "log", style="small")
        drawing.text(24, y + 92, "pages", style="small")
    entries = ("checkpoint", "commit", "commit", "commit")
    for y, kinds in ((46, "plll"), (180, "plllp"), (314, "xxxxp")):
        for number, (x, kind) in enumerate(zip(row_of(5, 84, 94, 22), kinds, strict=False)):
            name = "checkpoint" if number in (0, 4) else entries[1]
            drawing.box(x, y, 94, 28, name, kind={"p": "plain", "l": "log", "x": "gone"}[kind])
            if number:
                drawing.arrow((x, y + 14), (x - 22, y + 14))
    for y, fresh, old in ((94, False, "page"), (228, True, "page"), (362, True, "gone")):
        drawing.box(84, y, 94, 28, "P1", kind="page")
        drawing.box(200, y, 94, 28, "P2", kind=old)
        drawing.box(316, y, 94, 28, "P3", kind="page")
        if fresh:
            drawing.box(548, y, 94, 28, "P2, new", kind="page")
    for x, top in ((131, 74), (595, 208), (595, 342)):
        drawing.arrow((x, top), (x, top + 20))
        for page in (247, 363) if x == 131 else (131, 363):
            drawing.arrow((x, top + 10), (page, top + 10), (page, top + 20))
    drawing.text(24, 410, "Dashed: removed. Until then AS OF reads the past from them.", style="small")
    return drawing


def rooms() -> Drawing:
    """Draw the rooms of the package, those above knowing those below."""
    drawing = Drawing(
        "The rooms of the package",
        "From top to bottom: bot, cli and sqlalchemy; dbapi, database and table; aio; session and explaining; "
        "executor; planner and storage side by side, which do not know each other; schema, types and errors. SQL text "
        "comes in at the top, messages of Discord go out at the bottom of storage.",
        404,
    )
    drawing.box(120, 20, 148, 42, "bot/", "slash commands")
    drawing.box(276, 20, 148, 42, "cli/", "the command discosql")
    drawing.box(432, 20, 148, 42, "sqlalchemy/", "the dialect")
    drawing.box(120, 74, 148, 42, "dbapi", "connect(), blocking")
    drawing.box(276, 74, 148, 42, "database", "a bot's database")
    drawing.box(432, 74, 148, 42, "table", "classes, pydantic")
    drawing.box(120, 128, 460, 42, "aio", "connect() with await: the one real implementation", kind="index")
    drawing.box(
        120, 182, 460, 42, "session, explaining", "the life of a statement; transactions; EXPLAIN", kind="index"
    )
    drawing.box(120, 236, 460, 42, "executor/", "a plan becomes a generated Python function", kind="page")
    drawing.box(120, 290, 226, 42, "planner/", "SQL text becomes a plan", kind="page")
    drawing.box(354, 290, 226, 42, "storage/", "rows become messages", kind="log")
    drawing.box(120, 344, 460, 42, "schema, types, errors", "what all of them agree on")
    drawing.text(24, 315, "SQL text", style="strong")
    drawing.arrow((94, 311), (120, 311))
    drawing.arrow((580, 311), (614, 311))
    drawing.text(620, 309, "a guild:", style="strong")
    drawing.text(620, 325, "Discord", style="small")
    return drawing


DIAGRAMS: Final[Mapping[str, Callable[[], Drawing]]] = {
    "channels": channels,
    "commit": commit,
    "slots": slots,
    "lookup": lookup,
    "checkpoint": checkpoint,
    "rooms": rooms,
}


def main() -> None:
    """Write every drawing into its file."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in DIAGRAMS.items():
        (FOLDER / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
