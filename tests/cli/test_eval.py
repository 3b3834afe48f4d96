"""`ztfast eval`: lines in, lines out, in order; bad lines are named and the rest goes on."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parent.parent / "data" / "vectors" / "eval-edge-1.14.jsonl.gz"
CASE = {
    "direction": "out",
    "rules": [{"type": "ACTION_ACCEPT"}],
    "ethertype": 2048,
    "frame": "00",
}


def run(*arguments: str, text: str | bytes = "") -> tuple[int, list[dict[str, Any]], str]:
    data = text.encode() if isinstance(text, str) else text
    done = subprocess.run(
        [sys.executable, "-m", "ztfast", "eval", *arguments],
        input=data,
        capture_output=True,
        check=False,
        timeout=120,
    )
    lines = done.stdout.decode().splitlines()
    return done.returncode, [json.loads(line) for line in lines], done.stderr.decode()


def test_vectors_through_the_pipe(backend: str) -> None:
    with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
        vectors = [json.loads(line) for _, line in zip(range(300), lines, strict=False)]
    text = "".join(json.dumps(vector["in"]) + "\n" for vector in vectors)
    place = ("-",) if backend == "reference" else ()  # standard input, said or not
    status, results, _ = run("--backend", backend, *place, text=text)
    assert status == 0
    expected = [{"id": vector["in"]["id"], **vector["out"]} for vector in vectors]
    if backend == "native":  # which keeps no log
        expected = [{**item, "log": None} for item in expected]
    assert results == expected


def test_the_log_is_there_unless_another_backend_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ZTFAST_BACKEND", raising=False)
    assert run(text=json.dumps(CASE))[1][0]["log"] == [None]
    monkeypatch.setenv("ZTFAST_BACKEND", "nonsense")
    assert run(text=json.dumps(CASE))[0] == 2


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps({**CASE, "id": "é"}) + "\n\n  \n" + json.dumps(CASE))
    status, results, errors = run(str(path), "--backend", "reference")
    assert (status, errors) == (0, "")
    assert [result.get("id") for result in results] == ["é", None]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "is not JSON: "),
        (b"\xff", "is not UTF-8"),
        (b"[1]", "a case must be a JSON object"),
        (b"NaN", "NaN is not JSON"),
        (b'{"id": 1, "id": 2}', "the key 'id' twice"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"direction": "up", "rules": []}', "key 'direction' is 'up'"),
        (b"\0", "is not JSON"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_evaluated(line: bytes, says: str) -> None:
    good = json.dumps({**CASE, "id": 1}).encode()
    status, results, errors = run("--backend", "reference", text=good + b"\n" + line + b"\n" + good)
    assert status == 1
    assert [result["id"] for result in results] == [1, 1]
    assert errors.startswith("<stdin>:2: error[ZT")
    assert says in errors
    assert "Traceback" not in errors


def test_entries_left_out_are_said_once_a_case() -> None:
    case = {**CASE, "rules": [{"type": "X"}, {"type": "Y"}, {"type": "ACTION_DROP"}]}
    status, results, errors = run("--backend", "reference", text=json.dumps(case) + "\n")
    assert (status, results[0]["result"]) == (0, "DROP")
    assert errors.count("ZT411") == 1
    assert errors.startswith("<stdin>:1: error[ZT411]: rules: 2 entries that")


def test_each_line_is_answered_before_the_next_is_read() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ztfast", "eval", "--backend", "reference"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(json.dumps({**CASE, "id": number}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_no_input_is_no_output() -> None:
    assert run("--backend", "reference") == (0, [], "")


def test_wrong_usage_and_missing_files(tmp_path: Path) -> None:
    assert run("--backend", "fast")[0] == 2
    status, _, errors = run(str(tmp_path / "none"))
    assert status == 1
    assert "none" in errors
    assert "Traceback" not in errors


def test_help_has_an_example() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ztfast", "eval", "--help"], capture_output=True, check=True
    )
    assert b"Example: " in done.stdout
