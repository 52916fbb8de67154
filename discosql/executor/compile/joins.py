"""Code for HashJoin and IndexJoin: a table of the right side's rows by key, probed with each row of the left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from discosql.executor.compile.code import ANYTHING, INTEGER, NULL, Code, column_of, compose, row_of, variable
from discosql.executor.compile.comparison import collated
from discosql.executor.compile.leaves import lookup, stored_kind, stored_layout
from discosql.executor.compile.matching import OuterJoin, matches, outer_row, some, write_outer_join
from discosql.executor.compile.pipe import Layout, Pipe, pack
from discosql.executor.compile.producer import PRODUCERS, Consumer, Needed, Producer, output_ids, wanted
from discosql.executor.compile.scope import both
from discosql.executor.compile.walk import references
from discosql.executor.joining import largest, rows_by_key
from discosql.planner.plan import (
    Aggregate,
    ColumnRef,
    Distinct,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexLookup,
    Node,
    Scan,
)


@dataclass(frozen=True, slots=True)
class HashTable:
    """A dict in a variable: from a key to its row if `unique`, else to the list of its rows."""

    name: str
    layout: Layout
    unique: bool


def _key_codes(producer: Producer, keys: Sequence[Expression], collations: Sequence[str], pipe: Pipe) -> list[Code]:
    scope = producer.scope(pipe.columns)
    pairs = zip(keys, collations, strict=True)
    return [collated(scope, producer.value(key, pipe), collation) for key, collation in pairs]


def _keys_code(producer: Producer, keys: Sequence[Expression], collations: Sequence[str], pipe: Pipe) -> Code:
    codes = _key_codes(producer, keys, collations, pipe)
    return codes[0] if len(codes) == 1 else row_of(codes)


def _present(producer: Producer, node: HashJoin, pipe: Pipe) -> Pipe:
    """Return a pipe of the right side without the rows that can have no partner because a key is NULL."""
    null_safe = node.null_safe or (False,) * len(node.right_keys)
    for key, safe in zip(node.right_keys, null_safe, strict=True):
        code = producer.value(key, pipe)
        if not safe and code.may_be(NULL):
            pipe = pipe.where(compose("{} is not None", code, kind=INTEGER))
    return pipe


def is_unique(node: Node, keys: Sequence[Expression], collations: Sequence[str]) -> bool:
    """Whether no two rows of a plan have equal keys."""
    while isinstance(node, Filter):
        node = node.child
    if not all(isinstance(key, ColumnRef) for key in keys):
        return False
    by_id = {key.id: collation for key, collation in zip(keys, collations, strict=True) if isinstance(key, ColumnRef)}
    if isinstance(node, Scan | IndexLookup):
        return _is_unique_key(node, by_id)
    if isinstance(node, Aggregate):
        columns, wanted_collations = node.output[: len(node.keys)], node.collations
    elif isinstance(node, Distinct):
        columns, wanted_collations = node.output, node.collations
    else:
        return False
    return all(by_id.get(column.id) == name for column, name in zip(columns, wanted_collations, strict=True))


def _is_unique_key(node: Scan | IndexLookup, collations: Mapping[int, str]) -> bool:
    table = node.table
    given = {
        position: collations[column.id]
        for column, position in zip(node.output, node.positions, strict=True)
        if column.id in collations
    }
    if 0 in given or (table.rowid_column is not None and table.rowid_column + 1 in given):
        return True
    for index in table.indexes:
        names = index.collations or tuple(table.columns[place].collation for place in index.columns)
        pairs = zip(index.columns, names, strict=True)
        if index.unique and all(given.get(place + 1) == collation for place, collation in pairs):
            return True
    return False


# Building ----------------------------------------------------------------------------------------------------------


def _build(producer: Producer, node: HashJoin, needed: Needed) -> HashTable:
    """Write code that puts the rows of the right side into a dict."""
    function = producer.function
    name = function.name("table")
    unique = _only_presence(node) or is_unique(node.right, node.right_keys, node.collations)
    kept: list[Layout] = []

    def keep(pipe: Pipe) -> None:
        pipe = _present(producer, node, pipe)
        item, layout = pack(wanted(pipe, needed))
        kept.append(layout)
        key = _keys_code(producer, node.right_keys, node.collations, pipe)
        _put(producer, name, unique, pipe, key, item)

    def write() -> None:
        function.line(f"{name} = {'{}' if unique else producer.module.runtime(defaultdict) + '(list)'}")
        with producer.without_factors():
            producer.produce(node.right, needed | references(*node.right_keys), keep)

    if function.repeated and not references(node.right):
        place = producer.memo_place(("table", id(node)))
        function.line(f"{name} = memo.get({place})")
        with function.block(f"if {name} is None:"):
            write()
            function.line(f"memo[{place}] = {name}")
    else:
        write()
    return HashTable(name, kept[0], unique)


def _only_presence(node: HashJoin) -> bool:
    """Whether it only matters that a key is there, and not how often."""
    return node.kind in ("semi", "anti") and node.residual is None


def _put(producer: Producer, name: str, unique: bool, pipe: Pipe, key: Code, item: Code) -> None:
    function = producer.function
    if not unique:
        with pipe.written(function):
            function.line(f"{name}[{key.text}].append({item.text})")
    elif pipe.is_comprehension(key, item):
        function.line(f"{name}.update({{{pipe.comprehension(f'{key.text}: {item.text}')}}})")
    else:
        with pipe.written(function):
            function.line(f"{name}[{key.text}] = {item.text}")


# Probing -----------------------------------------------------------------------------------------------------------


def _hash_join(producer: Producer, node: HashJoin, needed: Needed, consume: Consumer) -> None:
    if node.kind in ("right", "full"):
        _outer_hash_join(producer, node, needed, consume)
        return
    above = needed | references(node.residual)
    table = _build(producer, node, above & output_ids(node.right))

    def probe(pipe: Pipe) -> None:
        pipe = producer.settled(pipe, above | references(*node.left_keys))
        pipe, key = _named_key(producer, pipe, _keys_code(producer, node.left_keys, node.collations, pipe))
        consume(join_rows(producer, pipe, node, table, key)[0])

    with producer.multiplied(_fan(producer, table, node.kind)):
        producer.produce(node.left, above | references(*node.left_keys), probe)


def _fan(producer: Producer, table: HashTable, kind: str) -> str | None:
    """Write code that finds out how many partners a left row can have; None where it is one at most."""
    if table.unique or kind in ("semi", "anti"):
        return None
    name = producer.function.name("fan")
    producer.function.line(f"{name} = {producer.module.runtime(largest)}({table.name})")
    return name


def _named_key(producer: Producer, pipe: Pipe, key: Code) -> tuple[Pipe, Code]:
    """Return a key that can be written several times."""
    if key.simple:
        return pipe, key
    name = producer.function.name("k")
    return pipe.let(name, key), variable(name, key.kind)


def join_rows(
    producer: Producer, pipe: Pipe, node: HashJoin | IndexJoin, table: HashTable, key: Code
) -> tuple[Pipe, str]:
    """Return a pipe of the left side joined with the rows of a hash table that have a key, and the row's variable."""
    row = producer.function.name("r")
    columns = table.layout.columns(row)
    if node.kind in ("semi", "anti"):
        return pipe.where(_has_partner(producer, pipe, node, table, key, row)), row
    condition = None
    if node.residual is not None:
        condition = producer.truth(node.residual, pipe.with_columns({**pipe.columns, **columns}))
    if node.kind == "left":
        missing = outer_row(producer, table.layout)
        found = _found(table, key, missing if condition is None else None)
        if condition is not None:
            found = matches(producer, row, found, condition, missing)
        return pipe.each(row, found, table.layout.columns(row, NULL)), row
    if table.unique:
        pipe = pipe.let(row, Code(f"{table.name}.get({key.text})", ANYTHING, names=key.names | {table.name}))
        pipe = pipe.where(Code(f"{row} is not None", INTEGER, names=frozenset((row,))))
        pipe = pipe.with_columns({**pipe.columns, **columns})
    else:
        pipe = pipe.each(row, _found(table, key, None), columns)
    return (pipe if condition is None else pipe.where(condition)), row


