"""Code for GROUP BY: rows are gathered by group, then each call is computed over the lists of values of a group.

What is gathered of a row is as little as the calls need: the value itself for calls over one column, the row of the
table where nothing has to be computed, nothing but a count for ``count(*)``. Bare columns are only taken from the first
row of a group. Groups come out in the order of their keys, as SQLite's do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from discosql.executor import aggregating
from discosql.executor.compile.aggregate_calls import GroupCode, call_code
from discosql.executor.compile.code import (
    ANYTHING,
    BLOB,
    DECIMAL,
    INTEGER,
    NULL,
    NUMBER,
    REAL,
    TEXT,
    Code,
    column_of,
    row_of,
    variable,
)
from discosql.executor.compile.comparison import collated
from discosql.executor.compile.gathering import gathered_item
from discosql.executor.compile.pipe import Pipe, pack
from discosql.executor.compile.producer import PRODUCERS, Consumer, Needed, Producer
from discosql.executor.compile.single_group import write_single_group
from discosql.executor.compile.walk import references
from discosql.executor.ordering import sort_with_nulls
from discosql.planner.plan import Aggregate, AggregateCall


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What is known after the code that gathers rows was written.

    `keys` are the codes of the keys as groups are told apart by them, `plain` says that these are the keys themselves.
    `firsts` are the columns of the values kept of the first row, in the variable ``f``: the keys unless
    they are plain, then the bare columns. `keys_vary` says that equal keys may look different, so that it matters from
    which row of the group they are shown.
    """

    keys: list[Code]
    plain: bool
    group: GroupCode
    firsts: list[Code]
    keys_vary: bool


def _aggregate(producer: Producer, node: Aggregate, needed: Needed, consume: Consumer) -> None:
    if node.keys:
        _Writer(producer, node).write(consume)
    else:
        write_single_group(producer, node, consume)


def _is_row_count(producer: Producer, call: AggregateCall) -> bool:
    plain = call.name == "count" and not call.arguments and call.filter is None
    return plain and producer.module.is_built_in("count", 0)


