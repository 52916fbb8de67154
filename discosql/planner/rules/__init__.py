"""The optimiser: rules that rewrite plans, in the order they are applied.

Each rule is one function of a plan, in a file of its name, and promises the same rows for never more requests. Rules
know nothing of each other; where one makes work for another, the order below sees to it.
"""

from dataclasses import replace
from typing import Any, Final, TypeAlias, TypeVar

from discosql.planner.context import PlanContext
from discosql.planner.operands import SUBQUERIES, SUBQUERY_KINDS, walk
from discosql.planner.plan import (
    Aggregate,
    And,
    Call,
    Case,
    ColumnRef,
    Constant,
    Delete,
    Distinct,
    Filter,
    HashJoin,
    InList,
    Insert,
    Is,
    Limit,
    NestedLoopJoin,
    Node,
    Not,
    Or,
    Parameter,
    Projection,
    RowRules,
    Shared,
    Sort,
    Update,
    Values,
)
from discosql.planner.rules.choose_hash_joins import choose_hash_joins
from discosql.planner.rules.decorrelate import decorrelate
from discosql.planner.rules.find_anti_joins import find_anti_joins
from discosql.planner.rules.flatten_subqueries import flatten_subqueries
from discosql.planner.rules.fold_constants import fold_constants
from discosql.planner.rules.index_join import index_join
from discosql.planner.rules.infer_predicates import infer_predicates
from discosql.planner.rules.optimisation import Optimisation, Rule
from discosql.planner.rules.order_joins import order_joins
from discosql.planner.rules.prune_columns import prune_columns
from discosql.planner.rules.push_down_filters import push_down_filters
from discosql.planner.rules.push_down_limit import push_down_limit
from discosql.planner.rules.remove_empty import remove_empty
from discosql.planner.rules.remove_redundant import remove_redundant
from discosql.planner.rules.simplify_predicates import simplify_predicates
from discosql.planner.rules.top_n import top_n
from discosql.planner.rules.use_index import use_index
from discosql.planner.statement import columns_of, map_plans, map_subplans, plans, rewrite_all
from discosql.planner.traverse import expressions, keep_output, rewrite_plan, walk_plan

_CONDITIONS: Final = frozenset({Filter, NestedLoopJoin})
_TRUTH: Final = frozenset({And, Or, Not, InList, Is, Constant, Parameter, Case})

RULES: Final[tuple[Rule, ...]] = (
    Rule(fold_constants, frozenset({Constant, Call})),
    Rule(simplify_predicates, _TRUTH),
    Rule(remove_empty, frozenset({Constant, Values})),
    Rule(flatten_subqueries, frozenset({Projection})),
    Rule(push_down_filters, _CONDITIONS),
    Rule(find_anti_joins, frozenset({Filter})),
    Rule(decorrelate, SUBQUERY_KINDS),
    Rule(flatten_subqueries, frozenset({NestedLoopJoin})),
    Rule(push_down_filters, frozenset({NestedLoopJoin})),
    Rule(infer_predicates, frozenset({NestedLoopJoin})),
    Rule(remove_empty, frozenset({Constant})),
    Rule(use_index, frozenset({Filter})),
    Rule(order_joins, frozenset({NestedLoopJoin})),
    Rule(choose_hash_joins, frozenset({NestedLoopJoin})),
    Rule(index_join, frozenset({HashJoin})),
    Rule(remove_redundant, frozenset({Sort, Distinct, Limit, Aggregate})),
    Rule(push_down_limit, frozenset({Limit})),
    Rule(top_n, frozenset({Limit})),
    Rule(prune_columns),
)

Trace: TypeAlias = list[tuple[str, Node]]
"""The rules that changed a plan, each with the plan after it."""

_T = TypeVar("_T")


def optimise(statement: _T, context: PlanContext, trace: Trace | None = None) -> _T:
    """Return the statement with better plans: the same rows for fewer requests, bytes and steps.

    Each plan of the statement is optimised by itself, and those of common table expressions once each, before the
    plans that use them. `trace` is given each rule that changed a plan.
    """
    work = Optimisation(context, lambda: _highest_id(statement))
    planned: dict[int, Node] = {}
    return map_plans(statement, lambda plan: _optimised(plan, work, planned, trace))


def _optimised(plan: Node, work: Optimisation, planned: dict[int, Node], trace: Trace | None) -> Node:
    kinds = kinds_in(plan)
    if Shared in kinds:
        plan = _with_shared(plan, work, planned, trace)
    for rule in RULES:
        if rule.kinds and rule.kinds.isdisjoint(kinds):
            continue
        new = keep_output(plan, _applied(rule, plan, work, not kinds.isdisjoint(SUBQUERY_KINDS)))
        if new is not plan:
            plan = new
            kinds = kinds_in(plan)
            if trace is not None:
                trace.append((rule.name, plan))
    return plan


def _applied(rule: Rule, plan: Node, work: Optimisation, has_subqueries: bool) -> Node:
    if has_subqueries:

        def change(node: Node) -> Node:
            return map_subplans(node, lambda inner: _applied(rule, inner, work, True))

        plan = rewrite_plan(plan, change)
    return rule.function(plan, work)


def _with_shared(plan: Node, work: Optimisation, planned: dict[int, Node], trace: Trace | None) -> Node:
    """Return the plan with the plans of its common table expressions optimised, one object for each."""

    def change(node: Node) -> Node:
        if not isinstance(node, Shared):
            return node
        if node.id not in planned:
            planned[node.id] = keep_output(node.child, _optimised(node.child, work, planned, trace))
        return replace(node, child=planned[node.id])

    return rewrite_all(plan, change)


def kinds_in(plan: Node) -> set[type]:
    """Return the classes of all nodes and expressions of a plan and its subqueries."""
    found: set[type] = set()
    stack = [plan]
    while stack:
        for node in walk_plan(stack.pop()):
            found.add(type(node))
            for expression in expressions(node):
                if type(expression) is ColumnRef:
                    found.add(ColumnRef)
                    continue
                for part in walk(expression):
                    found.add(type(part))
                    if isinstance(part, SUBQUERIES):
                        stack.append(part.plan)
    return found


def _highest_id(statement: Any) -> int:
    highest = max((column.id for plan in plans(statement) for column in columns_of(plan)), default=0)
    if isinstance(statement, Insert | Update | Delete):
        rules: tuple[RowRules, ...] = (statement.rules, *statement.related)
        highest = max(highest, *(column.id for each in rules for column in each.row))
    return highest
