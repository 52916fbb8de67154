"""Reading statements from a person: with completion, highlighting and history where prompt_toolkit is installed."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from discosql.cli.completion import complete, names_of
from discosql.cli.console import Console, is_ready
from discosql.cli.screen import is_dumb

ADVICE: Final = "For completion, highlighting and history: pip install 'discosql[shell]'"

WORDS: Final[Mapping[str, str]] = MappingProxyType({"exit": ".quit", "quit": ".quit", "help": ".help", "?": ".help"})
"""What people who come from other shells enter, and what it is here."""

_MORE: Final = "...> "


def prompt_of(console: Console) -> str:
    """Return the prompt; a star tells that a transaction is open."""
    return "discosql*> " if console.connection.in_transaction else "discosql> "


def history_file() -> Path | None:
    """Return where statements are remembered: DISCOSQL_HISTORY, or a file in the user's folder; None for nowhere.

    An empty DISCOSQL_HISTORY, or a file that cannot be written, means nowhere.
    """
    given = os.environ.get("DISCOSQL_HISTORY")
    if given == "":
        return None
    try:
        path = Path(given) if given is not None else Path.home() / ".discosql_history"
        with path.open("a", encoding="utf-8"):
            return path
    except (OSError, RuntimeError):  # the latter where there is no home
        return None


def read_statements(console: Console) -> Iterator[str]:
    """Yield what a person enters, each time statements or a command that are complete, until the end of input.

    Ctrl-C gives up what was begun.
    """
    reader = None if is_dumb() else _toolkit_reader(console)
    if reader is None:
        reader = _plain_reader(console)
    while True:
        try:
            text = reader()
            yield WORDS.get(text.strip().rstrip(";").lower(), text)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _is_ready(text: str) -> bool:
    return is_ready(text) or text.strip().lower() in WORDS


def _plain_reader(console: Console) -> Callable[[], str]:
    if not is_dumb():
        sys.stdout.write(f"{ADVICE}\n")
        try:
            import readline  # noqa: F401  # input() then has editing and history within the session
        except ImportError:
            pass

    def read() -> str:
        prompt = prompt_of(console)
        try:
            text = input(prompt) + "\n"
            while not _is_ready(text):
                text += input(_MORE.rjust(len(prompt))) + "\n"
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            raise
        return text

    return read


def _toolkit_reader(console: Console) -> Callable[[], str] | None:
    try:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.application import get_app
        from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.filters import Condition
        from prompt_toolkit.history import FileHistory, History, InMemoryHistory
        from prompt_toolkit.lexers import PygmentsLexer
        from pygments.lexers.sql import SqlLexer
    except ImportError:
        return None

    class Suggested(Completer):
        """Completes what is before the cursor; what names there are is asked when a completion first needs them."""

        def __init__(self) -> None:
            self.names: Any = None

        def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
            if self.names is None:
                self.names = names_of(console.connection)
            found = complete(document.text_before_cursor, document.text_after_cursor, self.names)
            for text in found.texts:
                yield Completion(text, start_position=-found.length)

    path = history_file()
    history: History = InMemoryHistory() if path is None else FileHistory(str(path))
    if path is None and os.environ.get("DISCOSQL_HISTORY") != "":
        console.screen.tell("statements are not remembered: DISCOSQL_HISTORY can name a file that can be written")
    suggested = Suggested()
    session: PromptSession[str] = PromptSession(
        history=history,
        auto_suggest=AutoSuggestFromHistory(),
        completer=suggested,
        complete_while_typing=False,
        enable_open_in_editor=True,
        lexer=PygmentsLexer(SqlLexer),
        multiline=Condition(lambda: not _is_ready(get_app().current_buffer.text)),
        prompt_continuation=lambda width, _number, _wrapped: _MORE.rjust(width),
    )

    def read() -> str:
        suggested.names = None
        return session.prompt(prompt_of(console))

    return read
