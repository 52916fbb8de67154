"""Code for Sort and TopN.

Keys that compare in Python as they do in SQL are taken as they are; others are computed with each row as something
that does. Lists are sorted once a run of keys with the same direction, the last key first: sorting is stable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from discosql.executor.collations import sort_key_of
from discosql.executor.compile.code import ANYTHING, BLOB, NULL, NUMBER, TEXT, Code, compose
from discosql.executor.compile.comparison import collated
from discosql.executor.compile.pipe import Layout, Pipe, pack
from discosql.executor.compile.producer import PRODUCERS, Consumer, Needed, Producer, Rows, wanted
from discosql.executor.compile.rows import limits
from discosql.executor.compile.walk import references
from discosql.executor.ordering import sort_with_nulls
from discosql.planner.plan import Constant, Sort, SortKey, TopN
from discosql.types import sort_key


@dataclass(frozen=True, slots=True)
class Term:
    """One key of a sort: its position in a kept row. With `nulls` the values may be NULL, which Python cannot order."""

    position: int
    descending: bool
    nulls: bool
    nulls_first: bool


def key_code(producer: Producer, key: SortKey, pipe: Pipe) -> Code:
    """Return the code of a sort key's value, such that Python orders the values as SQL does, NULL apart."""
    code = producer.value(key.expression, pipe)
    return orderable(producer, code, key.collation)


def orderable(producer: Producer, code: Code, collation: str) -> Code:
    """Return code for a value that Python orders as SQL does under a collation, NULL apart."""
    plain = any(code.only(kind | NULL) for kind in (NUMBER, TEXT, BLOB))
    if plain and (not code.may_be(NULL) or not code.may_be(TEXT) or collation == "BINARY"):
        return collated(producer.scope({}), code, collation)
    module = producer.module
    plain = collation == "BINARY" or not code.may_be(TEXT)
    name = module.runtime(sort_key) if plain else sort_key_name(producer, collation)
    if not code.may_be(NULL):
        return compose(f"{name}({{}})", code, kind=0)
    first, again = producer.scope({}).named(code)
    return compose(f"({name}({{1}}) if {{0}} is not None else None)", first, again, kind=NULL)


def sort_key_name(producer: Producer, collation: str) -> str:
    """Return the name of the function from a value to its sort key under a collation."""
    module = producer.module
    number = module.facts.get(("key", collation)) or module.name("c")
    module.facts["key", collation] = number
    make = f"{module.runtime(sort_key_of)}(context, memo, {module.constant(collation)})"
    return producer.function.local(f"key_{number}", make)


def terms_of(keys: Sequence[SortKey], layout: Layout) -> list[Term]:
    """Return the terms of a sort of rows whose extra values are the keys."""
    pairs = zip(keys, layout.extras, layout.extra_kinds, strict=True)
    return [Term(place, key.descending, bool(kind & NULL), key.nulls_first) for key, place, kind in pairs]


def write_sort(producer: Producer, rows: str, terms: Sequence[Term]) -> None:
    """Write code that sorts a list of rows in place."""
    for run in reversed(_runs(terms)):
        places = [term.position for term in run]
        key = producer.module.constant(itemgetter(*places), "K")
        if run[0].nulls:
            sort = producer.module.runtime(sort_with_nulls)
            last = run[0]
            producer.function.line(f"{sort}({rows}, {places[0]}, {last.descending}, {last.nulls_first})")
        else:
            reverse = ", reverse=True" if run[0].descending else ""
            producer.function.line(f"{rows}.sort(key={key}{reverse})")


def _runs(terms: Iterable[Term]) -> list[list[Term]]:
    """Group neighbouring terms that one sort can do."""
    runs: list[list[Term]] = []
    for term in terms:
        last = runs[-1][-1] if runs else None
        if last is None or last.nulls or term.nulls or last.descending != term.descending:
            runs.append([])
        runs[-1].append(term)
    return runs


def _key_columns(keys: Sequence[SortKey]) -> Needed:
    return references(*[key.expression for key in keys])


def _sort(producer: Producer, node: Sort, needed: Needed, consume: Consumer) -> None:
    rows = sorted_rows(producer, node, needed)
    producer.each(rows, consume)


def sorted_rows(producer: Producer, node: Sort | TopN, needed: Needed) -> Rows:
    """Write code that keeps the rows of a node's child in a list, in order."""
    keys = node.keys

    def keep_all(name: str, pipe: Pipe) -> Layout:
        columns = wanted(pipe, needed)
        item, layout = pack(columns, [key_code(producer, key, pipe) for key in keys])
        producer.extend(name, pipe, item)
        return layout

    name = producer.function.name("rows")
    producer.function.line(f"{name} = []")
    layouts: list[Layout] = []
    with producer.without_factors():
        child_needed = needed | _key_columns(keys)
        producer.produce(node.child, child_needed, lambda pipe: layouts.append(keep_all(name, pipe)))
    write_sort(producer, name, terms_of(keys, layouts[0]))
    return Rows(name, layouts[0])


# TopN ------------------------------------------------------------------------------------------------------------


def _top_n(producer: Producer, node: TopN, needed: Needed, consume: Consumer) -> None:
    """Write a Sort that keeps the first rows only: those that come after the last one kept are not even packed."""
    if isinstance(node.limit, Constant) and isinstance(node.limit.value, int) and node.limit.value < 0:
        rows = sorted_rows(producer, node, needed)
        producer.function.line(f"del {rows.name}[:{limits(producer, node.limit, node.offset)[0]}]")
        producer.each(rows, consume)
        return
    function = producer.function
    name, bound = function.name("rows"), function.name("bound")
    skip, stop = _sort_limits(producer, node)
    function.line(f"{name} = []")
    function.line(f"{bound} = None")
    layouts: list[Layout] = []

    def keep_first(pipe: Pipe) -> None:
        codes = [key_code(producer, key, pipe) for key in node.keys]
        item, layout = pack(wanted(pipe, needed), codes)
        layouts.append(layout)
        producer.extend(name, _bounded(pipe, node.keys, codes[0], bound), item)
        with function.block(f"if len({name}) > {stop}:"):
            write_sort(producer, name, terms_of(node.keys, layout))
            function.line(f"del {name}[{stop}:]")
            function.line(f"{bound} = {name}[-1][{layout.extras[0]}] if {name} else None")

    with producer.without_factors():
        producer.produce(node.child, needed | _key_columns(node.keys), keep_first)
    write_sort(producer, name, terms_of(node.keys, layouts[0]))
    if skip != "0":
        function.line(f"del {name}[:{skip}]")
    producer.each(Rows(name, layouts[0]), consume)


def _sort_limits(producer: Producer, node: TopN) -> tuple[str, str]:
    """Return OFFSET and LIMIT plus OFFSET without leaving the function where there is nothing to return."""
    return limits(producer, node.limit, node.offset, leave=False)


def _bounded(pipe: Pipe, keys: Sequence[SortKey], code: Code, bound: str) -> Pipe:
    """Return the pipe without the rows whose first key is behind that of the last row kept."""
    if not code.simple or code.kind == 0:
        return pipe
    limit = Code(bound, code.kind, simple=True, names=frozenset((bound,)))
    sign = ">" if keys[0].descending else "<"
    if len(keys) > 1:
        sign += "="
    test = f"{{0}} {sign} {{1}}"
    if code.may_be(NULL):
        test = f"{{0}} is None or {test}" if keys[0].nulls_first else f"{{0}} is not None and {test}"
    return pipe.where(compose(f"({{1}} is None or {test})", code, limit, kind=ANYTHING))


PRODUCERS.update({Sort: _sort, TopN: _top_n})
