"""What the planner is told of the world: the schema, the functions, and what may be known without a request."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field

from discosql.planner.authorizer import Authorizer
from discosql.planner.plan import Expression, FunctionSignature
from discosql.planner.trigger_rows import TriggerRows
from discosql.planner.witness import Witness
from discosql.schema import Catalog
from discosql.statistics import TableStatistics
from discosql.types import Value


def _no_statistics(_table: int) -> TableStatistics:
    return TableStatistics()


@dataclass(frozen=True, slots=True)
class PlanContext:
    """The input of planning besides the SQL text.

    `functions` maps folded names to signatures, one a name and kind: key ``(name, kind)``. `evaluate` computes an
    expression of constants and raises what executing it would raise. `statistics` maps a table's id to what is known of
    it. `collations` holds the upper-case names of all collations. `optimise` False leaves plans as they were built,
    for tests. `trigger` is what NEW and OLD mean in the statements of a trigger; with
    `recursive_triggers`, rows that REPLACE removes fire triggers. `witness` is told what names turn out to mean.
    `most_arguments` may be given to a function. `authorizer` is asked about all that the statement does.
    """

    catalog: Catalog
    functions: Mapping[tuple[str, str], FunctionSignature]
    evaluate: Callable[[Expression], Value]
    statistics: Callable[[int], TableStatistics] = _no_statistics
    collations: Set[str] = field(default_factory=lambda: frozenset({"BINARY", "NOCASE", "RTRIM"}))
    optimise: bool = True
    trigger: TriggerRows | None = None
    recursive_triggers: bool = False
    witness: Witness | None = None
    most_arguments: int = 1_000
    authorizer: Authorizer | None = None
