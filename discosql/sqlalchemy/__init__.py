"""The SQLAlchemy dialect: ``sqlalchemy.create_engine("discosql:///shop.disco")``.

| URL | database |
|---|---|
| ``discosql:///shop.disco`` | a file, relative to the working directory; ``discosql:////`` for an absolute path |
| ``discosql://`` | a database in memory |
| ``discosql+discord://server/database`` | on Discord; the server's name or id, the database may be left out |
| ``discosql+aio:///shop.disco``, ``discosql+aio://server`` | the same for ``create_async_engine`` |

The bot's token comes from the environment variable DISCOSQL_TOKEN, or from the URL's password
(``discosql+discord://:token@server``). The options of `discosql.connect` may follow as a query (``?timeout=5``).
"""

from importlib.util import find_spec

if find_spec("sqlalchemy") is None:
    raise ModuleNotFoundError(
        "discosql.sqlalchemy needs SQLAlchemy: pip install 'discosql[sqlalchemy]'", name="sqlalchemy"
    )
