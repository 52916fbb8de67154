"""The registry of functions: names, numbers of arguments, and functions of a connection's own."""

from typing import Any

from discosql.executor.functions import DEFAULT, AggregateFunction, Registry, ScalarFunction
from discosql.planner.plan import FunctionSignature


def _scalar(name: str, minimum: int, maximum: int | None, result: Any = 1) -> ScalarFunction:
    return ScalarFunction(FunctionSignature(name, minimum, maximum), lambda *_arguments: result)


def _call(registry: Registry, name: str, *arguments: Any) -> Any:
    function = registry.scalar(name, len(arguments))
    return None if function is None else function.implementation(*arguments)


def test_names_are_found_in_any_case() -> None:
    assert DEFAULT.scalar("UPPER") is DEFAULT.scalar("upper", 1) is not None
    assert DEFAULT.scalar("nothing") is None
    assert DEFAULT.aggregate("Sum", 1) is not None
    assert DEFAULT.aggregate("upper", 1) is None


def test_min_is_an_aggregate_of_one_argument_and_a_scalar_of_more() -> None:
    assert DEFAULT.aggregate("min", 1) is not None
    assert DEFAULT.scalar("min", 1) is None
    assert DEFAULT.scalar("min", 2) is not None


def test_an_own_function_hides_the_built_in_one_for_its_numbers_of_arguments() -> None:
    registry = DEFAULT.with_scalar(_scalar("abs", 1, 1, "mine"))
    assert _call(registry, "ABS", 5) == "mine"
    assert _call(DEFAULT, "abs", -5) == 5
    registry = DEFAULT.with_scalar(_scalar("substr", 2, 2, "mine"))
    assert _call(registry, "substr", "abc", 1) == "mine"
    assert _call(registry, "substr", "abc", 1, 2) == "ab"
    assert registry.signatures()["substr", "scalar"].maximum == 3
    registry = registry.with_scalar(_scalar("substr", 0, None, "all"))
    assert _call(registry, "substr", "abc", 1, 2) == "all"
    assert _call(registry, "substr", "abc", 1) == "all"


def test_several_numbers_of_arguments_share_a_name() -> None:
    registry = DEFAULT.with_scalar(_scalar("mine", 1, 1, "one")).with_scalar(_scalar("mine", 3, 3, "three"))
    assert [_call(registry, "mine", *range(count)) for count in range(5)] == [None, "one", None, "three", None]
    signature = registry.signatures()["mine", "scalar"]
    assert (signature.minimum, signature.maximum) == (1, 3)
    assert _call(registry.without("MINE", 3), "mine", 1, 2, 3) is None
    assert _call(registry.without("mine", 3), "mine", 1) == "one"


def test_a_scalar_function_takes_the_place_of_an_aggregate() -> None:
    registry = DEFAULT.with_scalar(_scalar("sum", 1, 1, "mine"))
    assert registry.aggregate("sum", 1) is None
    assert ("sum", "aggregate") not in registry.signatures()
    assert _call(registry, "sum", 1) == "mine"


def test_an_aggregate_takes_the_place_of_a_scalar_function() -> None:
    made = AggregateFunction(FunctionSignature("upper", 0, None, "aggregate"), lambda: _Last())
    registry = DEFAULT.with_aggregate(made)
    assert registry.scalar("upper", 1) is None
    assert registry.aggregate("upper", 1) is made
    assert registry.without("upper", -1).aggregate("upper", 1) is None


class _Last:
    def __init__(self) -> None:
        self._last: Any = None

    def step(self, *arguments: Any) -> None:
        self._last = arguments

    def final(self) -> Any:
        return self._last


def test_signatures_promise_only_what_all_definitions_keep() -> None:
    signature = DEFAULT.with_scalar(_scalar("length", 2, 2)).signatures()["length", "scalar"]
    assert (signature.result, signature.null_safe) == (None, False)