def _found(table: HashTable, key: Code, missing: str | None) -> Code:
    """Return the code of the rows that have a key, as something to iterate over."""
    names = key.names | {table.name}
    if not table.unique:
        text = f"{table.name}.get({key.text}, {missing or '()'})"
    elif missing is None or missing == "()":
        text = f"([{table.name}[{key.text}]] if {key.text} in {table.name} else ())"
    else:
        text = f"({table.name}.get({key.text}, {missing}[0]),)"
    return Code(text, ANYTHING, depth=key.depth + 2, names=names)


def _has_partner(
    producer: Producer, pipe: Pipe, node: HashJoin | IndexJoin, table: HashTable, key: Code, row: str
) -> Code:
    negated = node.kind == "anti"
    if node.residual is None:
        sign = "not in" if negated else "in"
        return Code(f"{key.text} {sign} {table.name}", INTEGER, depth=key.depth + 1, names=key.names | {table.name})
    columns = {**pipe.columns, **table.layout.columns(row)}
    condition = producer.truth(node.residual, pipe.with_columns(columns))
    code = some(producer, row, _found(table, key, None), condition)
    return compose("not {}", code, kind=INTEGER) if negated else code


# Right and full joins ----------------------------------------------------------------------------------------------


def _outer_hash_join(producer: Producer, node: HashJoin, needed: Needed, consume: Consumer) -> None:
    function = producer.function
    above = needed | references(node.residual)
    right_needed = above & output_ids(node.right)
    rights = producer.collect(
        node.right,
        right_needed | references(*node.right_keys),
        lambda pipe: [_right_key(producer, node, pipe)],
    )
    table = function.name("table")
    function.line(f"{table} = {producer.module.runtime(rows_by_key)}({rights.name}, {rights.layout.extras[0]})")
    hashed = HashTable(table, rights.layout, False)
    inner = replace(node, kind="left" if node.kind == "full" else "inner")

    def probe(pipe: Pipe) -> tuple[Pipe, str]:
        codes = _key_codes(producer, node.left_keys, node.collations, pipe)
        pipe, key = _named_key(producer, pipe, row_of(codes))
        return join_rows(producer, pipe, inner, hashed, key)

    join = OuterJoin(node, needed, above | references(*node.left_keys), rights)
    write_outer_join(producer, join, probe, consume)


