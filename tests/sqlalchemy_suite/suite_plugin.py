"""SQLAlchemy's pytest plugin, with this dialect known and what its databases need for the suite."""

import pytest
from sqlalchemy.dialects import registry

registry.register("discosql", "discosql.sqlalchemy.dialect", "DiscosqlDialect")
registry.register("discosql.discosql", "discosql.sqlalchemy.dialect", "DiscosqlDialect")
registry.register("discosql.aio", "discosql.sqlalchemy.aio", "DiscosqlAioDialect")

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing import config, provision  # noqa: E402
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403


@provision.temp_table_keyword_args.for_db("discosql")
def temp_table_keyword_args(cfg, eng):
    """Return what makes a table temporary."""
    return {"prefixes": ["TEMPORARY"]}


@pytest.hookimpl(specname="pytest_sessionstart", trylast=True)
def pytest_one_schema():
    """Let the tests that name a schema without asking whether there are some name the only one."""
    for configuration in config.Config.all_configs():
        configuration.test_schema = "main"
    config.test_schema = "main"


NO_NUMBERS = {5: "some string", 7: r"r\xe9ve ill\xe9", 8: "true", 9: "false"}

UNFIT = {
    "test_dialect_user_setting_is_restored": "design: SERIALIZABLE is the one level besides AUTOCOMMIT, two are needed",
    "numeric_many_decimals": "as SQLite: a number written with a point is a REAL, of 15 digits",
    **dict.fromkeys(
        (f"string-{text}-allowed_targets{place}-numeric" for place, text in NO_NUMBERS.items()),
        "CAST AS DECIMAL of text that is no number is NULL",
    ),
}
"""What no requirement closes, by parts of the tests' names."""


@pytest.hookimpl(specname="pytest_collection_modifyitems", trylast=True)
def pytest_leave_out(items):
    """Skip the tests that are unfit, and tell why."""
    for item in items:
        for name, reason in UNFIT.items():
            if name in item.name:
                item.add_marker(pytest.mark.skip(reason=reason))
