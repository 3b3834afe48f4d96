"""Who a tap becomes; that it does, and keeps CAP_NET_RAW, is tested in test_tap_network.py."""

from __future__ import annotations

import pwd

import pytest

from ztfast.errors import UsageError
from ztfast.live.rights import read_user


def test_users_by_name() -> None:
    root = pwd.getpwuid(0).pw_name
    assert read_user(root)[1:] == (0, 0)
    assert read_user(f"{root}:{root}")[1:] == (0, 0)


@pytest.mark.parametrize(
    "text", ["", "nobody-of-that-name", "root:no-such-group", ":root", "root:"]
)
def test_nobody(text: str) -> None:
    with pytest.raises(UsageError, match="nobody here"):
        read_user(text)
