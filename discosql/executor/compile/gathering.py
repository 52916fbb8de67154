"""Code for what is gathered of each row before aggregates are computed."""

from __future__ import annotations

from collections.abc import Sequence

from discosql.executor.compile.aggregate_calls import GroupCode, takes_json
from discosql.executor.compile.code import NULL, Code
from discosql.executor.compile.pipe import Pipe, pack
from discosql.executor.compile.producer import Producer
from discosql.executor.compile.sorting import key_code
from discosql.planner.plan import AggregateCall


def gathered_item(producer: Producer, calls: Sequence[AggregateCall], pipe: Pipe) -> tuple[Code, GroupCode]:
    """Return the code of what the calls need of a row, and how it is read."""
    parts: list[Code] = []
    spans: list[tuple[int, int, int]] = []
    for call in calls:
        start = len(parts)
        evaluate = producer.kept if call.bare or takes_json(producer, call) else producer.value
        parts += [evaluate(argument, pipe) for argument in call.arguments]
        middle = len(parts)
        if call.filter is not None:
            parts.append(producer.truth(call.filter, pipe))
        parts += [key_code(producer, key, pipe) for key in call.order_by]
        spans.append((start, middle, len(parts)))
    texts = {part.text for part in parts}
    if len(texts) == 1 and not any(call.order_by for call in calls):
        return parts[0], GroupCode("g", tuple(parts), (), tuple(spans))
    item, layout = pack({}, parts)
    if not parts:
        item = Code("None", NULL, simple=True)
    return item, GroupCode("g", tuple(parts), layout.extras, tuple(spans))
