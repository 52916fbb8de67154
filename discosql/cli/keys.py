"""Keys of encrypted databases, for every sub-command that opens one.

A command line can be read by others and is kept in histories, so a key is never an argument itself.
"""

import argparse
import getpass
from pathlib import Path

from discosql.errors import OperationalError


def add_key_arguments(parser: argparse.ArgumentParser, prefix: str = "", what: str = "the database's key") -> None:
    """Let a command take a key from a file or a prompt; `prefix` tells several keys apart."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(f"--{prefix}key-file", metavar="FILE", help=f"read {what} from the first line of a file")
    group.add_argument(f"--{prefix}ask-key", action="store_true", help=f"ask for {what}")


def key_of(options: argparse.Namespace, prefix: str = "", *, confirm: bool = False) -> str | None:
    """Return the key that the options give, None if they give none; with `confirm`, have it typed twice.

    Raises OperationalError if the file cannot be read, there is nothing in it, or two different keys were typed.
    """
    name = prefix.replace("-", "_")
    path: str | None = getattr(options, f"{name}key_file")
    if path is not None:
        return read_key(path)
    if not getattr(options, f"{name}ask_key"):
        return None
    key = getpass.getpass(f"{prefix}key: ")
    if confirm and getpass.getpass(f"{prefix}key again: ") != key:
        raise OperationalError("the two keys are not the same")
    return key


def read_key(path: str) -> str:
    """Return the key in the first line of a file. Raises OperationalError if there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise OperationalError(f"cannot read the key file {path}: {reason}") from exc
    if not lines or not lines[0]:
        raise OperationalError(f"the key file {path} has no key in its first line")
    return lines[0]
