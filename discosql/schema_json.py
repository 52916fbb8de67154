"""Tables, views and triggers of the catalog as JSON data, as the log keeps them; what equals a default is left out."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from discosql.schema import Check, Column, ComputedIndex, ForeignKey, Index, TableSchema, Trigger, View
from discosql.types import SqlType


def table_to_json(table: TableSchema) -> dict[str, Any]:
    """Return a table as JSON data, without what equals a default; `table_from_json` reads it back.

    Values of `fill` stay SQL values; the storage codec writes them.
    """
    return _to_json(table)


def table_from_json(data: Mapping[str, Any]) -> TableSchema:
    """Return the table that `table_to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return TableSchema(
        **{
            **data,
            "columns": tuple(Column(**{**item, "type": SqlType(item["type"])}) for item in data["columns"]),
            "primary_key": tuple(data.get("primary_key", ())),
            "indexes": tuple(Index(**_tuples(item)) for item in data.get("indexes", ())),
            "checks": tuple(Check(**item) for item in data.get("checks", ())),
            "computed_indexes": tuple(ComputedIndex(**_tuples(item)) for item in data.get("computed_indexes", ())),
            "foreign_keys": tuple(ForeignKey(**_tuples(item)) for item in data.get("foreign_keys", ())),
        }
    )


def view_to_json(view: View) -> dict[str, Any]:
    """Return a view as JSON data; `view_from_json` reads it back."""
    return _to_json(view)


def view_from_json(data: Mapping[str, Any]) -> View:
    """Return the view that `view_to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return View(**_tuples(data))


def trigger_to_json(trigger: Trigger) -> dict[str, Any]:
    """Return a trigger as JSON data; `trigger_from_json` reads it back."""
    return _to_json(trigger)


def trigger_from_json(data: Mapping[str, Any]) -> Trigger:
    """Return the trigger that `trigger_to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return Trigger(**_tuples(data))


def _to_json(item: Any) -> dict[str, Any]:
    data = {}
    for attribute in dataclasses.fields(item):
        value = getattr(item, attribute.name)
        if value != attribute.default:
            data[attribute.name] = _json_value(value)
    return data


def _json_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, SqlType):
        return value.value
    return _to_json(value) if dataclasses.is_dataclass(value) else value


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else value
        for key, value in data.items()
    }
