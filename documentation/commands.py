"""A hook of mkdocs: the page on commands shows what ``--help`` and ``.help`` say, as of the moment it is built."""

from typing import Any, Final

from discosql.cli.dot_commands import DOT_COMMANDS
from discosql.cli.main import COMMANDS, SHELL, build_parser, module_of

_COMMANDS: Final = "<!-- commands -->"
_DOT_COMMANDS: Final = "<!-- dot commands -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page's text with the lists of commands where their marks stand."""
    return markdown.replace(_COMMANDS, command_help()).replace(_DOT_COMMANDS, dot_command_table())


def command_help() -> str:
    """Return a section for each command."""
    sections = []
    for name in COMMANDS:
        parser = build_parser(None if name == SHELL else name)
        module_of(name).add_arguments(parser)
        title = "discosql" if name == SHELL else f"discosql {name}"
        sections.append(f"### {title}\n\n```text\n{parser.format_help().rstrip()}\n```")
    return "\n\n".join(sections)


def dot_command_table() -> str:
    """Return a table of the commands that the prompt has."""
    rows = [f"| `{f'{name} {command.usage}'.strip()}` | {command.help} |" for name, command in DOT_COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])
