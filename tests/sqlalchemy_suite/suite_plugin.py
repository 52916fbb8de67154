"""SQLAlchemy's pytest plugin, with this dialect known and what its databases need for the suite."""

import pytest
from sqlalchemy.dialects import registry

registry.register("discosql", "discosql.sqlalchemy.dialect", "DiscosqlDialect")
registry.register("discosql.discosql", "discosql.sqlalchemy.dialect", "DiscosqlDialect")
registry.register("discosql.aio", "discosql.sqlalchemy.aio", "DiscosqlAioDialect")

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing import provision  # noqa: E402
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403


@provision.temp_table_keyword_args.for_db("discosql")
def temp_table_keyword_args(cfg, eng):
    """Return what makes a table temporary."""
    return {"prefixes": ["TEMPORARY"]}
