"""From SQL text to a statement that is ready to be compiled."""

from dataclasses import replace

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.authorizer import StatementIgnoredError, action_of
from discosql.planner.build import Binder
from discosql.planner.context import PlanContext
from discosql.planner.ddl import build_ddl
from discosql.planner.dml_views import build_change
from discosql.planner.grammar.syntax import (
    CreateTable,
    DeleteStatement,
    ExplainStatement,
    InsertStatement,
    Nothing,
    Pragma,
    QueryStatement,
    StatementSyntax,
    Transaction,
    UpdateStatement,
    VacuumStatement,
)
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import ParsedStatement, parse
from discosql.planner.plan import Explain, Prepared, Query, Statement, TransactionControl, Vacuum
from discosql.planner.pragma import build_nothing, build_pragma, nothing
from discosql.planner.rules import Trace, optimise
from discosql.planner.triggers import with_triggers
from discosql.stack import call_deeply


def prepare(sql: str, context: PlanContext, *, trace: Trace | None = None) -> Prepared:
    """Return the plan of one statement; `trace` is given the rules that changed it.

    Raises ProgrammingError where the SQL is wrong, NotSupportedError for SQL that discosql does not have.
    """
    try:
        return call_deeply(lambda: _prepare(sql, context, trace))
    except RecursionError as exc:
        raise ProgrammingError("Expression tree is too large: it is nested too deeply") from exc


def _prepare(sql: str, context: PlanContext, trace: Trace | None) -> Prepared:
    parsed = parse(sql)
    try:
        return _planned(parsed, context, trace)
    except StatementIgnoredError:
        return Prepared(nothing(context, "IGNORED"), parsed.parameters.names)


def _planned(parsed: ParsedStatement, context: PlanContext, trace: Trace | None) -> Prepared:
    for name in parsed.indexes:
        if context.catalog.find_index(name) is None:
            raise UnknownNameError(f"no such index: {name}")
    statement = build_statement(parsed.syntax, context, parsed.parameters)
    if context.optimise:
        statement = optimise(statement, context, trace)
    statement = _with_triggers(statement, context)
    return Prepared(statement, parsed.parameters.names)


def _with_triggers(statement: Statement, context: PlanContext) -> Statement:
    if isinstance(statement, Explain):
        return replace(statement, statement=_with_triggers(statement.statement, context))
    return with_triggers(statement, context)


def build_statement(syntax: StatementSyntax, context: PlanContext, parameters: ParameterTable) -> Statement:
    """Return the unoptimised plan of a statement."""
    if context.authorizer is not None:
        action = action_of(syntax, context.catalog)
        if action is not None:
            context.authorizer.statement(action)
            if not isinstance(syntax, CreateTable):
                context = replace(context, authorizer=None)
    match syntax:
        case QueryStatement():
            return Query(*Binder(context, parameters).build_query(syntax.tree))
        case InsertStatement() | UpdateStatement() | DeleteStatement():
            return build_change(context, parameters, syntax)
        case Pragma():
            return build_pragma(context, syntax)
        case Transaction():
            return TransactionControl(syntax.kind, syntax.name)
        case ExplainStatement():
            return Explain(build_statement(syntax.statement, context, parameters), syntax.mode, syntax.format)
        case VacuumStatement():
            return Vacuum()
        case Nothing():
            return build_nothing(context, syntax)
        case _:
            return build_ddl(context, parameters, syntax)
