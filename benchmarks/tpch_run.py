"""TPC-H at scale 0.01."""

import sqlglot.errors

from benchmarks.engines import Discosql, Duckdb, Engine, KeyedSqlite, Sqlglot
from benchmarks.tables import tpch, tpch_queries
from benchmarks.timing import Timings, measure

REFUSALS = (sqlglot.errors.SqlglotError,)
"""What sqlglot.executor raises for queries that it cannot run."""


class TpchResults:
    """What was measured on TPC-H: `timings` by query and engine."""

    def __init__(self) -> None:
        tables = tpch()
        self.engines: list[Engine] = [Discosql(), KeyedSqlite(), Duckdb(), Sqlglot()]
        for engine in self.engines:
            engine.load(tables)
        self.timings: Timings = measure(self.engines, tpch_queries(), REFUSALS)
