"""Flows: who sent what to whom, hour by hour, and which rule decided about it.

Contract: a row for each (hour, source, dest, protocol, service, verdict, rule), with frames, bytes,
and the times of the first and the last frame; sums over any cut of the work are the same.  source
and dest are IP addresses, or MACs where a frame has none.  service is the smaller of the two ports,
which in practice is the server's; 0 where there is none.  Memory is bounded: with many flows a
row may come again, and readers add up.  Needs pyarrow.
Tested by tests/archive/test_flows.py.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.errors import Diagnostic, OutputError
from ztfast.model.policy import Policy
from ztfast.pipeline.judge import Judgement
from ztfast.pipeline.rows import frame_rows
from ztfast.pipeline.tally import decider_text
from ztfast.sinks.arrow import text_array
from ztfast.sinks.columns import TIME, Column
from ztfast.sinks.tables import TableSink
from ztfast.sinks.text_columns import coded

HOUR = 3600 * 10**9
COLUMNS = (
    Column("hour", TIME),
    Column("source", "text", 39),
    Column("dest", "text", 39),
    Column("ethertype", "uint16"),
    Column("protocol", "uint8"),
    Column("service", "uint16"),
    Column("verdict", "name", 16),
    Column("line", "int32"),
    Column("rule", "text", 200),
    Column("frames", "uint64"),
    Column("bytes", "uint64"),
    Column("first", TIME),
    Column("last", TIME),
)
_MOST = 8_000  # flows that are kept before they are written
_KEYS = (
    *("hour", "source", "dest", "ethertype", "protocol", "service"),
    *("verdict", "line", "capability", "entry"),
)
_SUMS = [("frames", "sum"), ("bytes", "sum"), ("first", "min"), ("last", "max")]


class Flows:
    """Takes judged batches; writes a Parquet file."""

    def __init__(self, path: str, policy: Policy) -> None:
        try:
            self._pa: Any = importlib.import_module("pyarrow")
        except ImportError:
            message, help = "flows need pyarrow", "pip install 'ztfast[archive]'"
            raise OutputError(Diagnostic("ZT607", message, path=path, help=help)) from None
        self._policy = policy
        self._sink = TableSink(path, COLUMNS)
        self._parts: list[Any] = []
        self._rows = 0
        self._names: list[str] = []

    def add(self, judgement: Judgement, _: object = None) -> None:
        """Take a batch."""
        packets, frames, verdicts = judgement[:3]
        if frames is None or verdicts is None or not len(packets):
            return
        rows = frame_rows(packets, frames, verdicts)
        ports = rows["source_port"], rows["dest_port"]
        times, entry = packets.timestamps, verdicts.entry.astype(np.int64)
        if verdicts.unasked is not None:
            entry -= verdicts.unasked  # why no rule was asked, as tallies number it
        self._names = rows["verdict"].values.tolist()
        self._parts.append(
            self._grouped(
                self._pa.table(
                    {
                        "hour": times // HOUR * HOUR,
                        "source": self._address(rows, "source"),
                        "dest": self._address(rows, "dest"),
                        "ethertype": rows["ethertype"],
                        "protocol": rows["protocol"],
                        "service": np.minimum(*ports),
                        "verdict": self._pa.array(rows["verdict"].codes),
                        "line": rows["line"],
                        "capability": verdicts.capability,
                        "entry": entry,
                        "frames": np.ones(len(packets), np.uint64),
                        "bytes": packets.lengths.astype(np.uint64),
                        "first": times,
                        "last": times,
                    }
                )
            )
        )
        self._rows += len(self._parts[-1])
        if self._rows > _MOST:
            self._join()

    def _address(self, rows: dict[str, Any], which: str) -> Any:
        """IP addresses, or MACs where there is none."""
        pa = self._pa
        ip, mac = (text_array(pa, rows[name]) for name in (which, f"mac_{which}"))
        compute = importlib.import_module("pyarrow.compute")
        return compute.if_else(compute.equal(ip, ""), mac, ip)

    def _grouped(self, table: Any) -> Any:
        found = table.group_by(list(_KEYS), use_threads=False).aggregate(_SUMS)
        named = {f"{name}_{how}": name for name, how in _SUMS}
        return found.rename_columns([named.get(name, name) for name in found.column_names])

    def _join(self) -> None:
        """One table of the parts; written where it is still too large."""
        whole = self._grouped(self._pa.concat_tables(self._parts))
        self._parts = [whole]
        self._rows = len(whole)
        if self._rows > _MOST // 2:
            self._write()

    def _write(self) -> None:
        if not self._parts:
            return
        table = self._grouped(self._pa.concat_tables(self._parts))
        table = table.sort_by([(name, "ascending") for name in _KEYS])
        self._parts, self._rows = [], 0
        columns: dict[str, npt.NDArray[Any]] = {
            name: table[name].to_numpy() for name in table.column_names
        }
        made: dict[str, Any] = {column.name: columns.get(column.name) for column in COLUMNS}
        for name in ("source", "dest"):
            made[name] = table[name].to_pylist()
        made["verdict"] = coded(self._names, columns["verdict"].astype(np.int64))
        made["rule"] = self._rules(columns["capability"], columns["entry"])
        self._sink.write(made)

    def _rules(self, capability: npt.NDArray[Any], entry: npt.NDArray[Any]) -> list[str]:
        """The deciding rules' texts."""
        known: dict[tuple[int, int], str] = {}
        pairs = list(zip(capability.tolist(), entry.tolist(), strict=True))
        for pair in set(pairs):
            known[pair] = decider_text(self._policy, *pair)
        return [known[pair] for pair in pairs]

    def close(self) -> None:
        """Finish the file; raises OutputError."""
        self._write()
        self._sink.close()

    def discard(self) -> None:
        """Leave nothing behind."""
        self._sink.discard()
