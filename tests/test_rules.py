"""The optimiser's rules on plans written by hand."""

from discosql.planner.plan import (
    Convert,
    Filter,
    IndexLookup,
    Node,
    Parameter,
    Projection,
    Query,
)
from discosql.planner.rules import optimise
from discosql.types import SqlType
from plans import Tables, equals, query


def plan_of(statement: Query, tables: Tables) -> Node:
    return optimise(statement, tables.context()).plan


def test_a_key_in_where_is_looked_up() -> None:
    tables = Tables()
    users = tables.scan(tables.table("users", "id INTEGER NOT NULL, name TEXT", rowid=0))
    key = Convert(Parameter(0), SqlType.INTEGER)
    plan = plan_of(
        query(Projection(Filter(users, equals(users.output[0], key)), users.output[1:], users.output[1:])), tables
    )
    assert isinstance(plan, Projection)
    assert isinstance(plan.child, IndexLookup)
    assert plan.child.keys == ((key,),)
    assert plan.child.positions == (2,)
