"""Random triggers and random statements that fire them, for a comparison with SQLite.

The tables hold few small values, so that keys meet, and are STRICT on SQLite's side, as all of ours are.
"""

from random import Random

TABLES = (
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER UNIQUE, c TEXT NOT NULL DEFAULT 'x', d INTEGER CHECK (d < 9))"
    " STRICT",
    "CREATE TABLE u (x INTEGER NOT NULL UNIQUE, y TEXT COLLATE NOCASE, g INTEGER AS (x + 1)) STRICT",
    "CREATE TABLE w (k TEXT, n INTEGER, PRIMARY KEY (k, n)) STRICT, WITHOUT ROWID",
    "CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER) STRICT",
    "CREATE TABLE q (id INTEGER PRIMARY KEY, p INTEGER DEFAULT 1 REFERENCES p {actions}) STRICT",
    "CREATE TABLE log (what TEXT) STRICT",
    "CREATE VIEW v AS SELECT a, b, d AS e FROM t WHERE a < 6",
)
ROWS = (
    "INSERT INTO t VALUES (1, 1, 'a', 1), (2, 2, 'b', NULL), (3, NULL, 'c', 3)",
    "INSERT INTO u (x, y) VALUES (1, 'a'), (2, NULL)",
    "INSERT INTO w VALUES ('a', 1), ('b', 2)",
    "INSERT INTO p VALUES (1, 1), (2, 2), (3, 3)",
    "INSERT INTO q VALUES (1, 1), (2, 2), (3, 2), (4, NULL)",
)
CONTENTS = ("t", "u", "w", "p", "q", "log")

_ACTIONS = ("CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION", "RESTRICT")
_COLUMNS = {
    "t": {"a": "i", "b": "i", "c": "s", "d": "i"},
    "u": {"x": "i", "y": "s"},
    "w": {"k": "s", "n": "i"},
    "p": {"id": "i", "n": "i"},
    "q": {"id": "i", "p": "i"},
    "v": {"a": "i", "b": "i", "e": "i"},
}
_RESOLUTIONS = ("", "", "", " OR IGNORE", " OR REPLACE", " OR FAIL", " OR ABORT", " OR ROLLBACK")


