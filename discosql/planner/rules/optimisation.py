"""What the rules share while they work on one statement."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from discosql.planner.context import PlanContext
from discosql.planner.estimate import Estimates
from discosql.planner.plan import ColumnRef, Node
from discosql.types import SqlType


class Optimisation:
    """The work on one statement: what the planner was told, estimates, and ids for new columns."""

    def __init__(self, context: PlanContext, first_id: Callable[[], int]) -> None:
        self.context = context
        self.estimates = Estimates(context)
        self._first_id = first_id
        self._next_id: int | None = None

    def column(
        self, name: str, *, type: SqlType | None = None, nullable: bool = True, collation: str = "BINARY"
    ) -> ColumnRef:
        """Return a new column with an id that nothing else in the statement has."""
        if self._next_id is None:
            self._next_id = self._first_id()
        self._next_id += 1
        return ColumnRef(self._next_id, name, None, type, nullable, collation)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rewrite of plans: the same rows, never more requests.

    `function` returns the plan itself where it changes nothing. It is called on each subquery's plan, innermost first,
    and then on the plan around it. `kinds`: it has work to do only where one of these nodes or expressions is there;
    empty for any plan.
    """

    function: "RuleFunction"
    kinds: frozenset[type] = frozenset()

    @property
    def name(self) -> str:
        """The function's name, which EXPLAIN and the golden scripts use."""
        return self.function.__name__


RuleFunction: TypeAlias = Callable[[Node, Optimisation], Node]
