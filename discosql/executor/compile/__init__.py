"""The code generator: a logical plan becomes one Python generator function a statement.

`compile_plan` is for queries, `compile_rows` for expressions over given rows (CHECK, DEFAULT, RETURNING and the like),
`evaluate_constant` for the planner. The source of a plan is a module of functions: the nodes from one place where rows
are kept to the next are one loop with all expressions written in place (see `producer`), subqueries are functions
of their own.
"""

from discosql.executor.compile.constants import evaluate_constant
from discosql.executor.compile.statement import NULL_TYPE, CompiledPlan, CompiledRows, compile_plan, compile_rows

__all__ = ["NULL_TYPE", "CompiledPlan", "CompiledRows", "compile_plan", "compile_rows", "evaluate_constant"]