class Generator:
    """Makes the SQL of one example. `rows` are the names among NEW and OLD that may be used just now."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._rows: tuple[tuple[str, str], ...] = ()

    def tables(self) -> list[str]:
        """Return the statements that make and fill the tables."""
        pick = self._random.choice
        actions = f"ON DELETE {pick(_ACTIONS)} ON UPDATE {pick(_ACTIONS)}"
        actions += pick(("", "", " DEFERRABLE INITIALLY DEFERRED"))
        return [*(sql.format(actions=actions) for sql in TABLES), *ROWS]

    def trigger(self, name: str) -> str:
        """Return a CREATE TRIGGER."""
        pick = self._random.choice
        table = pick(("t", "t", "t", "u", "w", "p", "q", "q", "v"))
        event = pick(("INSERT", "UPDATE", "DELETE", "UPDATE OF"))
        timing = "INSTEAD OF" if table == "v" else pick(("BEFORE", "AFTER"))
        kinds = {"INSERT": ("new",), "DELETE": ("old",)}.get(event, ("new", "old"))
        of = f" {', '.join(self._some(list(_COLUMNS[table])))}" if event == "UPDATE OF" else ""
        self._rows = tuple((kind, table) for kind in kinds)
        when = f" WHEN {self._condition(None)}" if self._chance(0.3) else ""
        steps = "; ".join(self._step() for _ in range(self._random.randint(1, 3)))
        self._rows = ()
        return f"CREATE TRIGGER {name} {timing} {event}{of} ON {table}{when} BEGIN {steps}; END"

    def statement(self) -> str:
        """Return a statement that changes rows."""
        return self._change(self._random.choice(("t", "t", "t", "u", "w", "p", "p", "q", "v")), returning=True)

    # Parts ---------------------------------------------------------------------------------------------------------

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _some(self, items: list[str]) -> list[str]:
        return self._random.sample(items, self._random.randint(1, len(items)))

    def _step(self) -> str:
        choice = self._random.random()
        if choice < 0.45:
            return f"INSERT INTO log VALUES ({self._note()})"
        if choice < 0.55:
            action = self._random.choice(("ABORT, 'a'", "FAIL, 'f' || 1", "ROLLBACK, 'r'", "IGNORE", "IGNORE"))
            return f"SELECT RAISE({action}) WHERE {self._condition(None)}"
        return self._change(self._random.choice(("t", "t", "u", "w", "p", "q", "v")), returning=False)

    def _note(self) -> str:
        parts = [f"'{self._random.choice('abcdef')}'"]
        for row, table in self._rows:
            columns = [*_COLUMNS[table], *(["rowid"] if table in ("t", "u", "p", "q") else [])]
            columns += ["g"] if table == "u" else []
            parts.append(f"coalesce({row}.{self._random.choice(columns)}, '-')")
        extra = ("changes()", "last_insert_rowid()", "(SELECT count(*) FROM t)")
        extra += ("(SELECT group_concat(a || ifnull(b, '') || c) FROM t)", "(SELECT count(*) FROM log)")
        parts += self._random.sample(extra, self._random.randint(0, 2))
        return " || ':' || ".join(parts)

    def _value(self, kind: str, table: str | None) -> str:
        """Return an expression of an integer or a text; `table` is the one whose columns may be named."""
        choice = self._random.random()
        own = [f"{row}.{name}" for row, owner in self._rows for name, its in _COLUMNS[owner].items() if its == kind]
        own += [] if table is None else [name for name, its in _COLUMNS[table].items() if its == kind]
        if choice < 0.55 and own:
            value = self._random.choice(own)
            return f"{value} + {self._random.randint(0, 2)}" if kind == "i" and self._chance(0.4) else value
        if kind == "s":
            return self._random.choice(("'a'", "'b'", "'B'", "'c'", "NULL", "'z'"))
        if choice > 0.9 and table is not None:
            return self._random.choice(
                ("(SELECT max(a) FROM t)", "(SELECT count(*) FROM log)", "(SELECT min(x) FROM u)")
            )
        return self._random.choice(("1", "2", "3", "4", "5", "7", "9", "NULL"))

    def _condition(self, table: str | None) -> str:
        kind = self._random.choice("iis")
        operator = self._random.choice(("=", "<", ">", "<>", "IS", "IN"))
        left, right = self._value(kind, table), self._value(kind, table)
        return f"{left} IN ({right}, 1, 2)" if operator == "IN" else f"{left} {operator} {right}"

    def _change(self, table: str, *, returning: bool) -> str:
        verb = self._random.choice(("INSERT", "INSERT", "UPDATE", "UPDATE", "DELETE", "REPLACE"))
        columns = _COLUMNS[table]
        resolution = self._random.choice(_RESOLUTIONS)
        tail = f" RETURNING {', '.join(columns)}" if returning and table != "v" and self._chance(0.3) else ""
        if verb in ("INSERT", "REPLACE"):
            return f"{verb}{resolution if verb == 'INSERT' else ''} INTO {table}{self._new_rows(table)}{tail}"
        where = f" WHERE {self._condition(table)}" if self._chance(0.6) else ""
        if verb == "DELETE":
            return f"DELETE FROM {table}{where}{tail}"
        # Replacing rows of one UPDATE by each other is done differently, as `_update_in_turn` tells.
        names = [name for name in columns if "REPLACE" not in resolution or name not in ("a", "id")]
        sets = ", ".join(f"{name} = {self._value(columns[name], table)}" for name in self._some(names))
        source = ""
        if self._chance(0.1):
            source, where = " FROM u AS z", f" WHERE z.x = {self._value('i', None)}"
        return f"UPDATE{resolution} {table} SET {sets}{source}{where}{tail}"

    def _new_rows(self, table: str) -> str:
        columns = self._some(list(_COLUMNS[table]))
        kinds = [_COLUMNS[table][name] for name in columns]
        if self._chance(0.2):
            values = ", ".join(self._value(kind, "t") for kind in kinds)
            return f" ({', '.join(columns)}) SELECT {values} FROM t WHERE {self._condition('t')} ORDER BY a"
        rows = [
            f"({', '.join(self._value(kind, None) for kind in kinds)})"
            for _ in range(self._random.choice((1, 1, 2, 3)))
        ]
        upsert = ""
        if table in ("t", "u") and self._chance(0.25):
            target = ["", *(f"({name})" for name in ("a", "b", "x") if name in columns)]
            sets = ", ".join(
                f"{name} = {self._random.choice((f'excluded.{name}', self._value(_COLUMNS[table][name], table)))}"
                for name in self._some(list(_COLUMNS[table]))
            )
            does = self._random.choice((f"UPDATE SET {sets}", "NOTHING"))
            upsert = f" ON CONFLICT {self._random.choice(target)} DO {does}"
        return f" ({', '.join(columns)}) VALUES {', '.join(rows)}{upsert}"
