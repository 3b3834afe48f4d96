"""Who may ask: the page of this server's own link, from this machine's browser, and nobody else.

Contract: every request must name this server in `Host` (else a stranger's name could point here),
an `Origin` must be this server's (so must one be there where something is changed or a socket
opened), and whatever is not the bare page needs the session's cookie.  That cookie is given once,
for the one-time token of the printed link.  Every answer carries headers that keep others out.
Tested by tests/serve/test_guard.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = ("/", "/session")  # and whatever is under /static/: the page without any content
_SAFE = ("GET", "HEAD")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Session:
    """The token of the printed link, and the one session that it is changed into."""

    def __init__(self, port: int) -> None:
        self.cookie = f"ztfast-{port}"  # cookies do not tell ports apart
        self._token: str | None = secrets.token_urlsafe(32)
        self._secret = secrets.token_urlsafe(32)

    @property
    def token(self) -> str:
        """The link's token, before it was used."""
        return self._token or ""

    def exchange(self, token: str) -> str | None:
        """The session's secret for the token, once; None for any other, and ever after."""
        if self._token is None or not _same(token, self._token):
            return None
        self._token = None
        return self._secret

    def knows(self, cookie: str | None) -> bool:
        """Is that the session's cookie?"""
        return cookie is not None and _same(cookie, self._secret)


def _same(given: str, known: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), known.encode())


def names_of(host: str, port: int) -> frozenset[str]:
    """What a browser may write into `Host` for a server there."""
    loopback = ("127.0.0.1", "localhost", "[::1]")
    shown = f"[{host}]" if ":" in host else host.lower()
    names = loopback if shown in loopback else (shown,)
    bare = names if port == 80 else ()
    return frozenset((*(f"{name}:{port}" for name in names), *bare))


class Guard:
    """Stands in front of an application."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], session: Session) -> None:
        self._app, self._session = app, session
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refused(HTTPConnection(scope))
        if scope["type"] == "websocket":
            if refused is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008, "reason": refused[1]})
            return
        if refused is None:
            await self._app(scope, receive, _with_headers(send))
        else:
            status, why = refused
            answer = JSONResponse({"errors": [{"message": why}]}, status)
            await answer(scope, receive, _with_headers(send))

    def _refused(self, asked: HTTPConnection) -> tuple[int, str] | None:
        """(status, why) of what is refused."""
        hosts = [host.lower() for host in asked.headers.getlist("host")]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return 421, "this server has another name: use the link that `ztfast serve` printed"
        changes = asked.scope["type"] == "websocket" or asked.scope["method"] not in _SAFE
        origins = asked.headers.getlist("origin")
        if any(origin not in self._origins for origin in origins) or (changes and not origins):
            return 403, "the request comes from another site"
        path = asked.scope["path"]
        if path in OPEN or path.startswith("/static/"):
            return None
        if not self._session.knows(asked.cookies.get(self._session.cookie)):
            return 401, "no session: use the link that `ztfast serve` printed; it works once"
        return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
