"""Bodies of entries from JSON values, without holding up the event loop for long."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from discosql.storage.codec import dump, dump_rows
from discosql.storage.entry import Body
from discosql.storage.state import Piece

_PIECES: Final = 4
"""Values that are encoded between two turns of the event loop; a value has a thousand rows at most."""


async def dump_body(values: Iterable[Any]) -> Body:
    """Return a body of JSON values with rows in them."""
    return await _body_of(map(dump, values))


async def dump_commits(pieces: Iterable[Piece]) -> Body:
    """Return a body of (pieces of) commits."""
    return await _body_of(map(_dump_piece, pieces))


def _dump_piece(piece: Piece) -> tuple[str, bool]:
    number, schema, operations = piece
    texts, objects = [], False
    for kind, table, data in operations:
        text, has_objects = dump_rows(data) if kind in ("i", "u") else dump(data)
        texts.append(f'["{kind}",{table},{text}]')
        objects = objects or has_objects
    return f"[{number},{dump(schema)[0]},[{','.join(texts)}]]", objects


async def _body_of(dumped: Iterable[tuple[str, bool]]) -> Body:
    lines: list[str] = []
    objects = False
    for text, has_objects in dumped:
        lines.append(text)
        objects = objects or has_objects
        if len(lines) % _PIECES == 0:
            await asyncio.sleep(0)
    return Body(tuple(lines), objects)
