"""json_group_array() and json_group_object(), and the same with JSONB as their result."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from discosql.executor.functions.json_functions import json_text
from discosql.executor.functions.json_nodes import JsonText, Unescaped, render
from discosql.executor.functions.jsonb_functions import jsonb_of_text
from discosql.executor.functions.registry import AggregateFunction, Aggregation
from discosql.executor.functions.values import c_text
from discosql.executor.sizes import sized
from discosql.planner.plan import FunctionSignature
from discosql.types import SqlType, Value


class GroupArray:
    """json_group_array(x): all values of a group, NULL too. `finish` makes the result of its text."""

    def __init__(self, finish: Callable[[str], Value] = JsonText) -> None:
        self._finish = finish
        self._items: deque[str] = deque()

    def step(self, value: Value) -> None:
        """Take in one row."""
        self._items.append(json_text(value))

    def inverse(self, _value: Value) -> None:
        """Take back the oldest row."""
        self._items.popleft()

    def value(self) -> Value:
        """Return the array."""
        return self._finish(sized(f"[{','.join(self._items)}]"))

    final = value


class GroupObject:
    """json_group_object(label, x): rows whose label is NULL are left out. `finish` makes the result of its text."""

    def __init__(self, finish: Callable[[str], Value] = JsonText) -> None:
        self._finish = finish
        self._pairs: deque[str | None] = deque()

    def step(self, label: Value, value: Value) -> None:
        """Take in one row."""
        pair = None if label is None else f"{render(Unescaped(c_text(label)))}:{json_text(value)}"
        self._pairs.append(pair)

    def inverse(self, _label: Value, _value: Value) -> None:
        """Take back the oldest row."""
        self._pairs.popleft()

    def value(self) -> Value:
        """Return the object."""
        return self._finish(sized("{" + ",".join([pair for pair in self._pairs if pair is not None]) + "}"))

    final = value


def _aggregate(name: str, factory: Callable[[], Aggregation], count: int, result: SqlType) -> AggregateFunction:
    signature = FunctionSignature(name, count, count, "aggregate", result, null_safe=True)
    return AggregateFunction(signature, factory, invertible=True, json=True)


FUNCTIONS: Final = (
    _aggregate("json_group_array", GroupArray, 1, SqlType.TEXT),
    _aggregate("json_group_object", GroupObject, 2, SqlType.TEXT),
    _aggregate("jsonb_group_array", partial(GroupArray, jsonb_of_text), 1, SqlType.BLOB),
    _aggregate("jsonb_group_object", partial(GroupObject, jsonb_of_text), 2, SqlType.BLOB),
)
"""The aggregate functions of this module."""
