"""The example repository: its hooks and its workflow's steps, run as their files say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.controller import NETWORK, TOKEN, running

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "policy-repo"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A copy of the example, with `ztfast` on the path."""
    copy = tmp_path / "repo"
    shutil.copytree(EXAMPLE, copy)
    program = tmp_path / "bin" / "ztfast"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ztfast "$@"\n')
    program.chmod(0o755)
    return copy


def run(repo: Path, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{repo.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=repo,
        env={**os.environ, "PATH": path, **env},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def hook_commands(repo: Path) -> dict[str, str]:
    """The command of each hook that the example asks for, as pre-commit would run it."""
    hooks = {hook["id"]: hook for hook in load(ROOT / ".pre-commit-hooks.yaml")}
    commands: dict[str, str] = {}
    files = [
        str(path.relative_to(repo))
        for path in sorted(repo.rglob("*"))
        if path.is_file() and ".github" not in path.parts
    ]
    for wanted in load(repo / ".pre-commit-config.yaml")["repos"][0]["hooks"]:
        hook = {**hooks[wanted["id"]], **wanted}
        named = [name for name in files if re.search(hook["files"], name)]
        assert named, hook["id"]
        passed = named if hook.get("pass_filenames", True) else []
        words = [*shlex.split(hook["entry"]), *hook.get("args", []), *passed]
        commands[hook["id"]] = shlex.join(words)
    return commands


def test_hooks_pass_and_change_nothing(repo: Path) -> None:
    before = (repo / "office.ztrules").read_text()
    commands = hook_commands(repo)
    assert set(commands) == {"ztfast-fmt", "ztfast-check", "ztfast-test"}
    for name, command in commands.items():
        done = run(repo, command)
        assert done.returncode == 0, (name, done.stdout, done.stderr)
    assert (repo / "office.ztrules").read_text() == before


@pytest.mark.parametrize(
    ("hook", "old", "new"),
    [
        ("ztfast-test", "and dport 5432", "and dport 5433"),
        ("ztfast-check", "accept chr tcp_ack;", "accept chr tcp_akc;"),
        ("ztfast-test", "drop not chr ipauth;", ""),
    ],
)
def test_hooks_stop_a_bad_change(repo: Path, hook: str, old: str, new: str) -> None:
    rules = repo / "office.ztrules"
    text = rules.read_text()
    assert old in text
    rules.write_text(text.replace(old, new))
    assert run(repo, hook_commands(repo)[hook]).returncode == 1


def steps(repo: Path) -> list[tuple[str, str, dict[str, str]]]:
    """(name, script, environment) of the action's steps, with the workflow's inputs."""
    action = load(ROOT / "action.yml")
    jobs = load(repo / ".github" / "workflows" / "policy.yml")["jobs"]
    given = jobs["policy"]["steps"][-1]["with"]
    assert set(given) <= set(action["inputs"])
    inputs = {
        **{name: value.get("default", "") for name, value in action["inputs"].items()},
        **given,
    }

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.([a-z-]+).*?\}\}", lambda m: inputs[m.group(1)], text)

    return [
        (step["name"], step["run"], {key: filled(v) for key, v in step.get("env", {}).items()})
        for step in action["runs"]["steps"]
        if "run" in step
    ]


def step(repo: Path, name: str) -> str:
    """The script of one of them."""
    return {title: script for title, script, _ in steps(repo)}[name]


@pytest.mark.parametrize(
    ("mode", "target", "said"),
    [
        ("check", "", ""),
        ("plan", "central:8056c2e21c000001", ""),
        ("apply", "", "needs a target"),
        ("aply", "central:8056c2e21c000001", "mode is 'aply'"),
    ],
)
def test_a_mode_that_is_none_fails(repo: Path, mode: str, target: str, said: str) -> None:
    done = run(repo, step(repo, "Mode"), MODE=mode, TARGET=target)
    assert (done.returncode, said in done.stdout) == (int(bool(said)), True)
    assert bool(done.stdout) == bool(said)


