"""CPython's own tests of the module sqlite3, run with discosql in its place. Prints one JSON object.

They come with Python (`test.test_sqlite3`); some systems package them apart. A run changes what `import sqlite3` gives,
so it needs a process of its own.
"""

import importlib
import io
import json
import signal
import sqlite3
import sys
import types
import unittest
import warnings
from contextlib import redirect_stdout
from typing import Any

import discosql
import discosql.storage.local_file
import discosql.storage.local_store

FILES = ("dbapi", "dump", "backup", "factory", "hooks", "regression", "transactions", "types", "userfunctions")
SECONDS = 20
"""What one test may take."""

OF_SQLITE = ("SQLITE_", "version", "threadsafety")


class StandIn(types.ModuleType):
    """The module that the tests get: discosql's names, and of sqlite3 only the constants of SQLite's C library."""

    def __getattr__(self, name: str) -> Any:
        if hasattr(discosql, name):
            return getattr(discosql, name)
        if name.startswith(OF_SQLITE):
            return getattr(sqlite3, name)
        raise AttributeError(f"module 'discosql' has no attribute {name!r}")


class Result(unittest.TestResult):
    """Results by test, one line of each failure; a test that hangs has failed."""

    def __init__(self) -> None:
        super().__init__()
        self.failed: dict[str, str] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        signal.alarm(SECONDS)

    def stopTest(self, test: unittest.TestCase) -> None:
        signal.alarm(0)
        super().stopTest(test)

    def note(self, test: unittest.TestCase, error: Any) -> None:
        name = test.id().rpartition("test_sqlite3.")[2].partition(" ")[0]
        self.failed[name] = f"{error[0].__name__}: {error[1]}".partition("\n")[0]

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self.note(test, err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.note(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        if err is not None:
            self.note(test, err)


def run() -> dict[str, Any]:
    """Run all tests; return how many ran and were skipped, and what became of those that failed."""
    signal.signal(signal.SIGALRM, _give_up)
    stand_in = StandIn("sqlite3")
    stand_in.__path__ = []
    sys.modules["sqlite3"] = stand_in
    result = Result()
    for name in FILES:
        try:
            module = importlib.import_module(f"test.test_sqlite3.test_{name}")
        except ModuleNotFoundError:
            return {"missing": True}
        unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    return {"ran": result.testsRun, "skipped": len(result.skipped), "failed": result.failed}


def _give_up(*_: object) -> None:
    raise TimeoutError(f"ran for {SECONDS} seconds")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    discosql.connect(":memory:").close()  # what it needs of sqlite3 is imported now
    with redirect_stdout(io.StringIO()):
        found = run()
    print(json.dumps(found))
