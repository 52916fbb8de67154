"""What a session keeps of a statement that it has seen."""

from dataclasses import dataclass, field
from typing import Final

from discosql.executor.functions.registry import Registry
from discosql.executor.run import CompiledStatement, compile_statement
from discosql.planner.plan import Prepared
from discosql.types import Value

MAX_VARIANTS: Final = 16
"""Kinds of parameters that one statement is compiled for; further ones share code that works for all."""


@dataclass(slots=True)
class CachedStatement:
    """A prepared statement and its compiled forms, one for each combination of parameter types met.

    `magnitudes` are the sizes (in bits) of the tables that it was planned for, `checked_slot` is the slot up to which
    they were compared with those of now.
    """

    prepared: Prepared
    magnitudes: dict[int, int]
    checked_slot: int
    variants: dict[tuple[type, ...], CompiledStatement] = field(default_factory=dict)

    def compiled(self, registry: Registry, values: tuple[Value, ...] | None) -> CompiledStatement:
        """Return the statement compiled for parameters such as these; None for any."""
        signature = () if values is None else tuple(map(type, values))
        compiled = self.variants.get(signature)
        if compiled is None:
            if len(self.variants) >= MAX_VARIANTS:
                signature = ()
            compiled = self.variants.get(signature) or compile_statement(self.prepared.statement, registry, signature)
            self.variants[signature] = compiled
        return compiled