@pytest.mark.parametrize("tests", ["tests/access.toml\ntests/more.toml\n", " tests/*.toml"])
def test_every_file_of_tests_is_run(repo: Path, tests: str) -> None:
    cases = (repo / "tests" / "access.toml").read_text().replace("nobody else", "one more")
    (repo / "tests" / "more.toml").write_text(cases)
    done = run(repo, step(repo, "Test cases"), RULES="office.ztrules", TESTS=tests, FAIL_UNDER="")
    assert "nobody else logs in" in done.stdout, done.stderr
    assert "one more" in done.stdout


@pytest.mark.parametrize("name", ["Layout", "Errors, traps and dead rules", "Test cases"])
def test_steps_of_the_action_pass(repo: Path, name: str) -> None:
    (script, env), = [(script, env) for title, script, env in steps(repo) if title == name]
    done = run(repo, script, **env)
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_the_comparison_step(repo: Path) -> None:
    pytest.importorskip("ztfast.cli.diff")
    pytest.importorskip("z3")
    git = "git -c user.name=a -c user.email=a@b.c"
    made = run(repo, f"git init -q . && git add . && {git} commit -q -m x")
    assert made.returncode == 0, made.stderr
    rules = repo / "office.ztrules"
    rules.write_text(rules.read_text().replace("and dport 22", "and dport 23"))
    (script, _), = [(s, e) for title, s, e in steps(repo) if title.startswith("What each edit")]
    summary = repo.parent / "summary"
    done = run(repo, script, RULES="office.ztrules", BASE="HEAD", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "telnet" in summary.read_text()
    none = run(repo, script, RULES="none", BASE="HEAD", GITHUB_STEP_SUMMARY=str(summary))
    assert "nothing to compare with" in none.stdout
    # a checkout of one commit, which is what actions/checkout makes unless told otherwise
    shallow = {"RULES": "office.ztrules", "BASE": "origin/main"}
    told = run(repo, script, GITHUB_STEP_SUMMARY=str(summary), **shallow)
    assert told.returncode == 0
    assert "::warning::origin/main is not in this checkout" in told.stdout


@pytest.mark.parametrize(
    ("old", "allow", "status"),
    [
        ("and dport 22", "", 0),
        ("accept ethertype arp;", "", 1),
        ("accept ethertype arp;", "*>*:nfs\n*>*:*\n", 0),
    ],
)
def test_plan_and_apply(repo: Path, old: str, allow: str, status: int) -> None:
    """The steps of `mode: apply`: what closes ways is not deployed."""
    summary = repo.parent / "summary"
    rules = repo / "office.ztrules"
    with running(rules=rules.read_text()) as fake:
        rules.write_text(rules.read_text().replace(old, f"{old}22" if "dport" in old else ""))
        env = {
            "RULES": "office.ztrules",
            "TESTS": "",
            "ALLOW": allow,
            "TARGET": f"controller:{NETWORK}@{fake.url}",
            "ZTFAST_TOKEN": TOKEN,
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        named = {title: script for title, script, _ in steps(repo)}
        done = run(repo, named["What deploying would do"], **env)
        assert done.returncode == status, (done.stdout, done.stderr)
        assert ("refused for" in summary.read_text()) == bool(status)
        if not status:
            done = run(repo, f"set -o pipefail\n{named['Deploy']}", **env)
            assert done.returncode == 0, (done.stdout, done.stderr)
            assert "read back with the same meaning" in summary.read_text()


def test_hooks_share_one_environment() -> None:
    """pre-commit makes an environment for each set of packages: there is one."""
    needed = [
        (hook["language"], tuple(hook.get("additional_dependencies", ())))
        for hook in load(ROOT / ".pre-commit-hooks.yaml")
    ]
    assert len(needed) == 3
    assert len(set(needed)) == 1
