"""Targets and tokens: what is taken, and what would give a token away."""

from __future__ import annotations

from pathlib import Path

import pytest

from ztfast.deploy.target import CENTRAL, LOCAL, is_target, parse_target, read_token
from ztfast.errors import UsageError

NETWORK = "8056c2e21c000001"


def test_targets() -> None:
    assert parse_target(f"controller:{NETWORK}").url == LOCAL
    assert parse_target(f"central:{NETWORK.upper()}").network == NETWORK
    assert parse_target(f"central:{NETWORK}").url == CENTRAL
    found = parse_target(f"controller:{NETWORK}@https://ctl.example:8443/api/")
    assert (found.url, found.host) == ("https://ctl.example:8443/api", "ctl.example")
    assert parse_target(str(found)) == found
    assert is_target("central:x")
    assert not is_target("rules.ztrules")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NETWORK, "is not a target"),
        (f"vault:{NETWORK}", "is not a target"),
        ("controller:123", "not a network id"),
        (f"controller:{NETWORK}@ftp://host", "not an http or https URL"),
        (f"controller:{NETWORK}@http://host:0", "not an http or https URL"),
        (f"controller:{NETWORK}@http://host:x", "is not a URL"),
        (f"controller:{NETWORK}@http://ctl.example:9993", "unencrypted"),
        (f"controller:{NETWORK}@https://me:pw@host", "no user"),
        (f"controller:{NETWORK}@https://host/?x=1", "no user, query"),
    ],
)
def test_targets_that_are_none(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_target(text)


def test_tokens(tmp_path: Path) -> None:
    target = parse_target(f"central:{NETWORK}")
    file = tmp_path / "token"
    for text in ("abc123", "abc123\n", "\r\n abc123 \t\r\n"):
        for encoding in ("ascii", "utf-8-sig", "utf-16"):  # with the marks of Windows' editors
            file.write_bytes(text.encode(encoding))
            assert read_token(target, str(file), {}) == "abc123"
    assert read_token(target, None, {"ZTFAST_TOKEN": "xyz"}) == "xyz"
    with pytest.raises(UsageError, match="--token-file FILE or set ZTFAST_TOKEN"):
        read_token(target, None, {})
    for wrong in ("", "two words", "a\r\nX-Header: b", "ä", "\ufeff"):
        file.write_text(wrong)
        with pytest.raises(UsageError, match="holds no token") as error:
            read_token(target, str(file), {})
        assert "Header" not in str(error.value)  # nothing of it is shown
    with pytest.raises(UsageError, match="name a file"):
        read_token(target, str(tmp_path / "none"), {})
