"""Which indexes over expressions, or of some rows, answer a query's conditions.

An expression is known again where it is written alike, up to what folding its constants makes of it. A partial index
serves where the query's conditions name all of its own, or ask what must not be NULL there to equal something.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from discosql.planner.computed_keys import BoundKey, bound_keys, uses_built_in
from discosql.planner.keys import NO_TEXT, Match
from discosql.planner.plan import ColumnRef, Compare, Constant, Expression, InList, Is, Scan
from discosql.planner.predicates import conjuncts, fingerprint, is_volatile
from discosql.planner.rules.fold_constants import folded
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.rules.simplify_predicates import condition
from discosql.planner.traverse import columns_in, substitute
from discosql.schema import ComputedIndex

Equality: TypeAlias = tuple[Expression, Match]
"""What a conjunct asks to equal values that are known before the table is read."""


def answers(scan: Scan, parts: Sequence[Expression], work: Optimisation) -> Iterator[tuple[ComputedIndex, list[Match]]]:
    """Yield the kept indexes of a table whose keys the conjuncts of a query all compare with given values.

    Each comes with one match a key.
    """
    kept = [index for index in scan.table.computed_indexes if index.kept]
    if not kept:
        return
    equalities = list(_equalities(scan, parts))
    for key in bound_keys(work.context, scan.table, kept) if equalities else ():
        # A function of this connection may hide the one that the index was made with.
        if not uses_built_in(work.context, key):
            continue
        columns = _columns(scan, key)
        expressions, where = key.key.expressions, key.key.where
        wanted = [] if where is None else conjuncts(condition(folded(where, work)))
        if not _implies(parts, [substitute(item, columns) for item in wanted], equalities):
            continue
        used = [
            _match_for(substitute(folded(item, work), columns), name, equalities)
            for item, name in zip(expressions, key.key.index.collations, strict=True)
        ]
        if None not in used:
            yield key.key.index, [match for match in used if match is not None]


def _columns(scan: Scan, key: BoundKey) -> Mapping[int, ColumnRef]:
    """Return the query's columns by the ids of those in the key."""
    places = dict(zip(scan.positions, scan.output, strict=True))
    own = scan.table.rowid_column
    if own is not None and 0 in places:
        places.setdefault(own + 1, places[0])
    return {column.id: places[place] for place, column in enumerate(key.row) if place in places}


def _equalities(scan: Scan, parts: Sequence[Expression]) -> Iterator[Equality]:
    own = {column.id for column in scan.output}
    for place, part in enumerate(parts):
        if isinstance(part, Compare) and part.operator == "=":
            for side, other in ((part.left, part.right), (part.right, part.left)):
                if _is_given(other, own):
                    yield side, Match(place, (other,), part.collation)
        elif isinstance(part, InList) and not part.negated and all(_is_given(item, own) for item in part.items):
            yield part.operand, Match(place, part.items, part.collation)


def _is_given(value: Expression, own: set[int]) -> bool:
    return not is_volatile(value) and own.isdisjoint(columns_in(value))


def _match_for(key: Expression, collation: str, equalities: Sequence[Equality]) -> Match | None:
    mark = fingerprint(key)
    fitting = [
        match
        for side, match in equalities
        if (match.collation == collation or key.type in NO_TEXT) and fingerprint(side) == mark
    ]
    return min(fitting, key=lambda match: len(match.values), default=None)


def _implies(parts: Sequence[Expression], wanted: Sequence[Expression], equalities: Sequence[Equality]) -> bool:
    """Whether conjuncts that are all true make all the wanted ones true."""
    if not wanted:
        return True
    given = {fingerprint(part) for part in parts}
    compared: set[tuple[Any, ...]] | None = None
    for item in wanted:
        if fingerprint(item) in given:
            continue
        if compared is None:
            compared = {fingerprint(side) for side, _ in equalities}
        subject = _never_null(item)
        if subject is None or fingerprint(subject) not in compared:
            return False
    return True


def _never_null(item: Expression) -> Expression | None:
    """Return what is not NULL if a condition says just that of something."""
    if isinstance(item, Is) and item.negated and isinstance(item.right, Constant) and item.right.value is None:
        return item.left
    return None
