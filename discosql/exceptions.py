"""The errors of the library discobase under the module name they had there; `discosql.errors` has all errors."""

from discosql.errors import (
    DatabaseCorruptionError,
    DatabaseLookupError,
    DatabaseStorageError,
    DatabaseTableError,
    DiscobaseError,
    NotConnectedError,
)

__all__ = [
    "DatabaseCorruptionError",
    "DatabaseLookupError",
    "DatabaseStorageError",
    "DatabaseTableError",
    "DiscobaseError",
    "NotConnectedError",
]
