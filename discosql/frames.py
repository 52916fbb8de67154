"""Results as Arrow tables and pandas data frames, by libraries that are there if their extras were installed."""

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

from discosql.errors import DataError, NotSupportedError
from discosql.planner.plan import OutputColumn
from discosql.types import SqlType


def arrow_table(columns: Sequence[OutputColumn], rows: Sequence[Sequence[Any]]) -> Any:
    """Return rows, with Python objects for values, as a `pyarrow.Table`.

    JSON and UUID columns become text. Raises NotSupportedError without pyarrow, and DataError for a column whose values
    have no common Arrow type.
    """
    pyarrow = library("pyarrow", "fetch_arrow_table()", "arrow")
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [_array(pyarrow, column, given) for column, given in zip(columns, values, strict=True)]
    return pyarrow.Table.from_arrays(arrays, names=[column.name for column in columns])


def data_frame(columns: Sequence[OutputColumn], rows: Sequence[Sequence[Any]]) -> Any:
    """Return rows as a `pandas.DataFrame`, with types that know NULL.

    Raises NotSupportedError without pandas, otherwise as `arrow_table`.
    """
    pandas = library("pandas", "fetch_df()", "pandas")
    pyarrow = library("pyarrow", "fetch_df()", "pandas")
    kinds = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.bool_(): pandas.BooleanDtype()}
    return arrow_table(columns, rows).to_pandas(types_mapper=kinds.get)


def library(name: str, what: str, extra: str) -> Any:
    """Return a module that `what` needs. Raises NotSupportedError, which names the extra, where it is missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError as exc:
        raise NotSupportedError(f"{what} needs {name.split('.')[0]}: pip install 'discosql[{extra}]'") from exc


_KINDS: Final[dict[SqlType, str]] = {
    SqlType.INTEGER: "int64",
    SqlType.REAL: "float64",
    SqlType.TEXT: "string",
    SqlType.BLOB: "binary",
    SqlType.BOOLEAN: "bool_",
    SqlType.DATE: "date32",
    SqlType.JSON: "string",
    SqlType.UUID: "string",
}
"""Arrow's types; those of DECIMAL and TIMESTAMP depend on the values."""


def arrow_type(pyarrow: Any, kind: SqlType) -> Any:
    """Return the Arrow type of a type whose values all have the same one: all but DECIMAL, TIMESTAMP, NUMERIC, ANY."""
    return getattr(pyarrow, _KINDS[kind])()


_TEXTS: Final[dict[SqlType, Callable[[Any], str]]] = {
    SqlType.JSON: lambda value: json.dumps(value, ensure_ascii=False),
    SqlType.UUID: str,
}


def _array(pyarrow: Any, column: OutputColumn, values: Sequence[Any]) -> Any:
    to_text = _TEXTS.get(column.type) if column.type else None
    if to_text is not None:
        values = [None if value is None else to_text(value) for value in values]
    if column.type in _KINDS:
        try:
            return pyarrow.array(values, type=arrow_type(pyarrow, column.type))
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
            pass  # the type of an expression is only an expectation
    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as exc:
        raise DataError(f"column {column.name} has values of several types; give it one with CAST") from exc
