"""The page's server as an application: what is asked where, and errors as answers.

Contract: `application` gives an ASGI application whose questions (`/api/…`) take JSON and give
JSON.  What the rules, a frame or a capture do wrong is an answer of status 422 with its findings;
nothing that is asked ends the server or makes a traceback.  Work is done in threads.
Tested by tests/serve/test_app.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from ztfast import __version__
from ztfast.errors import Diagnostic, ZtfastError
from ztfast.lang.matches import MATCHES
from ztfast.model.names import ACTION_WORDS
from ztfast.network.members import member_names
from ztfast.serve.ask_capture import capture_report
from ztfast.serve.ask_diff import changes
from ztfast.serve.ask_explain import frame_of_capture, frame_of_cell, written_frame
from ztfast.serve.ask_page import HEADERS, Pages, capture_page
from ztfast.serve.ask_reach import reach_grid
from ztfast.serve.ask_tests import test_results
from ztfast.serve.captures import Captures, TooLarge
from ztfast.serve.guard import Guard, Session
from ztfast.serve.language import DOCUMENT, Languages
from ztfast.serve.page import Files
from ztfast.serve.questions import BadQuestion, Question, number_of, read_question, text_of
from ztfast.serve.saving import Changed, digest, save
from ztfast.serve.settings import MOST_TEXT, Settings
from ztfast.serve.work import Busy, Workers

MOST_WORKERS = 3
_MOST_TOKEN = 1000


class Json(JSONResponse):
    """JSON in ASCII: names of files may hold bytes that are no text."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return json.dumps(content).encode()


def application(
    settings: Settings, hosts: Iterable[str], session: Session, captures: Captures
) -> ASGIApp:
    """The application, guarded."""
    site = Site(settings, session, captures)
    asks = {
        "explain": site.explain,
        "why": site.why,
        "reach": site.reach,
        "diff": site.diff,
        "tests": site.tests,
        "capture": site.capture,
        "report": site.report,
        "save": site.save,
    }
    routes = [
        Route("/", site.shell),
        Route("/static/{name}", site.static),
        Route("/session", site.begin, methods=["POST"]),
        Route("/report/{name}", site.report_page),
        Route("/api/start", site.start),
        Route("/api/captures", site.upload, methods=["POST"]),
        Route("/api/captures/{name}", site.remove, methods=["DELETE"]),
        *(Route(f"/api/{name}", _asked(ask), methods=["POST"]) for name, ask in asks.items()),
        WebSocketRoute("/language", Languages(settings.network).answer),
    ]
    return Guard(Starlette(routes=routes), hosts, session)


