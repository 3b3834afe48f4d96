"""The garbage collector is as it was behind every call, also one that fails."""

from __future__ import annotations

import gc

import pytest

from ztfast.errors import NetworkError
from ztfast.network.collecting import uncollected
from ztfast.network.load import load_network


@pytest.fixture(params=[True, False])
def is_on(request):
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_it_is_off_meanwhile_and_as_before_behind(is_on):
    @uncollected
    def state(fails=False):
        """What it says."""
        if fails:
            raise ValueError("wrong")
        return gc.isenabled()

    assert state.__doc__ == "What it says."
    assert state() is False
    assert gc.isenabled() is is_on
    with pytest.raises(ValueError, match="wrong"):
        state(fails=True)
    assert gc.isenabled() is is_on


def test_after_a_network_that_cannot_be_read(is_on, tmp_path):
    path = tmp_path / "net.json"
    path.write_text("{")
    with pytest.raises(NetworkError):
        load_network(path)
    assert gc.isenabled() is is_on
