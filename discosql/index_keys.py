"""What lets storage keep indexes over expressions: their SQL read by the planner and computed by the executor."""

from typing import Any

from discosql.schema import Catalog, ComputedIndex, TableSchema
from discosql.types import Row


def index_key_reader(table: TableSchema, index: ComputedIndex) -> Any:
    """Return the function that computes an index's key of a stored row, None for a row that has none.

    It knows the functions of every connection only, which is all that an index that is kept uses.
    """
    # A program that never meets such an index need not load all this.
    from discosql.executor.compile import evaluate_constant
    from discosql.executor.computed_keys import computed_keys
    from discosql.executor.functions import DEFAULT
    from discosql.planner.build import Binder
    from discosql.planner.context import PlanContext
    from discosql.planner.dml_rows import row_rules
    from discosql.planner.parameters import ParameterTable

    only = table.replace(computed_indexes=(index,), checks=())
    context = PlanContext(
        Catalog().with_table(only), DEFAULT.signatures(), lambda expression: evaluate_constant(expression, DEFAULT)
    )
    (key,) = computed_keys(row_rules(Binder(context, ParameterTable()), only), DEFAULT)
    mark = key.mark
    if len(index.keys) > 1:
        return mark

    def bare(row: Row) -> Any:
        found = mark(row)
        return None if found is None else found[0]

    return bare
