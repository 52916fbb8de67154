"""Discord on this machine: simcord's backend behind an HTTP server, for discord.py's real HTTP client and gateway.

``faults`` says how the next requests go wrong; ``requests`` lists what came, with headers, for tests to look at.
"""

import asyncio
import io
import json
import re
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import discord.gateway
import pytest
import yarl
from aiohttp import WSMsgType, web
from discord.http import Route
from simcord.backend import Backend, serializers
from simcord.backend.cdn import CDN_BASE
from simcord.backend.errors import BackendError
from simcord_shim import SimcordShim
from stepped_clock import SteppedClock

from discosql import sharing
from discosql.storage.ratelimit import Limit

TOKEN = "loopback.token"


@dataclass
class Fault:
    """How one request goes wrong: ``done`` tells whether it is carried out before."""

    status: int | None = None
    body: str = '{"code": 0, "message": "server error"}'
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False
    drop: bool = False  # the connection is closed without an answer
    cut: bool = False  # the answer ends in the middle
    delay: float = 0.0  # seconds after which the request is carried out; nothing else is wrong then
    method: str = ""  # only requests of this method; "" for all
    path: str = ""  # only requests whose path matches

    def concerns(self, request: web.Request) -> bool:
        return self.method in ("", request.method) and re.search(self.path, request.path) is not None


def rate_limited(retry_after: float, *, via: bool = True, **fault: Any) -> Fault:
    """Return a 429 as Discord sends it; without ``via`` as Cloudflare does."""
    headers = {"X-RateLimit-Scope": "user", "Retry-After": str(retry_after), **({"Via": "1.1 google"} if via else {})}
    body = json.dumps({"message": "You are being rate limited.", "retry_after": retry_after, "global": False})
    return Fault(429, body, headers=headers, **fault)


