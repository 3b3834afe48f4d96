from __future__ import annotations

from pathlib import Path

import pytest

from ztfast.serve.saving import Changed, digest, save


def test_a_text_is_saved_over_the_one_that_it_was_made_of(tmp_path: Path) -> None:
    path = tmp_path / "rules.ztrules"
    path.write_text("drop;\n", encoding="utf-8")
    path.chmod(0o640)
    now = save(str(path), "accept; # ü\r\n", digest("drop;\n"))
    assert path.read_bytes() == "accept; # ü\r\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert now == digest("accept; # ü\r\n")
    assert [file.name for file in tmp_path.iterdir()] == ["rules.ztrules"]


@pytest.mark.parametrize("there", [b"drop; # by another\n", b"\xff", None])
def test_nothing_is_written_over_something_else(tmp_path: Path, there: bytes | None) -> None:
    path = tmp_path / "rules.ztrules"
    if there is not None:
        path.write_bytes(there)
    with pytest.raises(Changed):
        save(str(path), "accept;", digest("drop;\n"))
    assert there is None or path.read_bytes() == there
    assert path.exists() == (there is not None)
