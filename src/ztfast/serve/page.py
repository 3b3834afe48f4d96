"""The page's own files: what was built of `web/`, handed out by name and never by path.

Contract: `Files` reads every file of `static/` once, so that a request cannot name another one.
The shell has a nonce of its own each time, the only styles beside the file that the browser takes.
Tested by tests/serve/test_page.py.
"""

from __future__ import annotations

import secrets
from importlib.resources import files

from starlette.responses import PlainTextResponse, Response

SHELL = "index.html"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_NONCE = "@@NONCE@@"


def content_policy(nonce: str, host: str) -> str:
    """What the page may load: its own files, from here; sockets to here; nothing inline."""
    parts = (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'nonce-{nonce}'",
        "img-src 'self' data:",  # the editor's marks are pictures in its styles
        f"connect-src 'self' ws://{host}",
        "frame-src 'self'",  # the report of a capture, which has no script
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(parts)


class Files:
    """The built page."""

    def __init__(self) -> None:
        folder = files("ztfast.serve") / "static"
        read = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}
        self._shell = read[SHELL].decode()
        self._files = {
            name: (data, _TYPES[end])
            for name, data in read.items()
            if (end := name[name.rfind(".") :]) in _TYPES
        }

    def shell(self, host: str) -> Response:
        """The page, without any content; host: as the browser names this server."""
        nonce = secrets.token_urlsafe(16)
        headers = {"Content-Security-Policy": content_policy(nonce, host)}
        text = self._shell.replace(_NONCE, nonce)
        return Response(text, media_type="text/html", headers=headers)

    def file(self, name: str) -> Response:
        """One of its files; 404 for any other name."""
        found = self._files.get(name)
        if found is None:
            return PlainTextResponse("no such file", 404)
        return Response(found[0], media_type=found[1])
