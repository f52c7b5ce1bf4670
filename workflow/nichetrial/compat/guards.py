"""What stands before MLflow's application: each takes an ASGI application and returns one.

They know nothing of MLflow but what they are given, and are put together in ``mlflow_server``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import html
import json
import time
import urllib.parse
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any

from nichetrial import codes
from nichetrial.errors import Code

__all__ = [
    "FAILED_LOGINS",
    "LOCKED_SECONDS",
    "door",
    "fewer_guesses",
    "listed",
    "own_pages_only",
    "smaller",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

FAILED_LOGINS = {"a user at one address": 5, "one address": 20, "a user anywhere": 30}
"""Logins that may fail within ``LOCKED_SECONDS``; after that they are not looked at."""
LOCKED_SECONDS = 60
REMEMBERED = 10_000
"""Users and addresses of which failed logins are kept in mind."""

OPEN = ("/health", "/version")
"""Answered without a token: no more than that a server is there."""

POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""MLflow's pages need scripts of their own; nothing on them loads from, or sends to, elsewhere."""

ENTRANCE = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>MLflow</title>
<noscript><a href="/">MLflow needs JavaScript</a></noscript>
<script>location.replace("/" + location.hash)</script></html>
"""
"""A page and no redirect: a browser that comes from elsewhere (a mail, a file) does not send the
strict cookie along with a redirect, but does when this page goes on by itself."""


def listed(app: App, allowed: Callable[[str, str], bool]) -> App:
    """Answers only what is ``allowed`` (by method and path); the rest is forbidden."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif allowed(scope["method"], scope["path"]):
            await app(scope, receive, send)
        else:
            await _answer(
                send,
                HTTPStatus.FORBIDDEN,
                codes.NOT_SERVED,
                "this server is for runs and their files only",
            )

    return guard


def own_pages_only(app: App) -> App:
    """Tells browsers to load nothing from elsewhere on any page."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    *message.get("headers", []),
                    (b"content-security-policy", POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                ]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, with_policy)

    return guard


def smaller(app: App, limit: Callable[[str, str], int]) -> App:
    """Takes no body above the ``limit`` (bytes, by method and path), whether or not its size is
    said before; 413 otherwise. What came until then is the application's to clean up."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        most = limit(scope["method"], scope["path"])
        said = _header(scope, b"content-length")
        if said.isdigit() and int(said) > most:
            await _too_large(send, most)
            return
        came, begun, refused = 0, False, False

        async def counted() -> Message:
            nonlocal came, refused
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                refused = True
                # an end or a disconnection could be taken for the end of the file
                raise _TooLarge
            return message

        async def unless_refused(message: Message) -> None:
            nonlocal begun
            if not refused:
                begun = True
                await send(message)

        try:
            await app(scope, counted, unless_refused)
        except Exception:
            if not refused:
                raise
        if refused and not begun:
            await _too_large(send, most)

    return guard


class _TooLarge(Exception):
    pass


async def _too_large(send: Send, most: int) -> None:
    await _answer(
        send,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        codes.TOO_LARGE,
        f"this server takes at most {most:,} bytes at a time",
    )


def fewer_guesses(app: App, clock: Callable[[], float] = time.monotonic) -> App:
    """Answers 429 without asking the application once ``FAILED_LOGINS`` were reached, until they
    are ``LOCKED_SECONDS`` old. Each process of a server counts for itself."""
    failed: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def recent(key: tuple[str, ...]) -> deque[float]:
        times = failed.get(key, deque())
        while times and times[0] <= clock() - LOCKED_SECONDS:
            times.popleft()
        return times

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        login = _header(scope, b"authorization") if scope["type"] == "http" else b""
        if not login:
            await app(scope, receive, send)
            return
        user, address = _user(login), str((scope.get("client") or ("",))[0])
        keys = (("both", user, address), ("address", address), ("user", user))
        limits = dict(zip(keys, FAILED_LOGINS.values(), strict=True))
        if any(len(recent(key)) >= most for key, most in limits.items()):
            await _answer(
                send,
                HTTPStatus.TOO_MANY_REQUESTS,
                codes.LOCKED_OUT,
                f"too many logins failed; wait {LOCKED_SECONDS} s",
                (b"retry-after", str(LOCKED_SECONDS).encode()),
            )
            return

        async def heard(message: Message) -> None:
            if message.get("status") == HTTPStatus.UNAUTHORIZED:
                for key in keys:
                    failed[key] = recent(key)
                    failed[key].append(clock())
                    failed.move_to_end(key)
                while len(failed) > REMEMBERED:
                    failed.popitem(last=False)
            await send(message)

        await app(scope, receive, heard)

    return guard


