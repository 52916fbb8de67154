"""Code for Aggregate: rows are gathered by group, then each call is computed over the lists of values of a group.

What is gathered of a row is as little as the calls need: the value itself for calls over one column, the row of the
table where nothing has to be computed, nothing but a count for ``count(*)``. Groups come out in the order of their
keys, as SQLite's do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from discosql.executor import aggregating
from discosql.executor.compile.aggregate_calls import GroupCode, call_code
from discosql.executor.compile.code import ANYTHING, BLOB, NULL, NUMBER, TEXT, Code, row_of, variable
from discosql.executor.compile.comparison import collated
from discosql.executor.compile.pipe import Pipe, pack
from discosql.executor.compile.producer import PRODUCERS, Consumer, Needed, Producer
from discosql.executor.compile.sorting import key_code
from discosql.executor.compile.walk import references
from discosql.executor.ordering import sort_with_nulls
from discosql.executor.reads import pieces
from discosql.planner.plan import Aggregate, AggregateCall


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the code that gathers rows leaves behind: codes of the keys, and how the gathered items are read."""

    keys: list[Code]
    plain: bool
    group: GroupCode


def _aggregate(producer: Producer, node: Aggregate, needed: Needed, consume: Consumer) -> None:
    function = producer.function
    groups = function.name("groups")
    plain = all(collation == "BINARY" for collation in node.collations)
    counting = bool(node.keys) and plain and all(_is_row_count(call) for call in node.calls)
    empty = "[]" if not node.keys else f"{producer.module.runtime(defaultdict)}(list)"
    function.line(f"{groups} = {f'{producer.module.runtime(Counter)}()' if counting else empty}")
    found: list[Gathered] = []

    def gather(pipe: Pipe) -> None:
        found.append(_gather(producer, node, pipe, groups, counting))

    with producer.without_factors():
        producer.produce(node.child, references(*node.keys, *node.calls), gather)
    if node.keys:
        _each_group(producer, node, groups, found[0], counting, consume)
    else:
        group = found[0].group.named(groups)
        pipe, columns = _results(producer, node, Pipe({}), group, [])
        consume(pipe.with_columns(columns))


def _is_row_count(call: AggregateCall) -> bool:
    return call.name == "count" and not call.arguments and call.filter is None


def _gather(producer: Producer, node: Aggregate, pipe: Pipe, groups: str, counting: bool) -> Gathered:
    keys = [producer.value(key, pipe) for key in node.keys]
    scope = producer.scope(pipe.columns)
    normal = [collated(scope, key, name) for key, name in zip(keys, node.collations, strict=True)]
    plain = all(key.text == form.text for key, form in zip(keys, normal, strict=True))
    item, group = _item(producer, node, pipe, [] if plain else keys)
    key = normal[0] if len(normal) == 1 else row_of(normal)
    function = producer.function
    if not keys:
        producer.extend(groups, pipe, item)
    elif counting and pipe.is_comprehension(key):
        function.line(f"{groups}.update([{pipe.comprehension(key.text)}])")
    else:
        with pipe.written(function):
            function.line(f"{groups}[{key.text}]" + (" += 1" if counting else f".append({item.text})"))
    return Gathered(normal, plain, group)


def _item(producer: Producer, node: Aggregate, pipe: Pipe, keys: list[Code]) -> tuple[Code, GroupCode]:
    """Return the code of what is gathered of a row, and how it is read."""
    parts: list[Code] = [*keys]
    spans: list[tuple[int, int, int]] = []
    for call in node.calls:
        start = len(parts)
        parts += [producer.value(argument, pipe) for argument in call.arguments]
        middle = len(parts)
        if call.filter is not None:
            parts.append(producer.truth(call.filter, pipe))
        parts += [key_code(producer, key, pipe) for key in call.order_by]
        spans.append((start, middle, len(parts)))
    texts = {part.text for part in parts}
    sorted_calls = any(call.order_by for call in node.calls)
    if len(texts) == 1 and not sorted_calls:
        return parts[0], GroupCode("g", tuple(parts), (), tuple(spans), len(keys))
    item, layout = pack({}, parts)
    if not parts:
        item = Code("None", NULL, simple=True)
    return item, GroupCode("g", tuple(parts), layout.extras, tuple(spans), len(keys))


# Results -------------------------------------------------------------------------------------------------------------


def _each_group(
    producer: Producer, node: Aggregate, groups: str, found: Gathered, counting: bool, consume: Consumer
) -> None:
    function, module = producer.function, producer.module
    items, part = function.name("items"), function.name("part")
    key, group_name = function.name("k"), function.name("g")
    function.line(f"{items} = list({groups}.items())")
    _write_group_sort(producer, items, found.keys)
    step = producer.step()
    with function.block(f"for {part} in {module.runtime(pieces)}({items}, {step}):"):
        group = found.group.named(group_name)
        pipe = Pipe({}).each(f"{key}, {group_name}", variable(part, ANYTHING), {})
        columns = _key_columns(key, found, group)
        if counting:
            columns += [variable(group_name, 2) for _ in node.calls]
            by_id = {column.id: code for column, code in zip(node.output, columns, strict=True)}
            consume(pipe.with_columns(by_id))
        else:
            pipe, by_id = _results(producer, node, pipe, group, columns)
            consume(pipe.with_columns(by_id))
        producer.tick(f"len({part})")


def _key_columns(key: str, found: Gathered, group: GroupCode) -> list[Code]:
    if not found.plain:
        return [group.first(place) for place in range(len(found.keys))]
    if len(found.keys) == 1:
        return [variable(key, found.keys[0].kind)]
    names = frozenset((key,))
    return [
        Code(f"{key}[{place}]", code.kind, simple=True, names=names, slot=(key, place, len(found.keys)))
        for place, code in enumerate(found.keys)
    ]


def _write_group_sort(producer: Producer, items: str, keys: Sequence[Code]) -> None:
    """Write code that sorts groups by their keys."""
    module, line = producer.module, producer.function.line
    comparable = [any(key.only(kind | NULL) for kind in (NUMBER, TEXT, BLOB)) for key in keys]
    nullable = any(key.may_be(NULL) for key in keys)
    if all(comparable) and not nullable:
        line(f"{items}.sort(key={module.constant(itemgetter(0), 'K')})")
    elif len(keys) == 1 and comparable[0]:
        line(f"{module.runtime(sort_with_nulls)}({items}, 0, False, True)")
    else:
        order = aggregating.group_order_of_one if len(keys) == 1 else aggregating.group_order
        line(f"{items}.sort(key={module.runtime(order)})")


def _results(
    producer: Producer, node: Aggregate, pipe: Pipe, group: GroupCode, keys: list[Code]
) -> tuple[Pipe, dict[int, Code]]:
    """Return a pipe that computes the calls of a group, and the code of all columns."""
    columns = {column.id: code for column, code in zip(node.output, keys, strict=False)}
    after = node.output[len(node.keys) :]
    for place, (call, column) in enumerate(zip(node.calls, after, strict=True)):
        pipe, code = call_code(producer, node, group, place, pipe)
        if not code.simple and (producer.module.uses.get(column.id, 0) > 1 or call.bare):
            name = producer.function.name("v")
            pipe, code = pipe.let(name, code), variable(name, code.kind)
        columns[column.id] = code
    return pipe, columns


PRODUCERS[Aggregate] = _aggregate
