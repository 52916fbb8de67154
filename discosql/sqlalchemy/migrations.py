"""What Alembic does with a discosql database; imported by the dialect where Alembic is installed."""

from alembic.ddl.sqlite import SQLiteImpl


class DiscosqlImpl(SQLiteImpl):
    """As for SQLite: columns are added by ALTER TABLE, other changes go through ``op.batch_alter_table``."""

    __dialect__ = "discosql"
    transactional_ddl = True
