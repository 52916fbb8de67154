"""Verifying what is in the channels of pages beyond the pages in use: those of earlier checkpoints, and strangers."""

from collections.abc import Iterator
from typing import TypeAlias

from discosql.errors import DatabaseCorruptionError, GuildError
from discosql.storage.manifest import Manifest, manifest_from_json
from discosql.storage.page_store import PageLostError, PageStore
from discosql.storage.pages import Place
from discosql.storage.posting import TOPIC
from discosql.storage.problems import Problem, Progress
from discosql.storage.reading import body_of, read_after, with_retries
from discosql.storage.survey import LogSurvey

_Held: TypeAlias = tuple[Place, str, str]
"""Where a page is, its checksum, and what it holds."""


async def verify_history(survey: LogSurvey, store: PageStore, progress: Progress) -> list[Problem]:
    """Return what is wrong with pages that only earlier checkpoints name.

    VACUUM removes such pages, and nobody notes which, so one that is missing is a note only.
    """
    standing = survey.standing
    current = set() if standing is None or standing.manifest is None else {p for p, _, _ in held_by(standing.manifest)}
    wanted: dict[Place, tuple[str, str, int]] = {}
    for winner in survey.winners():
        entry = winner.entry
        if entry.cover is None or entry.slot in survey.unreadable:
            continue
        manifest = manifest_from_json(await body_of(survey.guild, winner), objects=entry.objects, log=survey.channel.id)
        for place, digest, what in held_by(manifest):
            if place not in current:
                wanted.setdefault(place, (digest, what, entry.slot))
    problems = []
    for done, (place, (digest, what, slot)) in enumerate(wanted.items()):
        progress("pages of earlier checkpoints", done, len(wanted))
        try:
            await store.read(place, digest)
        except (DatabaseCorruptionError, GuildError) as exc:
            gone = isinstance(exc, PageLostError)
            problems.append(
                Problem(
                    "note" if gone else "history",
                    f"{exc}: it holds {what} as of checkpoint #{slot}" + (" (VACUUM removes such pages)" * gone),
                    slot=slot,
                    channel=place.channel,
                    message=place.message,
                    file=place.file + 1,
                )
            )
    return problems


async def strange_messages(survey: LogSurvey) -> list[Problem]:
    """Return notes on messages in channels of pages that are by somebody else, or were edited.

    Neither matters: a page is judged by its checksum.
    """
    found = []
    guild = survey.guild
    for channel in await with_retries(guild, guild.channels):
        if channel.category != survey.channel.category or channel.topic != TOPIC:
            continue
        messages, _ = await read_after(guild, channel.id, 0)
        for message in messages:
            by_other = message.author != guild.account
            if by_other or message.edited:
                how = f"is by somebody else ({message.author}) and is not read" if by_other else "was edited"
                text = f"message {message.id} of channel {channel.id} {how}"
                found.append(Problem("note", text, channel=channel.id, message=message.id))
    return found


def held_by(manifest: Manifest) -> Iterator[_Held]:
    """Yield the pages that a manifest names."""
    for version in manifest.tables.values():
        base = version.base
        if base is None:
            continue
        name = version.schema.name
        for page in base.pages:
            yield page.place, page.digest, f"rows {page.first} to {page.last} of table {name}"
        for index in base.indexes.values():
            for bucket in index.pages:
                if bucket is not None:
                    yield bucket.place, bucket.digest, f"entries of an index of table {name}"
