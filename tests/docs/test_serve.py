"""The page of `ztfast serve`: its commands start a server that shows what the page says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.needs import needs
from tests.pages import ROOT, blocks, commands, lay_out
from tests.serve.running import NEEDED, Running, running

PAGE = "docs/serve.md"
(STARTED,) = commands(PAGE)
WITH_OPTIONS, FORWARDED = (body.strip() for body in blocks(PAGE, "sh"))

pytestmark = needs(*NEEDED)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lay_out(tmp_path)
    (tmp_path / "deployed").mkdir()
    shutil.copy(tmp_path / "rules.ztrules", tmp_path / "deployed")
    (tmp_path / "tests.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(command: str) -> list[str]:
    program, name, *rest = shlex.split(command)
    assert (program, name) == ("ztfast", "serve")
    return rest


def shown(server: Running) -> str:
    link = f"{server.url}/#token={server.token}"
    return re.sub(r":\d+/#token=[\w-]{43}$", ":…/#token=…", link) + "\n" + server.hint


def test_the_first_command_says_what_the_page_shows(folder: Path) -> None:
    command, output = STARTED
    with running(*words(command)) as server:
        assert shown(server) == output
        server.log_in()
        assert "anna" in server.ask("GET", "/api/start").json["members"]


def test_the_options_do_what_the_page_says(folder: Path) -> None:
    with running(*words(WITH_OPTIONS)) as server:
        server.log_in()
        start = server.ask("GET", "/api/start").json
        assert (start["against"], start["tests"]) == ("deployed/rules.ztrules", ["tests.toml"])
        rules = folder / "rules.ztrules"
        saved = server.question("save", rules="accept;\n", digest=start["digest"])
        assert saved.status == 200
        assert rules.read_text(encoding="utf-8") == "accept;\n"
        asked = {"rules": "accept;\n", "frame": "tcp visitor > files:ssh syn"}
        found = server.question("explain", **asked).json
        assert (found["verdict"], found["deployed"]) == ("accept", "drop")


def test_the_forwarded_port_is_the_servers() -> None:
    ssh, forward, ports, host, *rest = shlex.split(FORWARDED)
    assert (ssh, forward, host) == ("ssh", "-L", "server")
    mine, name, its = ports.split(":")
    assert (name, mine) == ("127.0.0.1", its)
    assert rest[-2:] == ["--port", its]


def test_every_option_is_on_the_page_or_in_the_help() -> None:
    from ztfast.cli.serve import command

    page = (ROOT / PAGE).read_text(encoding="utf-8")
    options = {name for option in command.params for name in option.opts if name.startswith("--")}
    named = set(re.findall(r"--[a-z][a-z-]*", page))
    assert named == options - {"--help", "--quiet"}  # which every command has
