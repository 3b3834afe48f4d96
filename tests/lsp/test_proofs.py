from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.needs import needs
from ztfast.lsp import process
from ztfast.lsp.document import Document
from ztfast.lsp.proofs import everything

TEXT = "# ä😀\r\naccept dport 80;\r\naccept dport 80;\r\naccept ipsrc 10.0.0.1/8;\r\ndrop;\r\n"


@needs("z3")
def test_findings_are_those_of_check_with_their_places() -> None:
    document = Document("x", TEXT)
    found = asyncio.run(everything(document))
    assert found is not None
    assert {"ZT201", "ZT111"} <= {finding.code for finding in found}
    for quick in document.findings:
        same = next(one for one in found if one.code == quick.code and one.span == quick.span)
        assert (same.message, same.help, same.fixes) == (quick.message, quick.help, quick.fixes)


def test_odd_texts_have_findings_too() -> None:
    found = asyncio.run(everything(Document("x", "\ud800 {")))
    assert found


def test_a_strangers_module_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "ztfast", "click"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert asyncio.run(everything(Document("x", "accept dport eighty;")))
    assert not (tmp_path / "ran").exists()


def test_a_cancelled_proof_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_PROGRAM", "import time; time.sleep(600)")
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def noted(*words: str, **more: int) -> asyncio.subprocess.Process:
        started.append(await start(*words, **more))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)

    async def cancelled() -> None:
        proof = asyncio.get_running_loop().create_task(everything(Document("x", "drop;")))
        while not started:
            await asyncio.sleep(0)
        proof.cancel()
        with pytest.raises(asyncio.CancelledError):
            await proof
        await started[0].wait()

    asyncio.run(cancelled())
    assert started[0].returncode != 0
    if os.name == "posix":
        assert started[0].returncode == -9


def test_a_process_that_fails_has_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("", "print(7)", "print('{}')", "raise SystemExit(3)"):
        monkeypatch.setattr(process, "_PROGRAM", program)
        assert asyncio.run(everything(Document("x", "drop;"))) is None
