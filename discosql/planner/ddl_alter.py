"""ALTER TABLE."""

from discosql.errors import NotSupportedError
from discosql.planner.context import PlanContext
from discosql.planner.grammar.syntax import AddColumn, DropColumn, RenameColumn, RenameTable
from discosql.planner.plan import ChangeSchema


def build_alter(context: PlanContext, statement: AddColumn | DropColumn | RenameColumn | RenameTable) -> ChangeSchema:
    """Return the change that ALTER TABLE makes to the catalog."""
    raise NotSupportedError(f"{type(statement).__name__} is not supported")