def _user(login: bytes) -> str:
    """Who says to be there, shortened; empty if it cannot be read."""
    try:
        pair = base64.b64decode(login.strip().partition(b" ")[2].strip())
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(b":")[0].decode(errors="replace")[:200]


def door(app: App, token: str, port: int) -> App:
    """Answers only those who have the token: in the link that opens the pages, then in a cookie,
    or as ``Authorization: Bearer``; and no page of another place that uses their browser."""
    cookie = f"nichetrial_ui_{port}"
    own = {f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")}

    def same(given: str) -> bool:
        return hmac.compare_digest(given.encode(), token.encode())

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (
            scope["path"] in OPEN and scope["method"] in ("GET", "HEAD")
        ):
            await app(scope, receive, send)
            return
        asked = urllib.parse.parse_qs(scope["query_string"].decode("latin-1"))
        if scope["path"] == "/" and any(same(given) for given in asked.get("token", ())):
            kept = f"{cookie}={token}; HttpOnly; SameSite=Strict; Path=/"
            await _page(send, HTTPStatus.OK, ENTRANCE, (b"set-cookie", kept.encode()))
        elif _from_elsewhere(scope, own):
            await _answer(
                send,
                HTTPStatus.FORBIDDEN,
                codes.NO_TOKEN,
                "a page of another place may not use this server",
            )
        elif any(same(given) for given in _shown(scope, cookie)):
            await app(scope, receive, send)
        else:
            told = "open the link that `nichetrial ui` printed; the token in it lets you in"
            if scope["path"] == "/":
                await _page(send, HTTPStatus.UNAUTHORIZED, html.escape(f"{codes.NO_TOKEN} {told}"))
            else:
                await _answer(send, HTTPStatus.UNAUTHORIZED, codes.NO_TOKEN, told)

    return guard


def _shown(scope: Scope, cookie: str) -> Iterator[str]:
    kind, _, given = _header(scope, b"authorization").decode("latin-1").partition(" ")
    if kind.lower() == "bearer":
        yield given.strip()
    for line in _headers(scope, b"cookie"):
        try:
            found = SimpleCookie(line.decode("latin-1"))
        except CookieError:
            continue
        if cookie in found:
            yield found[cookie].value


def _from_elsewhere(scope: Scope, own: set[str]) -> bool:
    """Another port of this machine is the same site, so that the cookie comes along."""
    origin = _header(scope, b"origin").decode("latin-1")
    site = _header(scope, b"sec-fetch-site") or b"none"
    return bool(origin and origin not in own) or site not in (b"none", b"same-origin")


def _headers(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key.lower() == name]


def _header(scope: Scope, name: bytes) -> bytes:
    return next(iter(_headers(scope, name)), b"")


async def _answer(
    send: Send, status: HTTPStatus, code: Code, message: str, *headers: tuple[bytes, bytes]
) -> None:
    """In the form that MLflow's clients and pages read."""
    body = json.dumps({"error_code": "PERMISSION_DENIED", "message": f"{code} {message}"}).encode()
    await _reply(send, status, b"application/json", body, headers)


async def _page(send: Send, status: HTTPStatus, text: str, *headers: tuple[bytes, bytes]) -> None:
    await _reply(send, status, b"text/html; charset=utf-8", text.encode(), headers)


async def _reply(
    send: Send,
    status: HTTPStatus,
    kind: bytes,
    body: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    start = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": start})
    await send({"type": "http.response.body", "body": body})
