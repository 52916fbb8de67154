"""What simcord lacks of Discord, put between discord.py and simcord's backend.

Pages of history after an id, nonces that are enforced, trimming of white space, limits on channels, names, files and
old bulk deletes, URLs that expire, categories that pass on their permissions and leave their channels behind, the
bot's permissions in the list of its servers, and a clock that moves. All that crosses to the backend passes
`SimcordShim.dispatch`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import discord
import pytest
from simcord._clock import Clock as SimcordClock
from simcord.backend import Backend, errors
from simcord.backend.cdn import CDN_BASE, CdnStore
from simcord.backend.errors import BackendError
from simcord.http import router
from stepped_clock import SteppedClock

from discosql.storage.discord_watch import Watch
from discosql.storage.guild import id_time

NONCE_WINDOW = 300.0
URL_LIFETIME = 86_400.0
FORTNIGHT = 14 * 86_400.0
CATEGORY = 4

Handler = Callable[..., Any]

original_dispatch = router.dispatch
original_follow = Watch.follow


class ShimClock(SimcordClock):
    """simcord's clock, running with the test's."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() + self.elapsed, UTC)


class SignedFiles(CdnStore):
    """simcord's CDN, which forgets deleted files and asks for URLs that have not expired."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__()
        self._clock = clock

    def sign(self, url: str) -> str:
        return f"{url}?ex={int(self._clock.now() + URL_LIFETIME):x}&is={int(self._clock.now()):x}&hm=00"

    def get(self, url: str) -> bytes | None:
        path, _, query = url.partition("?")
        expiry = re.match(r"ex=([0-9a-f]+)&", query)
        if expiry is None or int(expiry[1], 16) <= self._clock.now():
            return None
        return super().get(path)

    def forget(self, url: str) -> None:
        self._blobs.pop(url, None)


class SimcordShim:
    """The server side of simcord with Discord's habits; `base_url` is where its CDN answers.

    `latency` is what a request takes, in seconds.
    """

    def __init__(self, backend: Backend, clock: SteppedClock, base_url: str = CDN_BASE) -> None:
        self.backend = backend
        self.base_url = base_url
        self.latency = 0.0
        self._clock = clock
        self._nonces: dict[tuple[int, str], tuple[int, int]] = {}
        backend.clock = ShimClock(clock)
        self._files = backend.cdn = SignedFiles(clock)
        backend.shim = self  # type: ignore[attr-defined]
        self._watches: set[Watch] = set()
        self._handlers: tuple[tuple[str, str, Handler], ...] = (
            ("POST", r"/channels/(\d+)/messages", self._post),
            ("GET", r"/channels/(\d+)/messages", self._history),
            ("DELETE", r"/channels/(\d+)/messages/(\d+)", self._delete),
            ("POST", r"/channels/(\d+)/messages/bulk-delete", self._bulk_delete),
            ("POST", r"/guilds/(\d+)/channels", self._create_channel),
            ("DELETE", r"/channels/(\d+)", self._delete_channel),
            ("GET", r"/users/@me/guilds", self._servers),
        )

    def dispatch(self, method: str, path: str, **request: Any) -> Any:
        self._clock.advance(self.latency / 2)
        try:
            return self._dispatch(method, path, **request)
        finally:
            date = float(int(self._clock.now()))
            self._clock.advance(self.latency / 2)
            for watch in self._watches:
                watch.hear(date, self._clock.monotonic())

    def follow(self, watch: Watch) -> None:
        """Tell a watch the date of each answer from now on: simcord's have no headers."""
        self._watches.add(watch)

    def _dispatch(self, method: str, path: str, **request: Any) -> Any:
        for wanted, pattern, handler in self._handlers:
            match = re.fullmatch(pattern, path)
            if wanted == method and match is not None:
                return self._signed(handler(request, *(int(group) for group in match.groups())))
        return self._signed(original_dispatch(self.backend, method, path, **request))

    def _signed(self, answer: Any) -> Any:
        if isinstance(answer, list):
            return [self._signed(item) for item in answer]
        if isinstance(answer, dict) and answer.get("attachments"):
            files = [
                {**file, "url": self._files.sign(file["url"]).replace(CDN_BASE, self.base_url)}
                for file in answer["attachments"]
            ]
            return {**answer, "attachments": files}
        return answer

    def _post(self, request: dict[str, Any], channel: int) -> Any:
        body = request["json"]
        content = (body.get("content") or "").strip()
        files = request.get("files") or []
        if not content and not files:
            raise BackendError(400, 50006, "Cannot send an empty message")
        if len(files) > 10:
            raise BackendError(400, 30015, "Maximum number of attachments in a message reached (10)")
        nonce = body.get("nonce") if body.get("enforce_nonce") else None
        key = (self.backend.bot_user.id, str(nonce))
        known = self._nonces.get(key)
        if nonce is not None and known is not None and self._clock.now() - id_time(known[1]) < NONCE_WINDOW:
            path = f"/channels/{known[0]}/messages/{known[1]}"
            return {**original_dispatch(self.backend, "GET", path), "nonce": nonce}
        request = {**request, "json": {**body, "content": content}}
        answer = original_dispatch(self.backend, "POST", f"/channels/{channel}/messages", **request)
        if nonce is not None:
            self._nonces[key] = (channel, int(answer["id"]))
        return {**answer, "nonce": body.get("nonce")}

    def _history(self, request: dict[str, Any], channel: int) -> Any:
        parameters = dict(request.get("params") or {})
        limit = int(parameters.get("limit", 50))
        if not 1 <= limit <= 100:
            raise errors.invalid_form_body("limit: int value should be between 1 and 100.")
        after = parameters.get("after")
        if after is not None:
            parameters["limit"] = 1 << 30
        page = original_dispatch(
            self.backend, "GET", f"/channels/{channel}/messages", **{**request, "params": parameters}
        )
        return page if after is None else page[-limit:]

    def _delete(self, request: dict[str, Any], channel: int, message: int) -> Any:
        stored = self.backend.messages.get(channel, {}).get(message)
        answer = original_dispatch(self.backend, "DELETE", f"/channels/{channel}/messages/{message}", **request)
        for file in stored.attachments if stored else ():
            self._files.forget(file["url"])
        return answer

    def _bulk_delete(self, request: dict[str, Any], channel: int) -> Any:
        messages = [int(message) for message in request["json"]["messages"]]
        if len(set(messages)) < len(messages):
            raise errors.invalid_form_body("messages: duplicates are not allowed")
        if any(self._clock.now() - id_time(message) >= FORTNIGHT for message in messages):
            raise BackendError(400, 50034, "You can only bulk delete messages that are under 14 days old.")
        stored = [self.backend.messages.get(channel, {}).get(message) for message in messages]
        answer = original_dispatch(self.backend, "POST", f"/channels/{channel}/messages/bulk-delete", **request)
        for message in stored:
            for file in message.attachments if message else ():
                self._files.forget(file["url"])
        return answer

    def _create_channel(self, request: dict[str, Any], guild: int) -> Any:
        body = dict(request["json"])
        channels = [self.backend.channels[channel] for channel in self.backend.get_guild(guild).channel_ids]
        if not 1 <= len(body["name"]) <= 100:
            raise errors.invalid_form_body("name: Must be between 1 and 100 in length.")
        if len(body.get("topic") or "") > 1024:
            raise errors.invalid_form_body("topic: Must be 1024 or fewer in length.")
        if len(channels) >= 500:
            raise BackendError(400, 30013, "Maximum number of server channels reached (500)")
        parent = body.get("parent_id")
        if parent is not None and not body.get("permission_overwrites"):
            body["permission_overwrites"] = [
                {"id": copied.target_id, "type": int(copied.type), "allow": copied.allow, "deny": copied.deny}
                for channel in channels
                if channel.id == int(parent)
                for copied in channel.overwrites
            ]
        if parent is not None and int(parent) not in [channel.id for channel in channels if channel.type == CATEGORY]:
            raise errors.unknown_channel()
        if parent is not None and sum(channel.parent_id == int(parent) for channel in channels) >= 50:
            raise errors.invalid_form_body("parent_id: Maximum number of channels in category reached (50)")
        if body["type"] == CATEGORY:
            if sum(channel.type == CATEGORY for channel in channels) >= 50:
                raise BackendError(400, 30013, "Maximum number of categories reached (50)")
        else:
            body["name"] = body["name"].lower().replace(" ", "-")
        return original_dispatch(self.backend, "POST", f"/guilds/{guild}/channels", **{**request, "json": body})

    def _delete_channel(self, request: dict[str, Any], channel: int) -> Any:
        answer = original_dispatch(self.backend, "DELETE", f"/channels/{channel}", **request)
        for child in self.backend.channels.values():
            if child.parent_id == channel:
                child.parent_id = None
        return answer

    def _servers(self, request: dict[str, Any]) -> Any:
        bot = self.backend.bot_user.id
        page = original_dispatch(self.backend, "GET", "/users/@me/guilds", **request)
        return [
            {
                "id": server["id"],
                "name": server["name"],
                "owner": server["owner_id"] == str(bot),
                "permissions": str(self.backend.compute_permissions(int(server["id"]), bot)),
            }
            for server in page
        ]


@contextmanager
def shimmed_dispatch() -> Iterator[None]:
    """Send what simcord's own HTTP client asks for through the shim of its backend."""

    def dispatch(backend: Backend, method: str, path: str, **request: Any) -> Any:
        shim: SimcordShim | None = getattr(backend, "shim", None)
        if shim is None:
            return original_dispatch(backend, method, path, **request)
        return shim.dispatch(method, path, **request)

    def follow(watch: Watch, client: discord.Client) -> None:
        shim: SimcordShim | None = getattr(getattr(client.http, "backend", None), "shim", None)
        if shim is None:
            original_follow(watch, client)
        else:
            shim.follow(watch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(router, "dispatch", dispatch)
        patch.setattr(Watch, "follow", follow)
        yield
