"""What may come next where the cursor stands: names of a database, keywords, dot-commands and what they take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from discosql.cli.dot_commands import DOT_COMMANDS
from discosql.dbapi import Connection
from discosql.errors import Error
from discosql.planner.tokens import KEYWORDS, Token, quote, tokenize, unquote

_TYPES: Final = ["BLOB", "BOOLEAN", "DATE", "DECIMAL", "INTEGER", "JSON", "REAL", "TEXT", "TIMESTAMP", "UUID"]
_WORDS: Final = sorted({*KEYWORDS, *_TYPES, "STRICT"})

_BEFORE_TABLE: Final = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "REFERENCES", "VIEW"})
_ENDS_TABLES: Final = frozenset(
    {"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "SET", "VALUES", "ON", "USING", "SELECT"}
)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a database: the columns of each table and view, and functions."""

    tables: dict[str, list[str]] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)


def names_of(connection: Connection) -> Names:
    """Ask a database for its names; those of one that cannot be asked now are none."""
    names = Names()
    try:
        for name, kind in connection.execute("SELECT name, type FROM sqlite_master").fetchall():
            if kind in ("table", "view"):
                columns = connection.execute("SELECT name FROM pragma_table_xinfo(?)", (name,)).fetchall()
                names.tables[name] = [column for (column,) in columns]
            elif kind == "index":
                names.indexes.append(name)
        functions = connection.execute("SELECT DISTINCT name FROM pragma_function_list ORDER BY name").fetchall()
        names.functions.extend(name for (name,) in functions if name.isidentifier())
    except Error:
        return names
    return names


@dataclass(frozen=True, slots=True)
class Completions:
    """What fits, best first, and how many characters before the cursor each would replace."""

    texts: list[str]
    length: int


def complete(before: str, after: str, names: Names) -> Completions:
    """Return what may come next between the text before the cursor and the text after it."""
    line = before.rpartition("\n")[2]
    if line.lstrip().startswith("."):
        return _of_command(line.lstrip(), names)
    tokens = list(tokenize(before))[:-1]
    word = tokens.pop() if tokens and tokens[-1].end == len(before) and _is_word(tokens[-1]) else None
    given = "" if word is None else word.text
    statement = _last_statement(tokens)
    whole = [*statement, *_until_end(after if word is None else given + after)]
    fitting = _of_statement(statement, whole, given, names)
    return Completions(list(_matching(fitting, given)), len(given))


def _of_command(line: str, names: Names) -> Completions:
    command, space, rest = line.partition(" ")
    if not space:
        return Completions([name for name in DOT_COMMANDS if name.startswith(line)], len(line))
    known = DOT_COMMANDS.get(command)
    given = rest.rpartition(" ")[2]
    if known is None:
        return Completions([], 0)
    tables = list(names.tables) if "TABLE" in known.usage else []
    files = _files(given) if "FILE" in known.usage or "DATABASE" in known.usage else []
    return Completions(list(_matching([*known.words, *map(quote, tables), *files], given)), len(given))


def _files(given: str) -> list[str]:
    """Return the paths that begin with a text; folders end with a slash."""
    folder, slash, _ = given.rpartition("/")
    try:
        found = sorted(Path(folder + slash or ".").iterdir())
    except OSError:
        return []
    return [f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}" for path in found if path.name[:1] != "."]


def _is_word(token: Token) -> bool:
    return token.kind == "id" or token.kind in KEYWORDS or token.kind == "illegal"


def _last_statement(tokens: Sequence[Token]) -> list[Token]:
    ends = [place for place, token in enumerate(tokens) if token.kind == ";"]
    return list(tokens[ends[-1] + 1 if ends else 0 :])


def _until_end(text: str) -> Iterator[Token]:
    for token in tokenize(text):
        if token.kind in (";", "end"):
            return
        yield token


def _of_statement(before: Sequence[Token], whole: Sequence[Token], given: str, names: Names) -> list[str]:
    """Return what fits, in order of how well it does."""
    used = tables_of(whole, names)
    last = before[-1].kind if before else ""
    if last == "." and len(before) > 1:
        table = used.get(unquote(before[-2].text).lower())
        return [quote(column) for column in names.tables.get(table or "", [])]
    tables = [quote(name) for name in names.tables]
    if last in _BEFORE_TABLE or (last == "," and _is_in_from(before)):
        return [*tables, *(_cased(["IF", "SELECT"], given) if last in ("TABLE", "VIEW") else [])]
    if last == "INDEX":
        return [*map(quote, names.indexes), *_cased(["IF"], given)]
    # Before FROM is written, a column of any table may be meant.
    columns = [
        quote(column) for table in dict.fromkeys(used.values() or names.tables) for column in names.tables[table]
    ]
    if last == "(" and len(before) > 2 and before[-3].kind in ("INTO", "REFERENCES"):
        return columns
    words = _cased(_WORDS, given)
    if not last:
        return words  # a statement begins with a keyword
    return [*columns, *map(quote, used), *words, *[f"{name}(" for name in names.functions], *tables]


def tables_of(tokens: Sequence[Token], names: Names) -> dict[str, str]:
    """Return the tables that a statement reads or changes by the names that stand for them there, in lower case."""
    by_name = {name.lower(): name for name in names.tables}
    found: dict[str, str] = {}
    in_from = False
    for place, token in enumerate(tokens):
        kind = token.kind
        if kind in ("FROM", "JOIN", "INTO", "UPDATE"):
            in_from = True
        elif kind in _ENDS_TABLES:
            in_from = False
        elif in_from and (table := by_name.get(unquote(token.text).lower())):
            found[unquote(token.text).lower()] = table
            follower = [each for each in tokens[place + 1 : place + 3] if each.kind != "AS"][:1]
            if follower and follower[0].kind == "id":
                del found[unquote(token.text).lower()]
                found[unquote(follower[0].text).lower()] = table
    return found


def _is_in_from(tokens: Sequence[Token]) -> bool:
    """Tell whether a comma stands between tables."""
    depth = 0
    for token in reversed(tokens):
        depth += (token.kind == ")") - (token.kind == "(")
        if depth < 0 or (depth == 0 and token.kind in _ENDS_TABLES):
            return False
        if depth == 0 and token.kind in ("FROM", "JOIN"):
            return True
    return False


def _cased(words: Sequence[str], given: str) -> list[str]:
    """Return keywords in the case of what was typed."""
    return [word.lower() for word in words] if given and given == given.lower() else list(words)


def _matching(texts: Sequence[str], given: str) -> Iterator[str]:
    folded = given.lower().lstrip('"`[')
    seen = set()
    for text in texts:
        if text.lower().lstrip('"').startswith(folded) and text not in seen and text != given:
            seen.add(text)
            yield text
