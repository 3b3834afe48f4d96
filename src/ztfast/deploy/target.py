"""Where rules are deployed: `controller:NETWORK@URL` or `central:NETWORK`, and the token for it.

Contract: `parse_target` gives a `Target` or raises UsageError; `read_token` takes the token from a
file or the environment, never from the command line, where other users see it.
Tested by tests/deploy/test_target.py.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ztfast.errors import usage
from ztfast.lang.files import Unreadable, read_file
from ztfast.model.addresses import parse_network_id

CENTRAL = "https://my.zerotier.com/api/v1"
LOCAL = "http://127.0.0.1:9993"
TOKEN = "ZTFAST_TOKEN"  # the environment's variable that holds one
_SECRET = "/var/lib/zerotier-one/authtoken.secret"
_MOST_TOKEN = 4096
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FORM = "write controller:NETWORK, controller:NETWORK@URL or central:NETWORK"


@dataclass(frozen=True)
class Target:
    """kind: "controller" (its own API) or "central".  network: 16 hex digits.  url: of the API."""

    kind: str
    network: str
    url: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.network}@{self.url}"

    @property
    def host(self) -> str:
        """The name or address of the API's host."""
        return urlsplit(self.url).hostname or ""


def parse_target(text: str) -> Target:
    """A target as it is written on the command line."""
    kind, colon, rest = text.partition(":")
    network, at, url = rest.partition("@")
    if kind not in ("controller", "central") or not colon:
        raise usage(f"{text[:80]!r} is not a target", _FORM)
    if parse_network_id(network) is None:
        raise usage(f"{network[:40]!r} is not a network id of 16 hex digits", _FORM)
    default = LOCAL if kind == "controller" else CENTRAL
    return Target(kind, network.lower(), _checked(url.rstrip("/") if at else default))


def is_target(text: str) -> bool:
    """Is it meant as a target?"""
    return text.partition(":")[0] in ("controller", "central") and ":" in text


def _checked(url: str) -> str:
    """A URL that a token may be sent to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise usage(f"{url[:80]!r} is not a URL", "as: http://127.0.0.1:9993") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise usage(f"{url[:80]!r} is not an http or https URL", "as: http://127.0.0.1:9993")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise usage("an API's URL has no user, query or fragment", _FORM)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise usage(
            f"{parts.hostname} would be sent the token unencrypted",
            f"use https, or a tunnel: ssh -L 9993:127.0.0.1:9993 {parts.hostname}",
        )
    return url


def read_token(
    target: Target, file: str | None, environment: Mapping[str, str] = os.environ
) -> str:
    """The token: of a file, else of the environment, else of this machine's own controller."""
    if file is not None:
        return _plain(_contents(file), file)
    if environment.get(TOKEN):
        return _plain(environment[TOKEN], TOKEN)
    if target.kind == "controller" and target.url == LOCAL and os.path.exists(_SECRET):
        return _plain(_contents(_SECRET), _SECRET)
    raise usage(
        f"no token for {target.kind} at {target.host}",
        f"give --token-file FILE or set {TOKEN} in the environment",
    )


def _contents(path: str) -> str:
    """A file's text: Windows' editors and shells mark it as UTF-8 or UTF-16."""
    try:
        data = read_file(path, _MOST_TOKEN)
    except Unreadable as error:
        raise usage(f"{path}: {error.message}", "name a file that holds the token alone") from None
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if marked else "utf-8-sig", "replace")


def _plain(text: str, where: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise usage(f"{where} holds no token", "it is one word, without spaces or line breaks")
    return token
