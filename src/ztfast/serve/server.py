"""Serving the page: the socket, the link, and an end within a second.

Contract: `bind` before anything is promised, then `serve` until Ctrl-C, SIGTERM or SIGHUP; captures
are removed by then.  What is still worked on is left behind in its thread.
Tested by tests/serve/test_server.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Generator

import uvicorn

from ztfast.errors import Diagnostic, OutputError
from ztfast.serve.app import application
from ztfast.serve.captures import Captures
from ztfast.serve.guard import Session, names_of
from ztfast.serve.settings import MOST_TEXT, Settings

_GRACE = 0.4  # seconds for answers under way once the server ends
_QUIET = ("uvicorn", "pygls", "websockets")  # what a stranger sends is no news for the terminal


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0: a free one.  Raises OutputError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(64)  # who is told the link may come at once
        except OSError:
            made.close()
            raise
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        help = "choose another --port, or leave it out for a free one"
        raise OutputError(
            Diagnostic("ZT652", f"cannot be served: {why}", path=f"{host}:{port}", help=help)
        ) from None
    return made


def serve(
    settings: Settings, host: str, listening: socket.socket, say: Callable[[str], None]
) -> None:
    """Serve the page on a bound socket until Ctrl-C, SIGTERM or SIGHUP; `say` is given its link."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    captures = Captures(settings.most_upload)
    try:
        asyncio.run(_serve(settings, host, listening, captures, say))
    except KeyboardInterrupt:  # before the server had its own handler, or behind it
        pass
    finally:
        captures.close()


async def _serve(
    settings: Settings,
    host: str,
    listening: socket.socket,
    captures: Captures,
    say: Callable[[str], None],
) -> None:
    port = listening.getsockname()[1]
    session = Session(port)
    app = application(settings, names_of(host, port), session, captures)
    config = uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        ws_max_size=2 * MOST_TEXT,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    shown = f"[{host}]" if ":" in host else host
    say(f"http://{shown}:{port}/#token={session.token}")
    await _Server(config).serve(sockets=[listening])


class _Server(uvicorn.Server):
    """uvicorn's server, which a signal ends: softly, and after a moment at once."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle signals here; uvicorn would raise them again, which ends the process too soon."""
        names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no terminal that hangs up
        signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {number: signal.signal(number, self._asked_to_end) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked_to_end(self, *_: object) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: who is still answered after a moment is left."""
        forced = asyncio.get_running_loop().call_later(_GRACE, self._force)
        try:
            await super().shutdown(sockets)
        finally:
            forced.cancel()

    def _force(self) -> None:
        self.force_exit = True
