"""Code for the leaves of a plan: tables, lookups, catalog tables, values, and rows that another plan has kept."""

from __future__ import annotations

from collections.abc import Iterable

from discosql.executor.catalog_scan import DESCRIBING, READING, catalog_rows, column_rows, read_rows
from discosql.executor.compile.code import (
    ANYTHING,
    INTEGER,
    JSON,
    Code,
    Kind,
    kind_of_type,
    row_of,
    variable,
)
from discosql.executor.compile.module import Module
from discosql.executor.compile.pipe import Clause, Layout, Pipe
from discosql.executor.compile.producer import (
    PRODUCERS,
    STATE,
    Consumer,
    Needed,
    Producer,
    Rows,
    start_subfunction,
)
from discosql.executor.compile.walk import is_volatile, references
from discosql.executor.functions.json_rows import JSON_COLUMN, JSON_TABLES, json_rows
from discosql.executor.reads import load_scan, past_view
from discosql.planner.plan import (
    Bound,
    CatalogScan,
    ColumnRef,
    Constant,
    Expression,
    IndexLookup,
    Scan,
    Shared,
    Values,
)
from discosql.schema import TableSchema
from discosql.storage.engine import Range
from discosql.types import Value

# Tables ----------------------------------------------------------------------------------------------------------


def stored_layout(table: TableSchema, output: Iterable[ColumnRef], positions: Iterable[int]) -> Layout:
    """Return the layout of a table's stored rows."""
    places = {column.id: position for column, position in zip(output, positions, strict=True)}
    kinds = {column: stored_kind(table, position) for column, position in places.items()}
    return Layout(places, kinds, width=len(table.columns) + 1)


def stored_kind(table: TableSchema, position: int) -> Kind:
    """Return the kind of a value of a stored row; values of a column's type are certain to be of it."""
    if position == 0 or position - 1 == table.rowid_column:
        return INTEGER
    column = table.columns[position - 1]
    return kind_of_type(column.type, not column.not_null)


def _scan(producer: Producer, node: Scan, needed: Needed, consume: Consumer) -> None:
    layout = stored_layout(node.table, node.output, node.positions)
    if producer.function.repeated:
        producer.each(Rows(_kept_scan(producer, node), layout), consume)
        return
    function = producer.function
    scan, batch, part = function.name("scan"), function.name("batch"), function.name("part")
    cut = producer.cutting()
    function.line(f"{scan} = {view_of(producer, node)}.scan({node.table.id}{_ranges(producer, node.bounds)})")
    with function.block("while True:"):
        function.line(f"{batch} = {scan}.next()")
        with function.block(f"if {batch}.__class__ is not list:"):
            with function.block(f"if {batch} is not None:"):
                function.line(f"{batch} = yield {batch}")
            with function.block(f"if {batch} is None:"):
                function.line("break")
        with function.block(f"for {part} in {cut(batch)}:"):
            producer.over(part, function.name("r"), layout, consume)


def _kept_scan(producer: Producer, node: Scan) -> str:
    """Write code that reads a table once a statement, in a function that is called many times."""
    function = producer.function
    rows, key = function.name("rows"), ("scan", node.table.id, id(node.as_of) if node.as_of else None)
    place = producer.memo_place(key)
    function.line(f"{rows} = memo.get({place})")
    with function.block(f"if {rows} is None:"):
        load = producer.module.runtime(load_scan)
        view = view_of(producer, node)
        function.line(f"{rows} = memo[{place}] = yield from {load}({view}, {node.table.id})")
    return rows


def view_of(producer: Producer, node: Scan | IndexLookup) -> str:
    """Return the name of the view to read from, after code that gets the one of another moment."""
    if node.as_of is None:
        return producer.function.view()
    name = producer.function.name("view")
    moment = producer.value(node.as_of).text
    find = producer.module.runtime(past_view)
    producer.function.line(f"{name} = yield from {find}(context, {moment}, {node.table.id})")
    return name


