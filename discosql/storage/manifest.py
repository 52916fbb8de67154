"""Manifests: the body of a checkpoint's entry, which says where the whole state of the database is.

The first value of the body is the schema, then comes one for each table with its pages, and then those rows that were
changed since the pages were written and are few enough to be carried along (the *overlay*).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from discosql.errors import DatabaseCorruptionError
from discosql.schema import Catalog
from discosql.schema_json import trigger_from_json, trigger_to_json, view_from_json, view_to_json
from discosql.storage.chain import Candidate
from discosql.storage.codec import from_json_value, rows_from, to_json_value
from discosql.storage.entry import Cover
from discosql.storage.hash_index import IndexPage, PagedIndex
from discosql.storage.layout import Layer
from discosql.storage.paged import Base
from discosql.storage.pages import Place, RowPage, Zone
from discosql.storage.sealing import plain_seed
from discosql.storage.state import PIECE_ROWS, schema_from_json, schema_to_json
from discosql.storage.table import TableVersion

_PACKED: Final = 1
_OBJECTS: Final = 2


@dataclass(frozen=True, slots=True)
class Retired:
    """Messages with pages, and channels, that a checkpoint's entry made needless.

    `message` is that of the entry, 0 for the entry that the manifest itself belongs to.
    """

    message: int
    pages: tuple[tuple[int, int], ...] = ()
    channels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The state as of a checkpoint, and what may be removed some time after it. `seed` is the key of index hashes."""

    catalog: Catalog
    tables: Mapping[int, TableVersion]
    retired: tuple[Retired, ...] = field(default=())
    seed: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Adopted:
    """A valid checkpoint: what it covers, the message of its entry, and its manifest."""

    cover: Cover
    message: int
    manifest: Manifest

    def retired(self) -> list[Retired]:
        """Return what it and earlier ones retired, with the messages of their entries."""
        return [replace(item, message=item.message or self.message) for item in self.manifest.retired]


def manifest_to_json(manifest: Manifest, *, sealed: bool = False) -> Iterator[Any]:
    """Yield the values of a checkpoint's body; in a `sealed` one the key of index hashes is told, for it is secret."""
    catalog = manifest.catalog
    secret = {"seed": manifest.seed.hex()} if sealed else {}
    yield secret | {
        "v": catalog.version,
        "n": catalog.next_id,
        "tables": [schema_to_json(table) for table in catalog.tables.values()],
        "views": [view_to_json(view) for view in catalog.views.values()],
        "triggers": [trigger_to_json(trigger) for trigger in catalog.triggers.values()],
        "settings": dict(catalog.settings),
        "retired": [[item.message, item.pages, item.channels] for item in manifest.retired],
    }
    for table, version in manifest.tables.items():
        yield _table_to_json(table, version)
        changes = version.changes()
        ordered = version.ordered()
        for start in range(0, len(ordered), PIECE_ROWS):
            piece = [(rowid, changes[rowid]) for rowid in ordered[start : start + PIECE_ROWS]]
            rows = [row for _, row in piece if row is not None]
            yield {"o": table, "rows": rows, "gone": [rowid for rowid, row in piece if row is None]}


def _table_to_json(table: int, version: TableVersion) -> dict[str, Any]:
    data: dict[str, Any] = {"t": table, "rows": version.rows, "used": version.used}
    base = version.base
    if base is None:
        return data
    places = _Numbers()
    layouts = _Numbers()
    data["ch"] = base.channel
    data["pages"] = [_page_to_json(page, places, layouts) for page in base.pages]
    data["ix"] = [
        [
            index,
            paged.channel,
            paged.bits,
            paged.distinct,
            [None if page is None else _index_page_to_json(page, places) for page in paged.pages],
        ]
        for index, paged in base.indexes.items()
    ]
    return data | {"m": places.items, "l": layouts.items}


