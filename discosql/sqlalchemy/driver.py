"""What SQLAlchemy calls the driver: the module discosql, and what SQLite's dialect asks of a module beyond PEP 249."""

from typing import Any, Final

import discosql
from discosql.executor.functions.core import SQLITE_VERSION


class Driver:
    """The module discosql, with the version of SQLite whose SQL it speaks."""

    sqlite_version: Final = SQLITE_VERSION
    sqlite_version_info: Final = tuple(map(int, SQLITE_VERSION.split(".")))

    def __getattr__(self, name: str) -> Any:
        return getattr(discosql, name)

    def connect(self, *arguments: Any, **options: Any) -> Any:
        """Open a connection whose statements, schema changes too, are in transactions."""
        return discosql.connect(*arguments, **{"autocommit": False, **options})
