"""CPython's own tests of sqlite3 with discosql in its place: all pass but those listed here, each for a reason."""

import json
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("cpython_sqlite3.py")

REASONS: dict[str, tuple[str, ...]] = {
    "Columns keep their types, as those of STRICT tables do: a BLOB column takes no text.": (
        "test_dbapi.BlobTests.test_blob_*_error_row_changed",
        "test_dbapi.BlobTests.test_blob_get_item_error",
    ),
    "Statement objects (`connection(sql)`), virtual tables and the shared cache are parts of SQLite's C library.": (
        "test_*.test_closed_call",
        "test_*.test_disallow_instantiation",
        "test_*.test_function_destructor_via_gc",
        "test_regression.RegressionTests.test_large_sql",
        "test_regression.RegressionTests.test_surrogates",
        "test_*.test_shared_cache_deprecated",
        "test_dump.DumpTests.test_dump_virtual_tables",
    ),
    "What PEP 249 calls a ProgrammingError is one, and no OperationalError.": (
        "test_userfunctions.*.test_*_error_on_create",
        "test_userfunctions.FunctionTests.test_func_non_deterministic",
    ),
    "A blob need not be contiguous in memory; bytes that are no UTF-8 are shown in text as U+FFFD.": (
        "test_userfunctions.FunctionTests.test_*non_contiguous_blob",
        "test_regression.RegressionTests.test_error_msg_decode_error",
    ),
    "Closing twice raises, as PEP 249's compliance suite asks; fetching without a result does too.": (
        "test_dbapi.BlobTests.test_blob_closed_db_read",
        "test_dbapi.ConnectionTests.test_close",
        "test_dbapi.ConnectionTests.test_use_after_close",
        "test_dbapi.ConnectionTests.test_interrupt_on_closed_db",
        "test_backup.BackupTests.test_bad_target_closed_connection",
        "test_dbapi.CursorTests.test_fetchone_no_statement",
        "test_dbapi.ThreadTests.test_check_connection_thread",
        "test_dbapi.SqliteOnConflictTests.test_on_conflict_fail",
        "test_regression.RegressionTests.test_pragma_autocommit",
    ),
    "Threads may share a connection; its level of thread safety is one that the C library does not have.": (
        "test_dbapi.ModuleTests.test_thread_safety",
        "test_dbapi.ThreadTests.test_check_cursor_thread",
    ),
    "Rows are computed before execute() returns: nothing can come between, and no lock makes others wait.": (
        "test_regression.RecursiveUseOfCursors.*",
        "test_regression.RegressionTests.test_recursive_cursor_use",
        "test_regression.RegressionTests.test_bind_mutating_list",
        "test_transactions.TransactionTests.test_locking",
        "test_transactions.TransactionTests.test_raise_timeout",
        "test_dbapi.ConnectionTests.test_connection_reinit",
    ),
    "The file is not SQLite's, and what is serialized is an archive; names that are not UTF-8 cannot be kept in it.": (
        "test_dbapi.MultiprocessTests.test_ctx_mgr_rollback_if_commit_failed",
        "test_dbapi.OpenTests.test_open_*undecodable_*",
        "test_dbapi.SerializeTests.*",
    ),
    "What sqlite3 itself gives up and warns of: options by position, OptimizedUnicode, adapters of dates, `version`.": (
        "test_factory.ConnectionFactoryTests.test_connection_factory_as_positional_arg",
        "test_factory.TextFactoryTests.test_optimized_unicode",
        "test_dbapi.ConnectionTests.test_connect_positional_arguments",
        "test_dbapi.ConnectionTests.test_connection_signature",
        "test_dbapi.CursorTests.test_execute_named_param_and_sequence",
        "test_dbapi.ModuleTests.test_deprecated_version",
        "test_regression.RegressionTests.test_convert_timestamp_microsecond_padding",
        "test_regression.RegressionTests.test_type_map_usage",
        "test_types.DateTimeTests.*",
        "test_userfunctions.*_keyword_args",
        "test_hooks.*_keyword_args",
    ),
    "With autocommit=False, a transaction begins with the first statement that needs it, not before.": (
        "test_transactions.AutocommitAttribute.test_autocommit_disabled*",
        "test_transactions.AutocommitAttribute.test_autocommit_enabled_then_disabled",
    ),
    "A backup is one commit, its progress is counted in rows, and its callback cannot use a connection; no ATTACH.": (
        "test_backup.BackupTests.test_modifying_progress",
        "test_backup.BackupTests.test_progress",
        "test_backup.BackupTests.test_database_source_name",
    ),
    "A dump has tables as they were made, and many rows a statement.": (
        "test_dump.DumpTests.test_table_dump*",
        "test_dump.DumpTests.test_unorderable_row",
    ),
}


@pytest.fixture(scope="module")
def found() -> Any:
    command = [sys.executable, "-W", "ignore", str(SCRIPT)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return json.loads(run.stdout)


def test_what_fails_has_a_reason(found: Any) -> None:
    if found.get("missing"):
        pytest.skip("this Python comes without its tests (the package test.test_sqlite3)")
    patterns = [pattern for listed in REASONS.values() for pattern in listed]
    surprising = {
        name: error
        for name, error in found["failed"].items()
        if not any(fnmatch(name, pattern) for pattern in patterns)
    }
    assert surprising == {}
    assert found["ran"] - found["skipped"] - len(found["failed"]) > 0.8 * found["ran"]