def _ranges(producer: Producer, bounds: tuple[Bound, ...]) -> str:
    """Return the further argument of a scan for its bounds."""
    if not bounds:
        return ""
    known = [bound for bound in bounds if _is_constant(bound.low) and _is_constant(bound.high)]
    if len(known) == len(bounds):
        ranges = tuple(Range(bound.position + 1, _constant(bound.low), _constant(bound.high)) for bound in bounds)
        return ", " + producer.module.constant(ranges)
    name = producer.module.runtime(Range)
    texts = []
    for bound in bounds:
        low, high = (producer.value(end).text if end is not None else "None" for end in (bound.low, bound.high))
        texts.append(f"{name}({bound.position + 1}, {low}, {high})")
    return f", ({', '.join(texts)},)"


def _is_constant(end: Expression | None) -> bool:
    return end is None or isinstance(end, Constant)


def _constant(end: Expression | None) -> Value:
    return end.value if isinstance(end, Constant) else None


# Lookups ---------------------------------------------------------------------------------------------------------


def _index_lookup(producer: Producer, node: IndexLookup, needed: Needed, consume: Consumer) -> None:
    function = producer.function
    layout = stored_layout(node.table, node.output, node.positions)
    found = function.name("found")
    lookup(producer, node, keys_code(producer, node), found)
    row = function.name("r")
    if len(node.keys) == 1 and not producer.factors:
        consume(Pipe(layout.columns(row), (Clause("for", variable(found, ANYTHING), row),)))
    else:
        producer.each(Rows(found, layout), consume)


def keys_code(producer: Producer, node: IndexLookup) -> str:
    """Return the code of a lookup's keys."""
    if all(isinstance(part, Constant) for key in node.keys for part in key):
        keys = [tuple(part.value for part in key if isinstance(part, Constant)) for key in node.keys]
        return producer.module.constant(keys)
    if len(node.keys) > 1000:
        return _many_keys(producer, node)
    return f"({', '.join([_key_code(producer, key) for key in node.keys])},)"


def _key_code(producer: Producer, key: tuple[Expression, ...]) -> str:
    return row_of([producer.value(part) for part in key]).text


def _many_keys(producer: Producer, node: IndexLookup) -> str:
    name = producer.function.name("keys")
    producer.function.line(f"{name} = []")
    for key in node.keys:
        producer.function.line(f"{name}.append({_key_code(producer, key)})")
    return name


def lookup(producer: Producer, node: IndexLookup, keys: str, found: str) -> None:
    """Write code that looks keys up and leaves the rows in a variable."""
    function = producer.function
    index = node.index.id if node.index is not None else None
    function.line(f"{found} = {view_of(producer, node)}.lookup({node.table.id}, {index}, {keys})")
    with function.block(f"if {found}.__class__ is not list:"):
        function.line(f"{found} = yield {found}")


# Rows that are not stored ----------------------------------------------------------------------------------------


def _catalog_scan(producer: Producer, node: CatalogScan, needed: Needed, consume: Consumer) -> None:
    function = producer.function
    arguments = row_of([producer.value(argument) for argument in node.arguments]).text
    rows = function.name("rows")
    places = {column.id: position for column, position in zip(node.output, node.positions, strict=True)}
    wanted = frozenset([place for column, place in places.items() if column in needed])
    function.line(f"{rows} = {_catalog_call(producer.module, node, arguments, wanted)}")
    json = JSON_COLUMN if node.name in JSON_TABLES else None
    layout = Layout(places, {column: ANYTHING | (JSON if place == json else 0) for column, place in places.items()})
    producer.each(Rows(rows, layout), consume)


