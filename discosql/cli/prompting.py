"""Reading statements from a person: with completion, highlighting and history where prompt_toolkit is installed."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from discosql.cli.console import is_ready
from discosql.cli.dot_commands import DOT_COMMANDS
from discosql.dbapi import Connection
from discosql.output import MODES

PROMPT: Final = "discosql> "
MORE: Final = "     ...> "

ADVICE: Final = "For completion, highlighting and history: pip install 'discosql[shell]'"

_WORD: Final = re.compile(r"[.\w]+")

_KEYWORDS: Final = """
    ABORT ADD ALL ALTER ANALYZE AND AS ASC AUTOINCREMENT BEGIN BETWEEN BY CASCADE CASE CAST CHECK COLLATE COLUMN
    COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DEFAULT DEFERRED DELETE DESC
    DISTINCT DO DROP ELSE END ESCAPE EXCEPT EXISTS EXPLAIN FAIL FILTER FOREIGN FROM FULL GENERATED GLOB GROUP HAVING IF
    IGNORE IN INDEX INNER INSERT INTERSECT INTO IS ISNULL JOIN KEY LEFT LIKE LIMIT MATCH NATURAL NOT NOTHING NOTNULL
    NULL NULLS OFFSET ON OR ORDER OUTER OVER PARTITION PRAGMA PRIMARY RECURSIVE REFERENCES RELEASE RENAME REPLACE
    RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET STRICT TABLE TEMP THEN TO TRANSACTION TRIGGER UNION
    UNIQUE UPDATE USING VACUUM VALUES VIEW WHEN WHERE WINDOW WITH WITHOUT
"""


def words_of(connection: Connection) -> list[str]:
    """Return what can be completed: keywords, tables, columns, functions, dot-commands and modes."""
    names: set[str] = set(_KEYWORDS.split()) | set(DOT_COMMANDS) | set(MODES)
    for (name,) in connection.execute("SELECT DISTINCT name FROM pragma_function_list"):
        names.add(f"{name}(")
    for table, kind in connection.execute("SELECT name, type FROM sqlite_master").fetchall():
        names.add(table)
        if kind in ("table", "view"):
            names |= {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
    return sorted(names, key=str.lower)


def history_file() -> Path:
    """Return where statements are remembered: DISCOSQL_HISTORY, or a file in the user's folder."""
    given = os.environ.get("DISCOSQL_HISTORY")
    return Path(given) if given else Path.home() / ".discosql_history"


def read_statements(connection: Connection) -> Iterator[str]:
    """Yield what a person enters, each time statements or a command that are complete, until the end of input.

    Ctrl-C gives up what was begun.
    """
    reader = _toolkit_reader(connection) or _plain_reader()
    while True:
        try:
            yield reader()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _plain_reader() -> Callable[[], str]:
    sys.stdout.write(f"{ADVICE}\n")
    try:
        import readline  # noqa: F401  # input() then has editing and history within the session
    except ImportError:
        pass

    def read() -> str:
        text = input(PROMPT) + "\n"
        while not is_ready(text):
            text += input(MORE) + "\n"
        return text

    return read


def _toolkit_reader(connection: Connection) -> Callable[[], str] | None:
    try:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.application import get_app
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.filters import Condition
        from prompt_toolkit.history import FileHistory
        from prompt_toolkit.lexers import PygmentsLexer
        from pygments.lexers.sql import SqlLexer
    except ImportError:
        return None

    class Names(Completer):
        """Completes the word before the cursor; what there is, is asked once for each statement."""

        def __init__(self) -> None:
            self.words: list[str] = []

        def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
            word = document.get_word_before_cursor(pattern=_WORD)
            if word:
                folded = word.lower()
                for name in self.words:
                    if name.lower().startswith(folded):
                        yield Completion(name, start_position=-len(word))

    names = Names()
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(history_file())),
        completer=names,
        complete_while_typing=False,
        lexer=PygmentsLexer(SqlLexer),
        multiline=Condition(lambda: not is_ready(get_app().current_buffer.text)),
        prompt_continuation=MORE,
    )

    def read() -> str:
        names.words = words_of(connection)
        return session.prompt(PROMPT)

    return read
