"""Code for the nodes that handle row after row: Filter, Projection, Limit and Distinct."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Final

from discosql.executor.compile.code import ANYTHING, INTEGER, TEXT, Code, compose, row_of, variable
from discosql.executor.compile.comparison import collated
from discosql.executor.compile.leaves import bind
from discosql.executor.compile.pipe import Layout, Pipe
from discosql.executor.compile.producer import (
    PRODUCERS,
    STATE,
    Consumer,
    Needed,
    Producer,
    Rows,
    output_ids,
    output_row,
)
from discosql.executor.compile.walk import references
from discosql.executor.reads import UNLIMITED, limit_of, offset_of
from discosql.planner.plan import (
    Constant,
    Distinct,
    Expression,
    Filter,
    Limit,
    Node,
    Projection,
    SetOperation,
)


def _filter(producer: Producer, node: Filter, needed: Needed, consume: Consumer) -> None:
    def select(pipe: Pipe) -> None:
        consume(pipe.where(producer.truth(node.predicate, pipe)))

    producer.produce(node.child, needed | references(node.predicate), select)


def _projection(producer: Producer, node: Projection, needed: Needed, consume: Consumer) -> None:
    wanted = [
        (column, expression)
        for column, expression in zip(node.output, node.expressions, strict=True)
        if column.id in needed
    ]

    def project(pipe: Pipe) -> None:
        columns: dict[int, Code] = {}
        after = pipe
        for column, expression in wanted:
            after, columns[column.id] = bind(producer, after, column, expression)
        consume(after.with_columns(columns))

    producer.produce(node.child, references(*[expression for _, expression in wanted]), project)


_MANY_ARMS: Final = 50
"""With more arms than this a UNION ALL under a Limit is computed as a whole: each arm is written out here."""

# Limit -----------------------------------------------------------------------------------------------------------


def _limit(producer: Producer, node: Limit, needed: Needed, consume: Consumer) -> None:
    """Write a Limit inside a plan as a function of its own, which returns as soon as it has enough rows."""
    inner, given = producer.subfunction(node, "l", {})
    kinds = return_rows(inner, node)
    rows = producer.function.name("rows")
    arguments = ", ".join((*STATE, *[code.text for code in given]))
    producer.function.line(f"{rows} = yield from {inner.function.label}({arguments})")
    producer.each(Rows(rows, output_layout(node, kinds)), consume)


def output_layout(node: Node, kinds: list[int]) -> Layout:
    """Return the layout of rows that are exactly the output of a node."""
    places = {column.id: place for place, column in enumerate(node.output)}
    return Layout(places, dict(zip(places, kinds, strict=True)), width=len(places))


def return_rows(producer: Producer, node: Node, *, plain: bool = False) -> list[int]:
    """Write code that returns the rows of a node as a list of tuples; return the kinds of its columns.

    With `plain` the rows leave the plan, so JSON becomes text.
    """
    if isinstance(node, Limit):
        return _return_first(producer, node, plain)
    rows, kinds = producer.tuples(node, plain=plain)
    producer.function.line(f"return {rows}")
    return kinds


def limits(
    producer: Producer, limit: Expression | None, offset: Expression | None, *, leave: bool = True
) -> tuple[str, str]:
    """Write code that works out OFFSET, and LIMIT plus OFFSET; return their names or numbers.

    With `leave` the function returns at once where no row is wanted.
    """
    if (limit is None or isinstance(limit, Constant)) and (offset is None or isinstance(offset, Constant)):
        count = limit_of(limit.value) if limit is not None else UNLIMITED
        skip = offset_of(offset.value) if offset is not None else 0
        return str(skip), str(count + skip)
    function, module = producer.function, producer.module
    skip_name, stop_name = function.name("skip"), function.name("stop")
    skip_code = f"{module.runtime(offset_of)}({producer.value(offset).text})" if offset is not None else "0"
    count_code = f"{module.runtime(limit_of)}({producer.value(limit).text})" if limit is not None else str(UNLIMITED)
    function.line(f"{stop_name} = {count_code}")
    function.line(f"{skip_name} = {skip_code}")
    if leave:
        with function.block(f"if not {stop_name}:"):
            function.line("return []")
    function.line(f"{stop_name} += {skip_name}")
    return skip_name, stop_name


def _return_first(producer: Producer, node: Limit, plain: bool) -> list[int]:
    function = producer.function
    function.limited = True
    skip, stop = limits(producer, node.limit, node.offset)
    if stop == skip:
        function.line("return []")
        return [ANYTHING] * len(node.output)
    rows = function.name("rows")
    function.line(f"{rows} = []")
    result = rows if skip == "0" else f"{rows}[{skip}:]"
    kinds = [0] * len(node.output)

    def take(arm: Node, pipe: Pipe) -> None:
        pipe = producer.plain(pipe) if plain else pipe
        for place, column in enumerate(arm.output):
            kinds[place] |= pipe.columns[column.id].kind
        item = output_row(pipe, arm)
        if pipe.is_comprehension(item):
            taken = f"{producer.module.runtime(islice)}(({pipe.comprehension(item.text)}), {stop} - len({rows}))"
            function.line(f"{rows} += {taken}")
            _leave(producer, rows, stop, result)
        else:
            with pipe.written(function):
                function.line(f"{rows}.append({item.text})")
                _leave(producer, rows, stop, result)

    for arm in _arms(node.child):
        producer.produce(arm, output_ids(arm), partial(take, arm))
    function.line(f"return {result}")
    return kinds


def _arms(node: Node) -> list[Node]:
    """Return the plans whose rows follow one another in a node: the arms of UNION ALL, or the node itself."""
    arms: list[Node] = []
    first = node
    while isinstance(first, SetOperation) and first.kind == "union" and first.all:
        arms.append(first.right)
        first = first.left
    return [first, *reversed(arms)] if len(arms) < _MANY_ARMS else [node]


def _leave(producer: Producer, rows: str, stop: str, result: str) -> None:
    with producer.function.block(f"if len({rows}) >= {stop}:"):
        producer.function.line(f"return {result}")


# Distinct --------------------------------------------------------------------------------------------------------


def _distinct(producer: Producer, node: Distinct, needed: Needed, consume: Consumer) -> None:
    write = _distinct_in_passing if producer.function.limited else _distinct_kept
    write(producer, node, consume)


def distinct_key(producer: Producer, codes: list[Code], collations: tuple[str, ...]) -> Code:
    """Return the code of what is equal for rows that are equal: a tuple, or the value itself for one column."""
    scope = producer.scope({})
    keys = [collated(scope, code, collation) for code, collation in zip(codes, collations, strict=True)]
    return keys[0] if len(keys) == 1 else row_of(keys)


def _is_plain(codes: list[Code], collations: tuple[str, ...]) -> bool:
    pairs = zip(codes, collations, strict=True)
    return all(collation == "BINARY" or not code.may_be(TEXT) for code, collation in pairs)


def _distinct_in_passing(producer: Producer, node: Distinct, consume: Consumer) -> None:
    function = producer.function
    seen, add = function.name("seen"), function.name("add")
    function.line(f"{seen} = set()")
    function.line(f"{add} = {seen}.add")

    def select(pipe: Pipe) -> None:
        codes = [pipe.columns[column.id] for column in node.output]
        key = function.name("k")
        pipe = pipe.let(key, distinct_key(producer, codes, node.collations))
        test = compose(f"{{}} not in {seen} and not {add}({key})", variable(key, ANYTHING), kind=INTEGER)
        names = test.names | {seen, add}
        consume(pipe.where(Code(test.text, INTEGER, depth=1, names=names)))

    producer.produce(node.child, output_ids(node), select)


def _distinct_kept(producer: Producer, node: Distinct, consume: Consumer) -> None:
    function = producer.function
    seen, rows = function.name("seen"), function.name("rows")
    function.line(f"{seen} = {{}}")
    kept: list[list[Code]] = []

    def keep(pipe: Pipe) -> None:
        codes = [pipe.columns[column.id] for column in node.output]
        kept.append(codes)
        _keep_first(producer, pipe, seen, codes, distinct_key(producer, codes, node.collations))

    with producer.without_factors():
        producer.produce(node.child, output_ids(node), keep)
    layout = output_layout(node, [code.kind for code in kept[0]])
    plain = _is_plain(kept[0], node.collations)
    function.line(f"{rows} = list({seen if plain else seen + '.values()'})")
    if plain and len(kept[0]) == 1:
        _each_value(producer, node, rows, layout, consume)
    else:
        producer.each(Rows(rows, layout), consume)


def _keep_first(producer: Producer, pipe: Pipe, seen: str, codes: list[Code], key: Code) -> None:
    """Write code that keeps the first row of each key, the key alone where it is the row."""
    function = producer.function
    if key.text == (codes[0] if len(codes) == 1 else row_of(codes)).text:
        if pipe.is_comprehension(key):
            function.line(f"{seen}.update(dict.fromkeys([{pipe.comprehension(key.text)}]))")
            return
        with pipe.written(function):
            function.line(f"{seen}[{key.text}] = None")
        return
    with pipe.written(function):
        function.line(f"k = {key.text}")
        with function.block(f"if k not in {seen}:"):
            function.line(f"{seen}[k] = {row_of(codes).text}")


def _each_value(producer: Producer, node: Distinct, rows: str, layout: Layout, consume: Consumer) -> None:
    """Write a loop over values that stand for rows of one column."""
    part, value = producer.function.name("part"), producer.function.name("x")
    (column,) = node.output
    cut = producer.cutting()
    with producer.function.block(f"for {part} in {cut(rows)}:"):
        pipe = Pipe({}).each(value, variable(part, ANYTHING), {column.id: variable(value, layout.kinds[column.id])})
        consume(pipe)
        producer.tick(f"len({part})")


PRODUCERS.update({Filter: _filter, Projection: _projection, Limit: _limit, Distinct: _distinct})
