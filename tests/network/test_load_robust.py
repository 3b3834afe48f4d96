"""Damaged network files and case lines: an error of ours with a place, or it works; never else."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.network.written import (
    CENTRAL_MEMBER,
    CONTROLLER_MEMBER,
    CONTROLLER_NETWORK,
    DOCUMENT,
    write,
)
from ztfast.engine.case import case_findings, evaluate_case
from ztfast.errors import ZtfastError
from ztfast.network.documents import parse_json
from ztfast.network.load import load_network
from ztfast.network.members import Network

SEED = 11
ROUNDS = 600
OTHER = {**CENTRAL_MEMBER, "nodeId": "8e30f50a25"}
WHOLE = {"network": CONTROLLER_NETWORK, "members": [CONTROLLER_MEMBER, OTHER]}
CASE = {
    "direction": "in", "node": "1122334455", "rules": [
        {"type": "MATCH_IPV4_SOURCE", "ip": "10.0.0.0/8", "not": True},
        {"type": "MATCH_CHARACTERISTICS", "mask": "8000000000000000", "or": True},
        {"type": "ACTION_TEE", "address": "2222222222", "length": 64},
        {"type": "INTEGER_RANGE", "start": "0", "end": "f", "idx": 3, "bits": 9, "little": True},
        {"type": "ACTION_ACCEPT"},
    ],
    "capabilities": [{"id": 1, "rules": [{"type": "ACTION_ACCEPT"}]}],
    "local_tags": {"1": 2}, "remote_tags": None, "owned_ips": ["10.0.0.1"],
    "owned_macs": ["02:00:00:00:00:01"], "zt_source": "1111111111", "zt_dest": "1122334455",
    "mac_source": "02:00:00:00:00:01", "mac_dest": "ff:ff:ff:ff:ff:ff", "ethertype": 2048,
    "vlan": 1, "frame": "45" + "00" * 30, "prng": 5, "engine": "1.14", "id": 1,
}  # fmt: skip


def damaged(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, cut out, doubled or put in."""
    for _ in range(rng.choice([1, 1, 2, 5])):
        at, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        end = min(end, at + rng.choice([1, 3, 20]))
        new = rng.choice([
            b"", rng.randbytes(1), data[at:end] * 2, b"[" * 50, b'"', b"9" * 400, b"null", b"-1",
            b"{}", b"\0", b"\xff", b"1e999", b"NaN", b"true",
        ])  # fmt: skip
        data = data[:at] + new + data[end:]
    return data


def outcomes(work: Callable[[bytes], object], data: bytes) -> tuple[int, int]:
    """(how many worked, how many were refused); anything but a ZtfastError goes through."""
    rng = random.Random(SEED)
    worked = refused = 0
    for _ in range(ROUNDS):
        try:
            work(damaged(rng, data))
            worked += 1
        except ZtfastError as error:
            refused += 1
            assert error.diagnostics, f"seed {SEED}"  # noqa: PT017 - the error's form is the test
            assert len(str(error)) < 5000, f"seed {SEED}"  # noqa: PT017
    return worked, refused


@pytest.mark.parametrize("indent", [None, 1])
def test_damaged_json(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "net.json"

    def load(data: bytes) -> Network:
        path.write_bytes(data)
        return load_network(path)

    worked, refused = outcomes(load, json.dumps(WHOLE, indent=indent).encode())
    assert worked > 5
    assert refused > 100


def test_damaged_toml(tmp_path: Path) -> None:
    path = write(tmp_path, DOCUMENT)

    def load(data: bytes) -> Network:
        path.write_bytes(data)
        return load_network(path)

    worked, refused = outcomes(load, DOCUMENT.encode())
    assert worked > 5
    assert refused > 100


def test_damaged_cases() -> None:
    def evaluate(line: bytes) -> None:
        case = parse_json(line, "")
        evaluate_case(case, "reference")
        case_findings(case)

    worked, refused = outcomes(evaluate, json.dumps(CASE).encode())
    assert worked > 5
    assert refused > 100
