"""What stands before MLflow, before an application of three lines."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from nichetrial import codes
from nichetrial.compat import guards
from nichetrial.compat.guards import FAILED_LOGINS, LOCKED_SECONDS

PER_PAIR, PER_ADDRESS, PER_USER = FAILED_LOGINS.values()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def ask(
    app: guards.App,
    *,
    address: str = "10.0.0.1",
    chunks: tuple[bytes, ...] = (b"",),
    method: str = "POST",
    path: str = "/",
    **headers: str,
) -> tuple[int, bytes]:
    """Status and body of an answer."""
    sent: list[Any] = []
    left = list(chunks)

    async def receive() -> dict[str, Any]:
        chunk = left.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "client": (address, 1),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    return start["status"], b"".join(m["body"] for m in rest)


class Login:
    """Lets one password in, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked, self.now = 0, 0.0
        self.guarded = guards.fewer_guesses(self, clock=lambda: self.now)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        right = given.startswith("Basic ") and given.endswith(basic("x", ":right")[-4:])
        await send({"type": "http.response.start", "status": 200 if right else 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def guess(self, user: str, password: str, address: str = "10.0.0.1") -> int:
        return ask(self.guarded, address=address, authorization=basic(user, password))[0]


def test_a_user_at_an_address_guesses_a_few_times_a_minute() -> None:
    login = Login()
    assert [login.guess("ada", str(i)) for i in range(PER_PAIR)] == [401] * PER_PAIR
    status, body = ask(login.guarded, authorization=basic("ada", "right"))
    assert status == 429
    assert str(codes.LOCKED_OUT).encode() in body
    assert login.asked == PER_PAIR, "a password is not looked at then"
    assert login.guess("ada", "wrong", "10.0.0.2") == 401, "from elsewhere ada may still enter"
    assert login.guess("bob", "wrong") == 401
    login.now += LOCKED_SECONDS - 1
    assert login.guess("ada", "wrong") == 429
    login.now += 2
    assert login.guess("ada", "wrong") == 401


def test_an_address_tries_few_users() -> None:
    login = Login()
    answers = [login.guess(f"user {i}", "wrong") for i in range(PER_ADDRESS + 5)]
    assert answers == [401] * PER_ADDRESS + [429] * 5
    assert login.guess("user 0", "wrong", "10.0.0.2") == 401


def test_a_user_is_guessed_from_few_addresses() -> None:
    login = Login()
    answers = [login.guess("ada", "wrong", f"10.0.1.{i}") for i in range(PER_USER + 5)]
    assert answers == [401] * PER_USER + [429] * 5


def test_what_is_kept_in_mind_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "REMEMBERED", 9)
    login = Login()
    for i in range(50):
        login.guess("x" * 10_000 + str(i), "wrong", f"10.0.2.{i}")
    kept = login.guarded.__closure__ or ()
    (failed,) = [c.cell_contents for c in kept if isinstance(c.cell_contents, dict)] or [{}]
    assert len(failed) <= 9


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ", "Basic !!", "basic   eA==", "Bearer x", "Basic w7/DvzrDvw=="]
)
def test_a_login_that_cannot_be_read_counts_as_one(header: str) -> None:
    login = Login()
    answers = {ask(login.guarded, authorization=header)[0] for _ in range(PER_ADDRESS + 1)}
    assert answers == {401, 429}


def test_who_gives_no_login_is_not_counted() -> None:
    login = Login()
    assert {ask(login.guarded)[0] for _ in range(PER_ADDRESS * 2)} == {401}


async def reads_all(scope: Any, receive: Any, send: Any) -> None:
    more = True
    while more:
        more = (await receive())["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"kept"})


async def reads_all_and_hides_what_is_wrong(scope: Any, receive: Any, send: Any) -> None:
    try:
        await reads_all(scope, receive, send)
    except Exception:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("app", [reads_all, reads_all_and_hides_what_is_wrong])
def test_a_body_ends_at_the_limit(app: guards.App) -> None:
    limited = guards.smaller(app, lambda method, path: 10 if path == "/" else 20)
    assert ask(limited, chunks=(b"x" * 10,)) == (200, b"kept")
    assert ask(limited, chunks=(b"x",) * 10)[0] == 200
    status, body = ask(limited, chunks=(b"x",) * 11)
    assert status == 413
    assert str(codes.TOO_LARGE).encode() in body
    assert ask(limited, chunks=(b"x",) * 11, path="/file")[0] == 200
    assert ask(limited, content_length="11")[0] == 413
    assert ask(limited, chunks=(b"x" * 11,), content_length="1")[0] == 413