class Bucket:
    """A leaky bucket of requests, as Discord keeps them, by the test's clock."""

    def __init__(self, limit: Limit, clock: SteppedClock) -> None:
        self._limit = limit
        self._clock = clock
        self._full_again = 0.0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Return whether a request is let through, and the headers that tell how it stands."""
        waiting = max(0.0, self._full_again - self._clock.now())
        let_through = waiting <= self._limit.seconds - self._limit.interval + 1e-6
        if let_through:
            waiting += self._limit.interval
            self._full_again = self._clock.now() + waiting
        left = int((self._limit.seconds - waiting) / self._limit.interval + 1e-6)
        return let_through, {
            "X-RateLimit-Bucket": "posts",
            "X-RateLimit-Limit": str(self._limit.number),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset-After": f"{waiting:.3f}",
        }


class LoopbackDiscord:
    """The server. It knows one token, and answers for the API, the CDN and the gateway."""

    def __init__(self, clock: SteppedClock) -> None:
        self.backend = Backend()
        self.shim = SimcordShim(self.backend, clock)
        self.faults: deque[Fault] = deque()
        self.weather: Callable[[], Fault | None] = lambda: None  # of requests that no fault is for
        self.requests: list[web.Request] = []
        self.headers: dict[str, str] = {}  # of every answer
        self.send_date = True
        self.posts: Bucket | None = None  # how many messages may be posted, over all channels
        self.sessions = 0  # gateway connections so far
        self.session_start_limit = {"total": 1000, "remaining": 990, "reset_after": 7_200_000, "max_concurrency": 1}
        self._clock = clock
        self._sockets: set[GatewaySession] = set()
        self.backend.subscribers.append(self._publish)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LoopbackDiscord"]:
        """Serve, with discord.py pointed here."""
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/api/v10/{path:.*}", self._answer_api)
        app.router.add_get("/cdn/{path:.*}", self._answer_cdn)
        app.router.add_get("/gateway/", self._answer_gateway)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.shim.base_url = f"http://{host}:{port}/cdn"
        self.gateway_url = f"ws://{host}:{port}/gateway/"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Route, "BASE", f"http://{host}:{port}/api/v10")
            patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(self.gateway_url))
            yield self
        sharing._SHARED.clear()  # what was left open is of no use with the next server
        await runner.cleanup()

    async def _answer_api(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        body, files = await _read(request)
        fault = self._fault_for(request)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
            fault = None
        # Interactions are answered with a token of their own, which is a part of the path.
        known_by_path = re.match(r"/api/v10/(interactions|webhooks)/", request.path)
        if not known_by_path and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return self._reply(401, {"code": 0, "message": "401: Unauthorized"})
        if self.posts is not None and request.method == "POST" and request.path.endswith("/messages"):
            let_through, self.headers = self.posts.take()
            if not let_through:
                return await self._fail(request, rate_limited(1.0))
        if fault is not None and not fault.done:
            return await self._fail(request, fault)
        if request.path == "/api/v10/gateway/bot":  # which simcord, whose bots have a connection already, lacks
            return self._reply(
                200, {"url": self.gateway_url, "shards": 1, "session_start_limit": self.session_start_limit}
            )
        try:
            answer = self.shim.dispatch(
                request.method, "/" + request.match_info["path"], json=body, params=dict(request.query), files=files
            )
        except BackendError as error:
            return self._reply(error.status, error.to_json())
        if fault is not None:
            return await self._fail(request, fault, answer)
        return self._reply(204 if answer is None else 200, answer)

    def _fault_for(self, request: web.Request) -> Fault | None:
        fault = next((fault for fault in self.faults if fault.concerns(request)), None)
        if fault is None:
            return self.weather()
        self.faults.remove(fault)
        return fault

    def _reply(self, status: int, answer: Any) -> web.Response:
        if answer is None:
            return web.Response(status=status, headers=self._headers())
        # Exactly this type, without a charset: discord.py takes anything else for a page of HTML.
        return web.Response(
            status=status, body=json.dumps(answer).encode(), headers=self._headers(), content_type="application/json"
        )

    def _headers(self) -> dict[str, str]:
        # aiohttp adds a Date of its own where there is none, so "no date" is one that cannot be read.
        return {"Date": formatdate(self._clock.now(), usegmt=True) if self.send_date else "none", **self.headers}

    async def _fail(self, request: web.Request, fault: Fault, answer: Any = None) -> web.StreamResponse:
        if fault.drop:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if fault.cut:
            response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
            await response.prepare(request)
            await response.write(json.dumps(answer).encode()[:20])
            assert request.transport is not None
            request.transport.close()
            return response
        headers = {**self._headers(), **fault.headers}
        body = fault.body.encode()
        return web.Response(status=fault.status or 500, body=body, headers=headers, content_type=fault.content_type)

    async def _answer_cdn(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        fault = self._fault_for(request)
        if fault is not None:
            return await self._fail(request, fault, "x" * 1000)
        data = self.backend.cdn.get(f"{CDN_BASE}/{request.match_info['path']}?{request.query_string}")
        # On this machine the CDN has the same host as the API, so its clock must be the same, too.
        if data is None:
            return web.Response(status=404, text="This content is no longer available.", headers=self._headers())
        return web.Response(body=data, headers=self._headers())

    async def _answer_gateway(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sessions += 1
        session = GatewaySession(socket, self)
        self._sockets.add(session)
        try:
            await session.run()
        finally:
            self._sockets.discard(session)
        return socket

    def _publish(self, event: str, payload: Any) -> None:
        for session in self._sockets:
            session.queue.put_nowait((event, payload))

    async def drop_gateway(self) -> None:
        """Close all gateway connections in a way that makes clients connect anew."""
        for session in tuple(self._sockets):
            await session.socket.close(code=4000)


class GatewaySession:
    """One connection to the gateway: HELLO, IDENTIFY, READY, then events."""

    def __init__(self, socket: web.WebSocketResponse, server: LoopbackDiscord) -> None:
        self.socket = socket
        self.queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._server = server
        self._stream = zlib.compressobj()
        self._sequence = 0

    async def _send(self, payload: dict[str, Any]) -> None:
        data = json.dumps(payload).encode()
        await self.socket.send_bytes(self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH))

    async def _dispatch(self, event: str, payload: Any) -> None:
        self._sequence += 1
        await self._send({"op": 0, "t": event, "s": self._sequence, "d": payload})

    async def run(self) -> None:
        await self._send({"op": 10, "d": {"heartbeat_interval": 45_000}})
        events: asyncio.Task[None] | None = None
        try:
            async for message in self.socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                request = json.loads(message.data)
                if request["op"] == 1:
                    await self._send({"op": 11})
                elif request["op"] == 2:
                    assert request["d"]["intents"] & (1 << 15 | 1 << 8 | 1 << 1) == 0, "a privileged intent"
                    await self._ready()
                    events = asyncio.get_running_loop().create_task(self._events())
                elif request["op"] == 6:
                    await self._dispatch("RESUMED", {})
                    events = asyncio.get_running_loop().create_task(self._events())
        finally:
            if events is not None:
                events.cancel()

    async def _ready(self) -> None:
        backend = self._server.backend
        guilds = list(backend.guilds.values())
        await self._dispatch(
            "READY",
            {
                "v": 10,
                "user": serializers.user_payload(backend.bot_user),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": "session",
                "resume_gateway_url": self._server.gateway_url,
                "application": {"id": str(backend.application_id), "flags": 0},
            },
        )
        for guild in guilds:
            await self._dispatch("GUILD_CREATE", serializers.guild_create_payload(backend, guild))

    async def _events(self) -> None:
        while True:
            await self._dispatch(*await self.queue.get())


async def _read(request: web.Request) -> tuple[Any, list[Any]]:
    if request.content_type != "multipart/form-data":
        text = await request.text()
        return (json.loads(text) if text else None), []
    form = await request.post()
    files = []
    for name, value in form.items():
        if name.startswith("files["):
            assert isinstance(value, web.FileField)
            data = io.BytesIO(value.file.read())
            value.file.close()
            files.append(SimpleNamespace(fp=data, filename=value.filename, description=None))
    return json.loads(str(form["payload_json"])), files