def _right_key(producer: Producer, node: HashJoin, pipe: Pipe) -> Code:
    """Return the code of a right row's key, a tuple; None for rows that can have no partner."""
    key = row_of(_key_codes(producer, node.right_keys, node.collations, pipe))
    conditions = [clause.code for clause in _present(producer, node, Pipe(pipe.columns)).clauses]
    return compose("({} if {} else None)", key, both(tuple(conditions)), kind=ANYTHING) if conditions else key


# Lookups -------------------------------------------------------------------------------------------------------------


def _index_join(producer: Producer, node: IndexJoin, needed: Needed, consume: Consumer) -> None:
    """Write a join that looks up the keys of many left rows at once, and then probes with what was found."""
    (keys,) = node.lookup.keys
    above = needed | references(node.residual)
    left_needed = above | references(*keys)

    def look_up(pipe: Pipe) -> None:
        kept = producer.cut(pipe, left_needed)
        table = _found_rows(producer, node.lookup, kept)
        codes = [
            collated(producer.scope(kept.columns), producer.value(key, kept), collation)
            for key, collation in zip(keys, _lookup_collations(node.lookup), strict=True)
        ]
        kept, key = _named_key(producer, kept, codes[0] if len(codes) == 1 else row_of(codes))
        consume(join_rows(producer, kept, node, table, key)[0])

    before, producer.cautious = producer.cautious, producer.function.limited
    producer.produce(node.left, left_needed, look_up)
    producer.cautious = before


def _lookup_collations(node: IndexLookup) -> tuple[str, ...]:
    if node.index is None:
        return ("BINARY",)
    return node.index.collations or tuple(node.table.columns[place].collation for place in node.index.columns)


def _found_rows(producer: Producer, node: IndexLookup, left: Pipe) -> HashTable:
    """Write code that looks up the keys of all left rows and puts the rows found into a dict."""
    function = producer.function
    (key,) = node.keys
    keys, found, table = function.name("keys"), function.name("found"), function.name("table")
    item = row_of([producer.value(part, left) for part in key])
    function.line(f"{keys} = []")
    producer.extend(keys, left, item)
    lookup(producer, node, f"list(dict.fromkeys({keys}))", found)
    layout = stored_layout(node.table, node.output, node.positions)
    unique = node.index is None or node.index.unique
    row = function.name("r")
    places = (0,) if node.index is None else tuple(place + 1 for place in node.index.columns)
    parts = [column_of(row, place, stored_kind(node.table, place)) for place in places]
    names = _lookup_collations(node)
    codes = [collated(producer.scope(), code, name) for code, name in zip(parts, names, strict=True)]
    function.line(f"{table} = {'{}' if unique else producer.module.runtime(defaultdict) + '(list)'}")
    pipe = Pipe({}).each(row, variable(found, ANYTHING), {})
    _put(producer, table, unique, pipe, codes[0] if len(codes) == 1 else row_of(codes), variable(row, ANYTHING))
    return HashTable(table, layout, unique)


PRODUCERS.update({HashJoin: _hash_join, IndexJoin: _index_join})