def _catalog_call(module: Module, node: CatalogScan, arguments: str, wanted: frozenset[int]) -> str:
    table = node.name
    name = module.constant(table)
    if table in JSON_TABLES:
        return f"{module.runtime(json_rows)}({name}, {arguments}, {module.constant(wanted)})"
    if table in READING:
        return f"yield from {module.runtime(read_rows)}({name}, {arguments}, context)"
    if table in DESCRIBING:
        return f"{module.runtime(column_rows)}({name}, {arguments}, context, {module.constant(node.views)})"
    return f"{module.runtime(catalog_rows)}({name}, {arguments}, context)"


def _values(producer: Producer, node: Values, needed: Needed, consume: Consumer) -> None:
    if len(node.rows) == 1:
        _single_row(producer, node, consume)
        return
    rows = [[producer.value(expression) for expression in row] for row in node.rows]
    layout = _values_layout(node, rows)
    if all(isinstance(part, Constant) for row in node.rows for part in row):
        constants = [tuple(part.value for part in row if isinstance(part, Constant)) for row in node.rows]
        producer.each(Rows(producer.module.constant(constants), layout), consume)
        return
    name = producer.function.name("rows")
    producer.function.line(f"{name} = []")
    for row in rows:
        producer.function.line(f"{name}.append({row_of(row).text})")
    producer.each(Rows(name, layout), consume)


def _values_layout(node: Values, rows: list[list[Code]]) -> Layout:
    places = {column.id: position for position, column in enumerate(node.output)}
    kinds = dict.fromkeys(places, 0)
    for row in rows:
        for column, code in zip(node.output, row, strict=True):
            kinds[column.id] |= code.kind
    return Layout(places, kinds, width=len(places))


def _single_row(producer: Producer, node: Values, consume: Consumer) -> None:
    pipe = Pipe({})
    columns: dict[int, Code] = {}
    for column, expression in zip(node.output, node.rows[0], strict=True):
        pipe, columns[column.id] = bind(producer, pipe, column, expression)
    consume(pipe.with_columns(columns))


def bind(producer: Producer, pipe: Pipe, column: ColumnRef, expression: Expression) -> tuple[Pipe, Code]:
    """Return the code of a computed column; one that is used more than once becomes a variable."""
    code = producer.kept(expression, pipe)
    if code.simple or (producer.module.uses.get(column.id, 0) <= 1 and not is_volatile(expression)):
        return pipe, code
    name = producer.function.name("v")
    return pipe.let(name, code), variable(name, code.kind)


def _shared(producer: Producer, node: Shared, needed: Needed, consume: Consumer) -> None:
    """Write a plan that is used in several places: a function of its own keeps its rows."""
    function = producer.function
    rows = function.name("rows")
    label, kinds, arguments = _shared_function(producer, node)
    place = producer.memo_place(("shared", node.id))
    call = f"yield from {label}({', '.join((*STATE, *arguments))})"
    if arguments:
        function.line(f"{rows} = {call}")
    else:
        function.line(f"{rows} = memo.get({place})")
        with function.block(f"if {rows} is None:"):
            function.line(f"{rows} = memo[{place}] = {call}")
    places = {column.id: position for position, column in enumerate(node.output)}
    layout = Layout(places, dict(zip(places, kinds, strict=True)), width=len(places))
    producer.each(Rows(rows, layout), consume)


def _shared_function(producer: Producer, node: Shared) -> tuple[str, list[Kind], list[str]]:
    facts = producer.module.facts
    known: tuple[str, list[Kind]] | None = facts.get(("shared", node.id))
    outside = sorted(references(node.child))
    scope = producer.scope()
    arguments = [scope.columns[column].text for column in outside]
    if known is None:
        inner, _ = start_subfunction(producer.module, node.child, "w", producer.outer, False)
        rows, kinds = inner.tuples(node.child)
        inner.function.line(f"return {rows}")
        known = facts["shared", node.id] = (inner.function.label, kinds)
    return (*known, arguments)


PRODUCERS.update(
    {
        Scan: _scan,
        IndexLookup: _index_lookup,
        CatalogScan: _catalog_scan,
        Values: _values,
        Shared: _shared,
    }
)
