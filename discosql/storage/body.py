"""Bodies of entries from JSON values, without holding up the event loop for long."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from discosql.storage.codec import dump
from discosql.storage.entry import Body

_PIECES: Final = 4
"""Values that are encoded between two turns of the event loop; a value has a thousand rows at most."""


async def dump_body(values: Iterable[Any]) -> Body:
    """Return a body of JSON values with rows in them."""
    lines: list[str] = []
    objects = False
    for value in values:
        text, has_objects = dump(value)
        lines.append(text)
        objects = objects or has_objects
        if len(lines) % _PIECES == 0:
            await asyncio.sleep(0)
    return Body(tuple(lines), objects)
