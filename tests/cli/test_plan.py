"""`ztfast fetch`, `plan` and `apply`: files, exit statuses, confirmation, what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import run
from tests.deploy.controller import NETWORK, OLD, TOKEN, FakeController, running
from tests.deploy.deploying import NO_ARP, WIDER


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeController]:
    monkeypatch.setenv("ZTFAST_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    for name, rules in (("wider", WIDER), ("no-arp", NO_ARP), ("old", OLD)):
        (tmp_path / f"{name}.ztrules").write_text(rules)
    with running() as server:
        yield server


def target(fake: FakeController) -> str:
    return f"controller:{NETWORK}@{fake.url}"


def test_fetched_files_are_read_by_the_other_commands(fake: FakeController) -> None:
    assert run("fetch", target(fake), "--out", "office").returncode == 0
    done = run("reach", "office/rules.ztrules", "--network", "office/network.json")
    assert "12 of" in done.stdout
    again = run("fetch", target(fake), "--out", "office")
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert run("fetch", target(fake), "--out", "office", "--force").returncode == 0


def planned(fake: FakeController, rules: str, *options: str) -> Any:
    return run("plan", f"{rules}.ztrules", target(fake), "-o", "plan", *options)


def test_a_plan_that_is_refused_is_not_written(fake: FakeController) -> None:
    done = planned(fake, "no-arp")
    assert done.returncode == 1
    assert done.stdout.startswith("refused for ")
    assert not Path("plan").exists()
    assert planned(fake, "no-arp", "--allow-loss", "*>*:*").returncode == 0
    assert Path("plan").exists()
    done = planned(fake, "no-arp", "--allow-loss", "*>*:ping", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["refused"]
    assert len(document["lost"]) == 6
    assert len(document["members"]) == len(document["closes"]) == 12


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_plan_on_standard_output_is_alone_there(fake: FakeController, words: list[str]) -> None:
    done = run("plan", "no-arp.ztrules", target(fake), "-o", "-", *words)
    assert (done.returncode, done.stdout) == (1, "")
    done = run("plan", "wider.ztrules", target(fake), "-o", "-", *words)
    assert done.returncode == 0
    said = str(json.loads(done.stderr)["refused"]) if words else done.stderr
    assert said.startswith("False" if words else "may be applied")
    assert run("apply", "-", stdin=done.stdout).returncode == 0
    assert Path("before.json").exists()


def test_cases_that_fail_refuse_a_plan(fake: FakeController, tmp_path: Path) -> None:
    case = '[[case]]\nname = "dns"\nframe = "udp 10.147.20.1 > 10.147.20.3:53"\nexpect = "drop"\n'
    (tmp_path / "cases.toml").write_text(case)
    done = planned(fake, "wider", "--test", "cases.toml")
    assert done.returncode == 1
    assert "fails: cases.toml: dns" in done.stdout
    assert planned(fake, "old", "--test", "cases.toml").returncode == 0


@pytest.mark.parametrize(
    ("answer", "status", "result"),
    [("yes\n", 0, "applied"), ("no\n", 1, "unconfirmed"), ("", 1, "unconfirmed")],
)
def test_confirmed_or_taken_back(
    fake: FakeController, answer: str, status: int, result: str
) -> None:
    planned(fake, "wider")
    done = run("apply", "plan", "--confirm-within", "1m", "--json", stdin=answer)
    assert done.returncode == status
    assert json.loads(done.stdout)["result"] == result
    kept = json.loads(Path("plan.before.json").read_text())
    assert kept["network"]["rules"] != []
    assert len(kept["members"]) == 3


def test_nobody_answers_in_time(fake: FakeController) -> None:
    planned(fake, "wider")
    reading, writing = os.pipe()  # nothing ever comes
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ztfast", "apply", "plan", "--confirm-within", "1s"],
            stdin=reading, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == 1
    assert "taken back" in done.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_a_signal_is_no_confirmation(fake: FakeController, name: str) -> None:
    """Who locked himself out of his own session is hung up."""
    planned(fake, "wider")
    with subprocess.Popen(
        [sys.executable, "-m", "ztfast", "apply", "plan", "--confirm-within", "60s", "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        said = ""
        while "Type yes" not in said:
            said += process.stderr.read(1) or pytest.fail(said)
        process.send_signal(getattr(signal, name))
        assert process.stdout is not None
        found = json.loads(process.stdout.read())
    assert (process.returncode, found["result"], found["why"]) == (1, "unconfirmed", "interrupted")
    assert run("apply", "plan", "--keep", "plan.before.json").returncode == 2  # it is kept
    assert run("apply", "plan").returncode == 0  # the old rules are in force, so the plan holds
    assert Path("plan.before-2.json").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan", "old.ztrules", "controller:1"], "network id"),
        (["plan", "old.ztrules", "x"], "is not a target"),
        (["apply", "no.plan"], "cannot be read"),
        (["apply", "old.ztrules", "--confirm-within", "soon"], "is not a time"),
        (["apply", "-", "--confirm-within", "60s"], "nothing to read your answer from"),
        (["fetch", f"central:{NETWORK}", "--token-file", "none"], "none"),
    ],
)
def test_wrong_usage(fake: FakeController, words: list[str], says: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert says in done.stderr


def test_what_the_controller_refuses(fake: FakeController, monkeypatch: Any) -> None:
    monkeypatch.setenv("ZTFAST_TOKEN", "other")
    done = planned(fake, "wider")
    assert done.returncode == 1
    assert "the token is refused" in done.stderr
    assert "other" not in done.stderr
    monkeypatch.setenv("ZTFAST_TOKEN", TOKEN)
    Path("hand.plan").write_text("{}")
    done = run("apply", "hand.plan")
    assert done.returncode == 1
    assert "ZT651" in done.stderr