class _Numbers:
    """Gives equal things one number, so that each need be written only once."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def of(self, item: Any) -> int:
        number = self._numbers.setdefault(item, len(self.items))
        if number == len(self.items):
            self.items.append(item)
        return number


def _page_to_json(page: RowPage, places: _Numbers, layouts: _Numbers) -> list[Any]:
    place = page.place
    return [
        places.of((place.channel, place.message)),
        place.file,
        page.first,
        page.last,
        page.rows,
        page.size,
        page.raw,
        page.digest,
        _PACKED * page.packed | _OBJECTS * page.objects,
        layouts.of(page.columns),
        [zone if zone is None else [to_json_value(value) for value in zone] for zone in page.zones],
    ]


def _index_page_to_json(page: IndexPage, places: _Numbers) -> list[Any]:
    place = page.place
    return [places.of((place.channel, place.message)), place.file, page.entries, page.size, page.digest]


# And back ---------------------------------------------------------------------------------------------------------


def manifest_from_json(body: Sequence[Any], *, objects: bool, log: int) -> Manifest:
    """Return the manifest in a checkpoint's body. Raises DatabaseCorruptionError if it makes no sense.

    `log` is the id of the log's channel, with which index hashes are keyed unless the body tells a secret key.
    """
    try:
        head, *values = body
        seed = bytes.fromhex(head["seed"]) if "seed" in head else plain_seed(log)
        catalog = Catalog(version=head["v"], next_id=head["n"])
        tables = {schema.id: schema for schema in map(schema_from_json, head["tables"])}
        views = [view_from_json(view) for view in head["views"]]
        for schema in tables.values():
            catalog = catalog.with_table(schema)
        for view in views:
            catalog = catalog.with_view(view)
        for trigger in head.get("triggers", ()):
            catalog = catalog.with_trigger(trigger_from_json(trigger))
        catalog = replace(catalog, version=head["v"], next_id=head["n"], settings=head.get("settings", {}))
        overlays: dict[int, Layer] = {}
        for value in values:
            if "o" in value:
                layer = overlays.setdefault(value["o"], {})
                layer.update((row[0], row) for row in rows_from(value["rows"], objects=objects))
                layer.update(dict.fromkeys(value["gone"]))
        versions = {}
        for value in values:
            if "t" in value:
                table = value["t"]
                layer = overlays.get(table, {})
                versions[table] = TableVersion(
                    tables[table],
                    (layer,) if layer else (),
                    base=_base_from_json(value, seed),
                    rows=value["rows"],
                    used=value["used"],
                )
        retired = tuple(
            Retired(message, tuple((channel, page) for channel, page in pages), tuple(channels))
            for message, pages, channels in head["retired"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
        raise DatabaseCorruptionError("a checkpoint's manifest cannot be read") from exc
    return Manifest(catalog, versions, retired, seed)


def _base_from_json(data: Mapping[str, Any], seed: bytes) -> Base | None:
    if "ch" not in data:
        return None
    messages: list[tuple[int, int]] = data["m"]
    layouts = [tuple(layout) for layout in data["l"]]
    pages = tuple(_page_from_json(page, messages, layouts) for page in data["pages"])
    indexes = {
        index: PagedIndex(
            channel,
            bits,
            tuple(None if page is None else _index_page_from_json(page, messages) for page in found),
            distinct,
            seed,
        )
        for index, channel, bits, distinct, found in data["ix"]
    }
    return Base(data["ch"], pages, indexes)


def _page_from_json(
    data: Sequence[Any], messages: Sequence[tuple[int, int]], layouts: Sequence[tuple[int, ...]]
) -> RowPage:
    message, file, first, last, rows, size, raw, digest, flags, layout, zones = data
    return RowPage(
        place=_place(messages[message], file),
        first=first,
        last=last,
        rows=rows,
        size=size,
        raw=raw,
        digest=digest,
        packed=bool(flags & _PACKED),
        objects=bool(flags & _OBJECTS),
        columns=layouts[layout],
        zones=tuple(map(_zone_from_json, zones)),
    )


def _zone_from_json(data: Any) -> Zone:
    if data is None:
        return None
    low, high = map(from_json_value, data)
    return low, high


def _index_page_from_json(data: Sequence[Any], messages: Sequence[tuple[int, int]]) -> IndexPage:
    message, file, entries, size, digest = data
    return IndexPage(_place(messages[message], file), entries, size, digest)


def _place(message: tuple[int, int], file: int) -> Place:
    return Place(message[0], message[1], file)


def adopted_of(checkpoint: Candidate, body: Any) -> Adopted:
    """Return a checkpoint with its manifest: `body` is that itself, or parsed JSON."""
    entry = checkpoint.entry
    assert entry.cover is not None
    if not isinstance(body, Manifest):
        body = manifest_from_json(body, objects=entry.objects, log=checkpoint.message.channel)
    return Adopted(entry.cover, checkpoint.message.id, body)
