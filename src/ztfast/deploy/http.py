"""JSON over HTTP, as far as the controllers' APIs need it.

Contract: `Api` sends the token to its own URL alone: no redirect is followed, and a controller is
asked without a proxy.  Whatever goes wrong is a `DeployError` that says what, and whether what was
sent may have had an effect.  urllib is enough: two verbs, and TLS as Python does it.
Tested by tests/deploy/test_http.py.
"""

from __future__ import annotations

import http.client
import json
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from ztfast import __version__
from ztfast.deploy.target import Target
from ztfast.errors import Diagnostic, ZtfastError
from ztfast.model.entries import Json
from ztfast.network.documents import parse_json

TIMEOUT = 15.0  # seconds that an answer may take
_MOST_ANSWER = 1 << 27
_SAYS = {
    401: "the token is refused",
    403: "the token may not do that",
    404: "there is no such network or member",
    429: "too many requests: wait a minute",
}


class DeployError(ZtfastError, RuntimeError):
    """A controller cannot be asked, or gives no answer that can be used.

    unsure: what was sent may have taken effect all the same.
    """

    unsure = False


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None  # the answer is an error then: a token goes nowhere else


class Api:
    """A controller's API at its URL."""

    def __init__(self, target: Target, token: str, timeout: float = TIMEOUT) -> None:
        self._url, self._timeout = target.url, timeout
        own = target.kind == "controller"
        self._headers = {
            "User-Agent": f"ztfast/{__version__}",
            "Accept": "application/json",
            **({"X-ZT1-Auth": token} if own else {"Authorization": f"token {token}"}),
        }
        handlers = [_NoRedirects(), *([ProxyHandler({})] if own else [])]
        self._opener = build_opener(*handlers)

    def get(self, path: str, missing: Json = None) -> Json:
        """The JSON of a path; `missing`: what to give where there is none (404), None: an error."""
        return self._asked(Request(self._url + path, headers=self._headers), path, missing)

    def post(self, path: str, body: Json) -> Json:
        """The JSON that a path answers to a JSON body."""
        data = json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        return self._asked(Request(self._url + path, data, headers, method="POST"), path, None)

    def _asked(self, request: Request, path: str, missing: Json) -> Json:
        where, sent = f"{self._url}{path}", request.data is not None
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                data = answer.read(_MOST_ANSWER + 1)
        except HTTPError as error:
            error.close()
            if error.code == 404 and missing is not None:
                return missing
            said = _SAYS.get(error.code, error.reason or "it says no more")
            refuse(where, f"status {error.code}: {said}", unsure=sent and error.code >= 500)
        except (URLError, http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            refuse(where, f"no answer: {reason or type(error).__name__}", unsure=sent)
        if len(data) > _MOST_ANSWER:
            refuse(where, f"the answer is over {_MOST_ANSWER >> 20} MiB", unsure=sent)
        try:
            found: Json = parse_json(data, where)
        except ZtfastError as error:
            refuse(where, f"the answer {error.diagnostics[0].message}", unsure=sent)
        return found


def refuse(where: str, what: str, help: str | None = None, unsure: bool = False) -> NoReturn:
    """Raise a DeployError about a place."""
    error = DeployError(Diagnostic("ZT650", what, path=where, help=help))
    error.unsure = unsure
    raise error
