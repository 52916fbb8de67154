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
    "Incremental I/O on one value is for values in a file; here a row is read and written whole.": (
        "test_dbapi.BlobTests.*",
    ),
    "Authorizers, statement objects (`connection(sql)`) and limits are parts of SQLite's C library.": (
        "test_userfunctions.Authorizer*",
        "test_*.test_closed_set_authorizer",
        "test_regression.RegressionTests.test_bpo37347",
        "test_*.test_closed_call",
        "test_*.test_disallow_instantiation",
        "test_*.test_function_destructor_via_gc",
        "test_regression.RegressionTests.test_surrogates",
        "test_dbapi.ConnectionTests.test_connection_*limit*",
        "test_dbapi.CursorTests.test_execute_too_many_params",
        "test_dbapi.ExtensionTests.test_cursor_executescript_too_large_script",
        "test_hooks.TraceCallbackTests.test_trace_*expanded_sql",
        "test_regression.RegressionTests.test_large_sql",
        "test_userfunctions.FunctionTests.test_func_too_many_args",
        "test_*.test_extended_error_code_on_exception",
        "test_*.test_shared_cache_deprecated",
        "test_dump.DumpTests.test_dump_virtual_tables",
    ),
    "A wrong call or value raises an error of PEP 249, not TypeError, OverflowError or the like.": (
        "test_dbapi.CursorTests.test_execute*_wrong_sql_arg",
        "test_dbapi.CursorTests.test_fetchone_no_statement",
        "test_dbapi.ExtensionTests.test_cursor_executescript_with_*",
        "test_regression.RegressionTests.test_collation",
        "test_regression.RegressionTests.test_error_msg_decode_error",
        "test_types.SqliteTypeTests.test_string_with_surrogates",
        "test_types.SqliteTypeTests.test_too_large_int",
        "test_types.DeclTypesTests.test_error_in_conform",
        "test_userfunctions.*.test_*_error_on_create",
        "test_userfunctions.FunctionTests.test_*surrogates",
        "test_userfunctions.FunctionTests.test_*too_large_int",
        "test_userfunctions.FunctionTests.test_*non_contiguous_blob",
        "test_userfunctions.FunctionTests.test_func_return_illegal_value",
        "test_userfunctions.FunctionTests.test_func_non_deterministic",
    ),
    "Closing twice raises, as PEP 249's compliance suite asks; fetching without a result does too.": (
        "test_dbapi.ConnectionTests.test_close",
        "test_dbapi.ConnectionTests.test_use_after_close",
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
    "The message tells more than SQLite's.": (
        "test_dbapi.ConnectionTests.test_connection_bad_reinit",
        "test_dbapi.ModuleTests.test_error_code_on_exception",
    ),
    "The file is not SQLite's; a name that is not UTF-8 cannot be kept in it; reading only is what as_of= is for.": (
        "test_dbapi.MultiprocessTests.test_ctx_mgr_rollback_if_commit_failed",
        "test_dbapi.OpenTests.test_open_*",
    ),
    "Misuse of classes that are not initialised: Python's own AttributeError or TypeError says so.": (
        "test_dbapi.UninitialisedConnectionTests.*",
        "test_regression.RegressionTests.test_*_constructor_call_check",
        "test_dbapi.CursorTests.test_cursor_wrong_class",
        "test_factory.RowFactoryTests.test_fake_cursor_class",
        "test_factory.ConnectionFactoryTests.test_connection_factory_as_positional_arg",
        "test_factory.TextFactoryTests.test_optimized_unicode",
    ),
    "Parameters are a sequence of Python's own kind (collections.abc.Sequence) or a mapping.": (
        "test_dbapi.CursorTests.test_execute_param_sequence*",
    ),
    "Errors in handlers of progress and traces pass to the caller; tracebacks name the method that failed.": (
        "test_hooks.ProgressTests.test_error_in_progress_handler*",
        "test_hooks.TraceCallbackTests.test_trace_bad_handler",
        "test_userfunctions.AggregateTests.test_aggr_exception_in_*",
        "test_userfunctions.AggregateTests.test_aggr_no_step",
        "test_userfunctions.FunctionTests.test_func_*_error",
    ),
    "A small frame of a window is computed with step() and finalize(), not with value() and inverse().": (
        "test_userfunctions.WindowFunctionTests.test_win_*",
    ),
    "A backup is one commit, its progress is counted in rows, and its callback cannot use a connection.": (
        "test_backup.BackupTests.test_modifying_progress",
        "test_backup.BackupTests.test_progress",
        "test_backup.BackupTests.test_bad_target*",
        "test_backup.BackupTests.test_database_source_name",
        "test_backup.BackupTests.test_non_callable_progress",
    ),
    "A dump has tables in the order in which foreign keys need them, and no PRAGMA that reading it needs not.": (
        "test_dump.DumpTests.test_dump_autoincrement",
        "test_dump.DumpTests.test_table_dump",
        "test_dump.DumpTests.test_unorderable_row",
    ),
    "A comment that is not closed is an error, behind a statement too.": (
        "test_dbapi.CursorTests.test_execute_with_appended_comments",
    ),
    "A rowid that a failed statement was given is not given again.": (
        "test_dbapi.CursorTests.test_last_row_id_insert_o_r",
    ),
    "Changing isolation_level does not commit.": ("test_transactions.TransactionTests.test_toggle_auto_commit",),
    "NULL and empty blobs are told apart by converters.": ("test_types.DeclTypesTests.test_convert_zero_sized_blob",),
    "__conform__ is asked with this library's protocol only.": ("test_types.ObjectAdaptationTests.test_custom_proto",),
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
    assert found["ran"] - found["skipped"] - len(found["failed"]) > 0.6 * found["ran"]