class _Writer:
    """Writes one Aggregate with keys."""

    def __init__(self, producer: Producer, node: Aggregate) -> None:
        self.producer = producer
        self.node = node
        self.groups = producer.function.name("groups")
        self.first_rows = producer.function.name("firsts")
        extremes = [call for call in node.calls if call.name in ("min", "max") and not call.bare]
        self.has_best_row = len(extremes) == 1
        self.bare = [call.bare and not self.has_best_row for call in node.calls]
        self.keeps_first = any(self.bare) or any(collation != "BINARY" for collation in node.collations)
        self.counting = not self.keeps_first and all(_is_row_count(producer, call) for call in node.calls)

    def write(self, consume: Consumer) -> None:
        """Write the gathering of rows, then the loop over the groups."""
        function, module = self.producer.function, self.producer.module
        if self.keeps_first:
            function.line(f"{self.groups} = {{}}")
            function.line(f"{self.first_rows} = {{}}")
        else:
            empty = f"{module.runtime(Counter)}()" if self.counting else f"{module.runtime(defaultdict)}(list)"
            function.line(f"{self.groups} = {empty}")
        found: list[_Gathered] = []
        with self.producer.without_factors():
            used = references(*self.node.keys, *self.node.calls)
            self.producer.produce(self.node.child, used, lambda pipe: found.append(self._gather(pipe)))
        self._each_group(found[0], consume)

    def _gather(self, pipe: Pipe) -> _Gathered:
        producer, node = self.producer, self.node
        keys = [producer.kept(key, pipe) for key in node.keys]
        scope = producer.scope(pipe.columns)
        normal = [collated(scope, key, name) for key, name in zip(keys, node.collations, strict=True)]
        plain = all(key.text == form.text for key, form in zip(keys, normal, strict=True))
        calls = [
            replace(call, arguments=()) if bare else call for call, bare in zip(node.calls, self.bare, strict=True)
        ]
        keys_vary = self.has_best_row and not (plain and all(map(_is_of_one_class, keys)))
        if keys_vary:
            calls += _key_calls(node)
        item, group = gathered_item(producer, calls, pipe)
        firsts = [] if plain else keys
        firsts += [
            producer.kept(call.arguments[0], pipe) for call, bare in zip(node.calls, self.bare, strict=True) if bare
        ]
        first, layout = pack({}, firsts)
        self._write_gathering(pipe, normal[0] if len(normal) == 1 else row_of(normal), item, first)
        read = [column_of("f", place, code.kind) for place, code in zip(layout.extras, firsts, strict=True)]
        return _Gathered(normal, plain, group, read, keys_vary)

    def _write_gathering(self, pipe: Pipe, key: Code, item: Code, first: Code) -> None:
        function, groups = self.producer.function, self.groups
        if self.counting and pipe.is_comprehension(key):
            function.line(f"{groups}.update([{pipe.comprehension(key.text)}])")
            return
        with pipe.written(function):
            if self.counting:
                function.line(f"{groups}[{key.text}] += 1")
            elif self.keeps_first:
                function.line(f"k = {key.text}")
                function.line(f"g = {groups}.get(k)")
                with function.block("if g is None:"):
                    function.line(f"{groups}[k] = g = []")
                    function.line(f"{self.first_rows}[k] = {first.text}")
                function.line(f"g.append({item.text})")
            else:
                function.line(f"{groups}[{key.text}].append({item.text})")

    def _each_group(self, found: _Gathered, consume: Consumer) -> None:
        producer, function = self.producer, self.producer.function
        items, part = function.name("items"), function.name("part")
        key, group_name = function.name("k"), function.name("g")
        function.line(f"{items} = list({self.groups}.items())")
        _write_group_sort(producer, items, found.keys)
        cut = producer.cutting()
        with function.block(f"for {part} in {cut(items)}:"):
            pipe = Pipe({}).each(f"{key}, {group_name}", variable(part, ANYTHING), {})
            firsts = found.firsts
            if self.keeps_first:
                name = function.name("f")
                names = frozenset((self.first_rows, key))
                pipe = pipe.let(name, Code(f"{self.first_rows}[{key}]", ANYTHING, depth=1, names=names))
                firsts = [column_of(name, code.slot[1], code.kind) for code in firsts if code.slot is not None]
            consume(self._with_columns(pipe, found, firsts, key, group_name))
            producer.tick(f"len({part})")

    def _with_columns(self, pipe: Pipe, found: _Gathered, firsts: list[Code], key: str, group_name: str) -> Pipe:
        """Return the pipe with the code of the output columns for one group."""
        node = self.node
        group = found.group.named(group_name)
        shared: dict[str, Code] = {}

        def share(code: Code) -> Code:
            if code.text not in shared:
                shared[code.text] = self.producer.let(pipes, "a", code)
            return shared[code.text]

        pipes = [pipe]
        codes = _key_columns(key, found.keys) if found.plain else firsts[: len(node.keys)]
        if found.keys_vary:
            whole = replace(node, calls=(*node.calls, *_key_calls(node)))
            places = range(len(node.calls), len(whole.calls))
            codes = [self.producer.let(pipes, "v", call_code(self.producer, whole, group, n, share)) for n in places]
        rest = iter(firsts if found.plain else firsts[len(node.keys) :])
        for place, (column, bare) in enumerate(zip(node.output[len(node.keys) :], self.bare, strict=True)):
            if bare:
                codes.append(next(rest))
                continue
            if self.counting:
                codes.append(variable(group_name, INTEGER))
                continue
            code = call_code(self.producer, node, group, place, share)
            if not code.simple and (self.producer.module.uses.get(column.id, 0) > 1 or node.calls[place].bare):
                code = self.producer.let(pipes, "v", code)
            codes.append(code)
        return pipes[0].with_columns({column.id: code for column, code in zip(node.output, codes, strict=True)})


def _is_of_one_class(key: Code) -> bool:
    """Whether equal keys are the same value, and not an integer and a REAL."""
    return sum(key.may_be(kind) for kind in (INTEGER, REAL, DECIMAL)) <= 1


def _key_calls(node: Aggregate) -> list[AggregateCall]:
    """Return the keys as bare columns: with a single min() or max() they come from the row where it was found."""
    return [AggregateCall("", (key,), bare=True) for key in node.keys]


def _key_columns(key: str, keys: Sequence[Code]) -> list[Code]:
    if len(keys) == 1:
        return [variable(key, keys[0].kind)]
    return [column_of(key, place, code.kind, len(keys)) for place, code in enumerate(keys)]


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


PRODUCERS[Aggregate] = _aggregate
