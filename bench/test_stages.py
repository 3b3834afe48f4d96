"""pytest-benchmark: each stage, named stage_workload_backend; every answer is checked once.

`make bench` runs these and bench/report.py; `make test` does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ztfast
from bench import engines, peers, workloads
from ztfast import dispatch
from ztfast.capture.pcap_scan import scan_records
from ztfast.model.view import make_view
from ztfast.program.encode import encode

COUNT = 200_000
DATA = workloads.frames(COUNT)
EVALUATED = (
    "default",
    "defcon",
    "tags",
    "sel",
    "half",
    "like100",
    "like1000",
    "mixed1000",
    "classbench200",
)


@pytest.mark.parametrize("name", ["defcon", "like1000", "mixed1000"])
def test_compile(benchmark: Any, name: str) -> None:
    policy = benchmark(ztfast.compile, workloads.RULES[name])
    assert len(policy.rules) > 20


@pytest.mark.parametrize("name", ["defcon", "like1000", "mixed1000"])
def test_encode(benchmark: Any, name: str) -> None:
    policy = ztfast.compile(workloads.RULES[name])
    program = benchmark(lambda: encode(make_view(policy, "out")))
    assert program.starts == (0,)


@pytest.mark.parametrize("passes", [None, ()], ids=["optimised", "plain"])
@pytest.mark.parametrize("name", EVALUATED)
def test_evaluate(benchmark: Any, name: str, passes: Any) -> None:
    call = engines.evaluate_ready(name, DATA, passes=passes)
    assert call() == engines.evaluate_raw(name, DATA, passes=())()
    benchmark.extra_info["frames"] = COUNT
    benchmark(call)


@pytest.mark.parametrize("name", ["default", "defcon", "sel"])
def test_evaluate_reference(benchmark: Any, name: str) -> None:
    part = DATA[:2000]
    call = engines.evaluate_raw(name, part, backend="reference")
    assert call() == engines.evaluate_raw(name, part)()
    benchmark.extra_info["frames"] = len(part)
    benchmark.pedantic(call, rounds=3)


@pytest.mark.parametrize("name", ["default", "defcon", "sel", "half"])
def test_decode_and_evaluate(benchmark: Any, name: str) -> None:
    benchmark.extra_info["frames"] = COUNT
    benchmark(engines.evaluate_raw(name, DATA))


def test_decode(benchmark: Any) -> None:
    frames = engines.batch(DATA)
    columns = (17, 18, 10, 11, 2, 0)
    made = benchmark(lambda: frames.decoded(columns))
    assert made[2][0] == DATA[0, 23]
    benchmark.extra_info["frames"] = COUNT


@pytest.mark.skipif(dispatch.core is None, reason="the extension is not built")
def test_scan(benchmark: Any) -> None:
    data = np.fromfile(workloads.capture("mix64"), np.uint8, 8_000_024)
    found = benchmark(lambda: scan_records(data, 24, len(data), max_frames=100_000))
    assert len(found.offsets) > 80_000
    benchmark.extra_info["frames"] = len(found.offsets)


@pytest.mark.parametrize("name", ["sel", "half"])
def test_peer_libpcap(benchmark: Any, name: str) -> None:
    expression = {"sel": workloads.SEL_BPF, "half": workloads.HALF_BPF}[name]
    call = peers.libpcap(expression, DATA)
    if call is None:
        pytest.skip("libpcap's headers or a C compiler are missing")
    assert call() == engines.evaluate_raw(name, DATA)()
    benchmark.extra_info["frames"] = COUNT
    benchmark(call)


@pytest.mark.parametrize("name", ["sel", "half"])
@pytest.mark.parametrize("peer", ["jit", "acl"])
def test_peer_dpdk(benchmark: Any, peer: str, name: str) -> None:
    expression = {"sel": workloads.SEL_BPF, "half": workloads.HALF_BPF}[name]
    rules = {"sel": peers.ACL_SEL, "half": peers.ACL_HALF}[name]
    call = peers.dpdk_jit(expression, DATA) if peer == "jit" else peers.dpdk_acl(rules, DATA)
    if call is None:
        pytest.skip("DPDK's headers (dpdk-dev) or a C compiler are missing")
    assert call() == engines.evaluate_raw(name, DATA)()
    benchmark.extra_info["frames"] = COUNT
    benchmark(call)


def test_peer_numpy(benchmark: Any) -> None:
    call = peers.numpy_sel(DATA)
    assert call() == engines.evaluate_raw("sel", DATA)()
    benchmark.extra_info["frames"] = COUNT
    benchmark(call)


def test_peer_dpkt(benchmark: Any) -> None:
    part = DATA[:5000]
    call = peers.dpkt_sel(part)
    if call is None:
        pytest.skip("dpkt is not installed")
    assert call() == engines.evaluate_raw("sel", part)()
    benchmark.extra_info["frames"] = len(part)
    benchmark.pedantic(call, rounds=3)
