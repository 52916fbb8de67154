"""The public PEP 249 suite (dbapi-compliance), all of it, on a local guild in memory and in a file."""

import unittest
from pathlib import Path
from typing import Any

import dbapi20

import discosql


class _Suite(dbapi20.DatabaseAPI20Test):
    """The suite with the two tests overridden that every driver must write itself."""

    driver = discosql

    def test_nextset(self) -> None:
        """discosql has one result set a statement and so no nextset(), which PEP 249 leaves out then."""
        cursor = self._connect().cursor()
        self.assertFalse(hasattr(cursor, "nextset"))

    def test_setoutputsize(self) -> None:
        cursor = self._connect().cursor()
        cursor.setoutputsize(1000)
        cursor.setoutputsize(1000, 0)


class MemoryTest(_Suite):
    connect_args = (":memory:",)


class FileTest(_Suite):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(_folder())) / "suite.disco"

    def _connect(self) -> Any:
        connection = discosql.connect(self.path)
        self.addCleanup(lambda: connection.closed or connection.close())
        return connection


def _folder() -> Any:
    import tempfile

    return tempfile.TemporaryDirectory()


def load_tests(loader: unittest.TestLoader, _tests: object, _pattern: object) -> unittest.TestSuite:
    """Leave out the base class, which has no driver arguments of its own."""
    return unittest.TestSuite([loader.loadTestsFromTestCase(case) for case in (MemoryTest, FileTest)])


del _Suite
