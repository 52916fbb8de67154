"""How the command tells of errors."""

import sys

from discosql.errors import Error


def report(exc: Error) -> int:
    """Write an error for a person to standard error, and return the exit status that goes with it."""
    sys.stderr.write(f"discosql: {type(exc).__name__}: {exc}\n")
    return 1
