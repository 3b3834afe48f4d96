"""Cases: defaults, every wrong type named, entries left out or cut off, ids handed through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.engine.case import case_findings, evaluate_case, read_case
from ztfast.errors import BackendError, FrameError, RulesError, UsageError, ZtfastError

ACCEPT = {"type": "ACTION_ACCEPT"}
SMALL: dict[str, Any] = {
    "direction": "out",
    "rules": [ACCEPT],
    "ethertype": 2048,
    "frame": "00ff",
}


def test_what_need_not_be_given() -> None:
    view, frame, context = read_case(SMALL)
    assert (view.engine, view.direction, view.capabilities) == ("1.14", "out", ())
    assert (frame.payload, frame.length, frame.ethertype, frame.vlan) == (b"\0\xff", 2, 2048, 0)
    assert (context.node, context.zt_source, context.zt_dest) == (0, 0, 0)
    assert context.remote_tags is None
    assert (context.no_tee, context.draw(3)) == (False, 0)


def test_the_id_is_handed_through_whatever_it_is() -> None:
    assert evaluate_case({**SMALL, "id": {"a": [1]}})["id"] == {"a": [1]}
    assert "id" not in evaluate_case(SMALL)


@pytest.mark.parametrize("key", ["direction", "rules", "ethertype", "frame"])
def test_what_must_be_given(key: str) -> None:
    case = {name: value for name, value in SMALL.items() if name != key}
    with pytest.raises(ZtfastError, match=f"key '{key}' is nothing"):
        evaluate_case(case)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("direction", "both", "direction"),
        ("direction", ["out"], "direction"),
        ("engine", 1.14, "engine"),
        ("engine", "1.13", "engine"),
        ("ethertype", 65536, "ethertype"),
        ("ethertype", True, "ethertype"),
        ("ethertype", "2048", "ethertype"),
        ("vlan", -1, "vlan"),
        ("prng", 1 << 32, "prng"),
        ("prng", 0.5, "prng"),
        ("frame", "0", "frame"),
        ("frame", "0g", "frame"),
        ("frame", "00 ff", "frame"),
        ("frame", "٠٠", "frame"),
        ("frame", None, "frame"),
        ("frame", "00" * ((1 << 18) + 1), "frame"),
        ("node", "123", "node"),
        ("node", 5, "node"),
        ("zt_source", "0x12345678", "zt_source"),
        ("zt_dest", None, "zt_dest"),
        ("mac_source", "02:00:00:00:00", "mac_source"),
        ("mac_dest", "020000000001", "mac_dest"),
        ("local_tags", [[1, 2]], "local_tags"),
        ("local_tags", None, "local_tags"),
        ("local_tags", {"x": 1}, "local_tags.x"),
        ("local_tags", {"4294967296": 1}, "local_tags.4294967296"),
        ("remote_tags", {"1": -1}, "remote_tags.1"),
        ("remote_tags", {"1": None}, "remote_tags.1"),
        ("owned_ips", "10.0.0.1", "owned_ips"),
        ("owned_ips", ["10.0.0.1/8"], "owned_ips"),
        ("owned_ips", [5], "owned_ips"),
        ("owned_macs", ["nonsense"], "owned_macs"),
        ("no_tee", 1, "no_tee"),
        ("ndp", "rfc4192", "ndp"),
        ("ndp", ["rfc4193"], "ndp"),
        ("ndp", True, "ndp"),
        ("network", "8056c2e21c00000", "network"),
        ("network", None, "network"),
        ("rules", {}, "rules"),
        ("rules", None, "rules"),
        ("capabilities", {}, "capabilities"),
        ("capabilities", [5], r"capabilities\[0\]"),
        ("capabilities", [{"id": "1", "rules": []}], r"capabilities\[0\].id"),
        ("capabilities", [{"id": 1}], r"capabilities\[0\].rules"),
    ],
)
def test_wrong_types_are_named(key: str, value: Any, named: str) -> None:
    with pytest.raises((FrameError, RulesError), match=f"key '{named}' is") as caught:
        evaluate_case({**SMALL, key: value})
    assert caught.value.diagnostics[0].help
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("case", [None, 5, "x", [], [SMALL]])
def test_a_case_is_an_object(case: Any) -> None:
    with pytest.raises(FrameError, match="must be a JSON object"):
        evaluate_case(case)


def test_unknown_types_are_left_out_and_said() -> None:
    nothing = {"type": "MATCH_NOSUCH"}
    case = {**SMALL, "rules": [nothing, ACCEPT, 5], "capabilities": [{"rules": [nothing]}]}
    assert evaluate_case(case)["result"] == "ACCEPT"
    first, second = case_findings(case)
    assert (first.code, first.severity) == ("ZT411", "error")
    assert "rules: 2 entries that a controller cannot read" in first.message
    assert "index 0, 2" in first.message
    assert "capabilities[0].rules: 1 entries" in second.message
    assert case_findings(SMALL) == ()


def test_a_mask_that_nobody_can_read_is_left_out_and_said() -> None:
    match = {"type": "MATCH_CHARACTERISTICS", "mask": True}
    case = {**SMALL, "rules": [match, {"type": "ACTION_DROP"}]}
    assert evaluate_case(case)["log"] == [None]  # the drop alone
    (finding,) = case_findings(case)
    assert "rules: 1 entries that a controller cannot read" in finding.message
    assert "(index 0; the first has mask True)" in finding.message


def test_the_surplus_is_cut_off_and_said() -> None:
    skipped = [{"type": "ACTION_TEE", "address": "0000000000"}]
    base = {**SMALL, "rules": [*skipped * 1024, ACCEPT]}
    assert evaluate_case(base)["result"] == "NO_MATCH"
    assert [finding.code for finding in case_findings(base)] == ["ZT412"]
    assert evaluate_case({**SMALL, "rules": [*skipped * 1023, ACCEPT]})["result"] == "ACCEPT"
    # what is left out does not count
    left_out = {**SMALL, "rules": [{"type": "?"}, *skipped * 1023, ACCEPT]}
    assert evaluate_case(left_out)["result"] == "ACCEPT"
    capability = {**SMALL, "rules": [], "capabilities": [{"rules": [*skipped * 64, ACCEPT]}]}
    assert evaluate_case(capability)["accept"] == 0
    assert "keeps 64 entries and cuts 1 off" in case_findings(capability)[0].message
    capability["capabilities"] = [{"rules": [*skipped * 63, ACCEPT]}]
    assert evaluate_case(capability)["accept"] == 1


def test_backends() -> None:
    with pytest.raises(UsageError):
        evaluate_case(SMALL, "fast")
    assert evaluate_case(SMALL, "auto")["result"] == "ACCEPT"


@needs_loops
def test_native_has_no_log() -> None:
    assert evaluate_case(SMALL, "native")["log"] is None


def test_native_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "core", None)
    monkeypatch.delenv("ZTFAST_BACKEND", raising=False)
    with pytest.raises(BackendError, match="not built"):
        evaluate_case(SMALL, "native")
    assert evaluate_case(SMALL, "auto")["log"] == [None]
