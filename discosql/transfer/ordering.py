"""The order of tables in which no row comes before one that it refers to."""

from collections.abc import Collection, Mapping

from discosql.types import fold_case


def parents_first(parents: Mapping[str, Collection[str]]) -> list[str]:
    """Return tables so that each comes behind its parents, as far as these do not refer to one another in a circle.

    `parents` has for each table, by folded name, those that it refers to, also such as are not among the tables.
    """
    ordered: list[str] = []
    begun: set[str] = set()

    def add(table: str) -> None:
        if table in begun or table not in parents:
            return
        begun.add(table)
        for parent in parents[table]:
            add(fold_case(parent))
        ordered.append(table)

    for table in parents:
        add(table)
    return ordered
