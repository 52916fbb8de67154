"""Parameters: what a statement asks for, and binding what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from discosql.errors import ArgumentTypeError, ProgrammingError
from discosql.planner.plan import Parameter


@dataclass(frozen=True, slots=True)
class ParameterTable:
    """The parameters of a statement: one entry a value to bind, its name or None for ``?`` and ``?NNN``."""

    names: tuple[str | None, ...] = ()

    def parameter_of(self, node: exp.Placeholder) -> Parameter:
        """Return the parameter that a placeholder of the tree stands for."""
        index = int(node.name[1:])
        return Parameter(index, self.names[index])


def bind_parameters(names: Sequence[str | None], given: Sequence[Any] | Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the objects for a statement's parameters in order, from a sequence by place or a mapping by name.

    Raises ProgrammingError where the counts differ, a name is missing, or a place has no name to look up.
    """
    # Asking an abstract class takes longer than the rest, and nearly all give a tuple or a list.
    if isinstance(given, tuple | list) or (isinstance(given, Sequence) and not isinstance(given, str | bytes)):
        if len(given) != len(names):
            raise ProgrammingError(
                f"Incorrect number of bindings supplied. The current statement uses {len(names)}, "
                f"and there are {len(given)} supplied."
            )
        return tuple(given)
    if not isinstance(given, Mapping):
        if isinstance(given, str | bytes) or not (hasattr(given, "__len__") and hasattr(given, "__getitem__")):
            raise ArgumentTypeError("parameters are of unsupported type")
        # What sqlite3 takes for a sequence, too: it need not say that it is one.
        return bind_parameters(names, [given[place] for place in range(len(given))])
    return tuple(_named(names, position, given) for position in range(len(names)))


def _named(names: Sequence[str | None], position: int, given: Mapping[str, Any]) -> Any:
    name = names[position]
    if name is None:
        raise ProgrammingError(
            f"Binding {position + 1} has no name, but you supplied a dictionary (which has only names)."
        )
    try:
        return given[name]
    except KeyError as exc:
        raise ProgrammingError(f"You did not supply a value for binding parameter :{name}.") from exc
