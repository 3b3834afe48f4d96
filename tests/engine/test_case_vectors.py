"""Every eval vector of both engines on both backends, exactly, the reference's log included.

Each file is one test a backend.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ztfast.engine.case import evaluate_case

VECTORS = Path(__file__).parent.parent / "data" / "vectors"
FILES = {
    "eval-1.14.jsonl.gz": 12000,
    "eval-1.12.jsonl.gz": 3000,
    "eval-edge-1.14.jsonl.gz": 8000,
    "eval-edge-1.12.jsonl.gz": 2500,
}


def vectors(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(VECTORS / name, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_each_case_gives_what_the_official_engine_gave(name: str, backend: str) -> None:
    count, wrong = 0, []
    for vector in vectors(name):
        count += 1
        out = evaluate_case(vector["in"], backend)
        if backend == "native":  # which keeps no log
            assert out["log"] is None
            out["log"] = vector["out"]["log"]
        identity = out.pop("id")
        assert identity == vector["in"]["id"]
        if out != vector["out"]:
            wrong.append((vector["in"], vector["out"], out))
    assert count == FILES[name]
    shown = "\n".join(
        f"case {json.dumps(case)}\n expected {expected}\n got      {got}"
        for case, expected, got in wrong[:3]
    )
    assert not wrong, f"{len(wrong)} of {count} differ:\n{shown}"