class Site:
    """Everything that is asked of one server."""

    def __init__(self, settings: Settings, session: Session, captures: Captures) -> None:
        self._settings, self._session, self._captures = settings, session, captures
        self._files, self._pages = Files(), Pages()
        self._workers, self._proofs, self._saves = Workers(MOST_WORKERS), Workers(1), Workers(1)

    # --- the page

    async def shell(self, request: Request) -> Response:
        """The page, without content."""
        return self._files.shell(request.headers["host"].lower())

    async def static(self, request: Request) -> Response:
        """One of its files."""
        return self._files.file(request.path_params["name"])

    async def begin(self, request: Request) -> Response:
        """The session's cookie, for the link's token."""
        try:
            token = text_of(await read_question(request.stream(), _MOST_TOKEN), "token")
        except BadQuestion as error:
            return _error(error.status, str(error))
        except ClientDisconnect:
            return _error(400, "the request ended early")
        secret = self._session.exchange(token)
        if secret is None:
            return _error(403, "this link was used, or is of another server: start it again")
        answer = Response(status_code=204)
        answer.set_cookie(self._session.cookie, secret, httponly=True, samesite="strict", path="/")
        return answer

    async def start(self, _: Request) -> Response:
        """What the page shows first."""
        settings, network = self._settings, self._settings.network
        members = () if network is None else network.active_members()
        rules = settings.current()
        return Json(
            {
                "version": __version__,
                "document": DOCUMENT,
                "name": settings.rules.name,
                "rules": rules,
                "digest": digest(rules),
                "writable": settings.writable,
                "network": settings.network_name,
                "members": sorted(member_names(members).values()),
                "against": settings.deployed_name,
                "tests": list(settings.tests),
                "most_upload": settings.most_upload,
                "actions": sorted((*ACTION_WORDS, "include")),
                "matches": sorted(MATCHES),
            }
        )

    # --- questions

    async def explain(self, asked: Question) -> Any:
        """Why a frame, written down or of a capture, gets its verdict."""
        rules = text_of(asked, "rules")
        if "capture" in asked:
            number = number_of(asked, "number")
            explain = partial(frame_of_capture, self._settings, rules, number=number)
            return await self._of_capture(asked, explain)
        work = partial(written_frame, self._settings, rules, text_of(asked, "frame"))
        return await self._workers.run(work)

    async def why(self, asked: Question) -> Any:
        """Why a cell of the grid is open or closed."""
        names = [text_of(asked, name) for name in ("rules", "from", "to", "service")]
        return await self._workers.run(partial(frame_of_cell, self._settings, *names))

    async def reach(self, asked: Question) -> Any:
        """Who reaches whom."""
        services = [name.strip() for name in text_of(asked, "services").split(",") if name.strip()]
        work = partial(reach_grid, self._settings, text_of(asked, "rules"), services)
        return await self._workers.run(work)

    async def diff(self, asked: Question) -> Any:
        """What changes against the deployed rules."""
        return await self._proofs.run(partial(changes, self._settings, text_of(asked, "rules")))

    async def tests(self, asked: Question) -> Any:
        """The outcome of the tests."""
        work = partial(test_results, self._settings, text_of(asked, "rules"))
        return await self._workers.run(work)

    async def capture(self, asked: Question) -> Any:
        """The report of a capture."""
        report = partial(capture_report, self._settings, text_of(asked, "rules"))
        return await self._of_capture(asked, report)

    async def report(self, asked: Question) -> Any:
        """The name of a capture's report page, which is made."""
        rules, file = text_of(asked, "rules"), text_of(asked, "file")
        page = partial(capture_page, self._settings, rules, name=file)
        return {"report": self._pages.keep(await self._of_capture(asked, page))}

    async def _of_capture(self, asked: Question, answer: Callable[..., Any]) -> Any:
        """An answer from a capture's path; its errors name the file as the page does (`file`)."""
        path, file = self._captures.path(text_of(asked, "capture")), text_of(asked, "file")
        try:
            return await self._workers.run(partial(answer, path=path))
        except ZtfastError as error:
            found = (
                replace(one, path=file) if one.path == path else one for one in error.diagnostics
            )
            raise ZtfastError(*found) from None

    async def save(self, asked: Question) -> Any:
        """Save the rules; the digest of what is there now."""
        settings = self._settings
        if not settings.writable:
            raise BadQuestion(403, "the page may not write: start `ztfast serve` with --write")
        work = partial(save, settings.path, text_of(asked, "rules"), text_of(asked, "digest"))
        return {"digest": await self._saves.run(work)}

    # --- captures

    async def report_page(self, request: Request) -> Response:
        """A report that was made, for a frame or a tab of its own."""
        try:
            page = self._pages.page(request.path_params["name"])
        except ZtfastError as error:
            return PlainTextResponse(f"{error.diagnostics[0].message}\n", 404)
        return HTMLResponse(page.encode("utf-8", "replace"), headers=HEADERS)

    async def upload(self, request: Request) -> Response:
        """Take a capture; its name."""
        most = self._captures.most_bytes
        too_large = _error(413, f"more than {most:,} bytes: see --max-upload")
        if int(request.headers.get("content-length", "0")) > most:
            return too_large
        try:
            name, size = await self._captures.receive(request.stream())
        except TooLarge:
            return too_large
        except ZtfastError as error:
            return _findings(error)
        except OSError as error:
            return _error(507, f"the capture cannot be kept: {error.strerror or error}")
        except ClientDisconnect:
            return _error(400, "the capture ended early")
        return Json({"capture": name, "bytes": size})

    async def remove(self, request: Request) -> Response:
        """Let a capture go."""
        self._captures.remove(request.path_params["name"])
        return Response(status_code=204)


def _asked(ask: Callable[[Question], Any]) -> Any:
    """The end point of a question."""

    async def answer(request: Request) -> Response:
        try:
            return Json(await ask(await read_question(request.stream(), MOST_TEXT)))
        except BadQuestion as error:
            return _error(error.status, str(error))
        except ZtfastError as error:
            return _findings(error)
        except Busy:
            return _error(503, "too many questions at once: try again in a moment")
        except Changed:
            return _error(409, "the file was changed by somebody else: download yours, and reload")
        except ClientDisconnect:
            return _error(400, "the question ended early")
        except Exception as error:  # a mistake of ours is said, and nothing else is lost
            return _error(500, f"this should not happen: {type(error).__name__}: {error}")

    return answer


def _error(status: int, message: str) -> Response:
    return Json({"errors": [{"message": message}]}, status)


def _findings(error: ZtfastError) -> Response:
    return Json({"errors": [_finding(one) for one in error.diagnostics]}, 422)


def _finding(found: Diagnostic) -> dict[str, Any]:
    return {
        "message": found.message,
        "help": found.help,
        "code": found.code,
        "line": None if found.span is None else found.span.line,
        "place": found.place(),
    }
