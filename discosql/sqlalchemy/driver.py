"""What SQLAlchemy calls the driver: the module discosql, with connections that are always in a transaction."""

from typing import Any

import discosql


class Driver:
    """The module discosql."""

    def __getattr__(self, name: str) -> Any:
        return getattr(discosql, name)

    def connect(self, *arguments: Any, **options: Any) -> Any:
        """Open a connection whose statements, schema changes too, are in transactions."""
        return discosql.connect(*arguments, **{"autocommit": False, **options})
