"""Frames as lines, as tcpdump and tshark show them, with each one's verdict and the rule behind it.

Contract: `FrameList` takes judged batches and gives text, some thousand frames at a time, for
people (aligned, the first text with a heading) or as one JSON object a line.  Nothing from a file
can steer a terminal.  Columns only grow: lines that are out already stay as they are.
Tested by tests/report/test_frame_list.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ztfast.diagnostics.render import harmless
from ztfast.engine.engine import Engine
from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import Column, FrameKind
from ztfast.model.reads import Reads
from ztfast.network.members import member_names
from ztfast.pipeline.decisions import Decision, Decisions
from ztfast.pipeline.frame_ends import Choice, FrameEnds, Uint64s
from ztfast.pipeline.judge import Judgement
from ztfast.pipeline.rows import decoded, frame_rows
from ztfast.report.frame_words import FrameWords

_T = TypeVar("_T")
ROWS = 8192  # lines at a time: their texts are Python objects
_NAME_WIDTH = 32
_RULE_WIDTH = 64
_WIDE = 120  # a narrower terminal gets the time of day alone, and not which side decided
_TIME_OF_DAY = slice(len("2026-01-12 "), len("2026-01-12 06:40:04.001"))
_LEAST = 10  # of what a frame is; of the rule what is left, if that is worth a column
_HEADING = ("number", "time (UTC)", "from", "to", "frame", "bytes", "verdict", "by", "line", "rule")
_RIGHT = ("number", "bytes", "line")
_BROADCAST = "ff:ff:ff:ff:ff:ff"


class _Decided(NamedTuple):
    """The decisions of some frames: those that there are, and which of them is each frame's."""

    decisions: Sequence[Decision]
    which: Sequence[int]

    def each(self, value: Callable[[Decision], _T]) -> list[_T]:
        """A value of each frame's decision; it is asked for once for each decision."""
        values = [value(one) for one in self.decisions]
        return [values[number] for number in self.which]


class _Layout:
    """Lines of columns that only grow, no wider than a terminal; heading: the columns shown."""

    def __init__(self, width: int | None) -> None:
        narrow = width is not None and width < _WIDE
        self.heading = tuple(name for name in _HEADING if not (narrow and name == "by"))
        self.time = _TIME_OF_DAY if narrow else slice(None)
        self._width = width
        self._widths = [0] * (len(self.heading) - 1)
        self._frame = self.heading.index("frame")

    def text(self, cells: list[Sequence[str]]) -> str:
        """Rows below each other, the first text with the heading."""
        rows: list[Sequence[str]] = [] if any(self._widths) else [self.heading]
        for column, width in enumerate(self._widths):
            needed = max(map(len, cells[column]))
            self._widths[column] = max(width, needed, len(self.heading[column]))
        frame = self._frame_width()
        if frame < self._widths[self._frame]:
            cells[self._frame] = [_cut(text, frame) for text in cells[self._frame]]
        widths = [*self._widths]
        widths[self._frame] = frame
        form = "  ".join(
            f"{{:{'>' if name in _RIGHT else '<'}{width}}}"
            for name, width in zip(self.heading, widths, strict=False)
        )
        line = f"{form}  {{}}".format
        lines = (line(*row) for row in [*rows, *zip(*cells, strict=True)])
        if self._width is None:
            return "".join(f"{one}\n" for one in lines)
        before = sum(widths) + 2 * len(widths)
        shown = (one if self._width - before >= _LEAST else one[:before].rstrip() for one in lines)
        return "".join(f"{_cut(one, self._width).rstrip()}\n" for one in shown)

    def _frame_width(self) -> int:
        """What a frame is, shortened where the line would be wider than the terminal."""
        wanted = self._widths[self._frame]
        if self._width is None:
            return wanted
        others = sum(self._widths) - wanted + 2 * len(self._widths)
        return min(wanted, max(self._width - others, _LEAST))


class FrameList:
    """The frames of batches that a choice wants, as text.

    listed: how many were shown so far.
    """

    def __init__(
        self, engine: Engine, choice: Choice, *, as_json: bool = False, width: int | None = None
    ) -> None:
        """width: of the terminal, where lines are to be no wider; None: they are as they are."""
        network = engine.network
        self.listed = 0
        self._choice, self._json = choice, as_json
        self._ends, self._words = FrameEnds(engine), FrameWords()
        self._decisions = Decisions(engine.policy)
        self._names = member_names(network.members) if network is not None else {}
        self._shown = {address: _cut(name) for address, name in self._names.items()}
        self._layout = _Layout(width)

    def texts(self, item: Judgement) -> Iterator[str]:
        """The lines of a batch's wanted frames, ended, in parts; none of what was not judged."""
        if item.frames is None or item.verdicts is None:
            return
        ends = self._ends(item.frames)
        decisions, which = self._decisions.of(item.verdicts)
        index = self._choice.of(item.frames, item.verdicts, ends, (decisions, which))
        for low in range(0, len(index), ROWS):
            part = index[low : low + ROWS]
            mine = ends[0][part], ends[1][part]
            decided = _Decided(decisions, which[part].tolist())
            self.listed += len(part)
            yield (self._objects if self._json else self._lines)(item, part, mine, decided)

    # --- for people

    def _lines(
        self,
        item: Judgement,
        index: npt.NDArray[np.intp],
        ends: tuple[Uint64s, Uint64s],
        decided: _Decided,
    ) -> str:
        frames, rows = _of(item, index)
        cells: dict[str, Sequence[str]] = {
            "number": list(map(str, rows["number"].tolist())),
            "time (UTC)": [time[self._layout.time] for time in _times(rows["time"])],
            "from": self._from(ends[0], rows),
            "to": self._to(ends[1], rows),
            "frame": self._words(frames),
            "bytes": list(map(str, rows["length"].tolist())),
            "verdict": _verdicts(rows["verdict"], item.verdicts.uncertain[index]),  # type: ignore[union-attr]
            "by": decided.each(lambda one: _cut(one.by)),
            "line": decided.each(lambda one: one.place),
            "rule": decided.each(lambda one: _cut(one.rule, _RULE_WIDTH)),
        }
        return self._layout.text([cells[name] for name in self._layout.heading])

    def _from(self, senders: Uint64s, rows: dict[str, Any]) -> list[str]:
        known = self._shown
        return [
            known.get(address) or ip or mac or "?"
            for address, ip, mac in zip(
                senders.tolist(), rows["source"].tolist(), rows["mac_source"].tolist(), strict=True
            )
        ]

    def _to(self, receivers: Uint64s, rows: dict[str, Any]) -> list[str]:
        known = self._shown
        return [
            known.get(address) or ip or ("broadcast" if mac == _BROADCAST else mac) or "?"
            for address, ip, mac in zip(
                receivers.tolist(), rows["dest"].tolist(), rows["mac_dest"].tolist(), strict=True
            )
        ]

    # --- for programs

    def _objects(
        self,
        item: Judgement,
        index: npt.NDArray[np.intp],
        ends: tuple[Uint64s, Uint64s],
        decided: _Decided,
    ) -> str:
        frames, rows = _of(item, index)
        columns: dict[str, list[Any]] = {
            "number": rows["number"].tolist(),
            "time": [f"{time}Z" for time in _iso(rows["time"], "ns")],
            **self._end_columns("from", ends[0]),
            **self._end_columns("to", ends[1]),
            "frame": self._words(frames),
            **{
                name: [value or None for value in rows[name].tolist()]
                for name in ("source", "dest", "mac_source", "mac_dest")
            },
            "ethertype": _ethertypes(frames, rows),
            **{name: rows[name].tolist() for name in ("vlan", "captured", "length")},
            **_transport(frames, rows),
            "verdict": rows["verdict"].tolist(),
            "uncertain": item.verdicts.uncertain[index].tolist(),  # type: ignore[union-attr]
            "side": decided.each(lambda one: one.side),
            "capability": decided.each(lambda one: one.capability),
            "line": decided.each(lambda one: one.line),
            "included": decided.each(lambda one: one.included),
            "rule": decided.each(lambda one: one.rule),
        }
        texts = [*map(_json_texts, columns.values()), _json_copies(rows["copies"].tolist())]
        fields = ", ".join(f'"{name}": {{}}' for name in (*columns, "copies"))
        line = f"{{{{{fields}}}}}\n".format
        return "".join(line(*row) for row in zip(*texts, strict=True))

    def _end_columns(self, name: str, addresses: Uint64s) -> dict[str, list[str | None]]:
        numbers = addresses.tolist()
        return {
            name: [f"{address:010x}" if address else None for address in numbers],
            f"{name}_name": [self._names.get(address) for address in numbers],
        }


def _of(item: Judgement, index: npt.NDArray[np.intp]) -> tuple[FrameBatch, dict[str, Any]]:
    """Some frames of a judged batch, and their rows."""
    assert item.frames is not None
    assert item.verdicts is not None
    frames = item.frames.take(index)
    return frames, frame_rows(item.packets, item.frames, item.verdicts, rows=index)


def _iso(times: npt.NDArray[Any], unit: Literal["us", "ns"]) -> list[str]:
    texts: list[str] = np.datetime_as_string(times.astype("M8[ns]"), unit=unit).tolist()
    return texts


def _times(times: npt.NDArray[np.int64]) -> list[str]:
    return [text.replace("T", " ") for text in _iso(times, "us")]


def _verdicts(verdicts: npt.NDArray[Any], uncertain: npt.NDArray[np.bool_]) -> list[str]:
    """A `?` behind those that asked for bytes that were not captured."""
    pairs = zip(verdicts.tolist(), uncertain.tolist(), strict=True)
    return [f"{verdict}?" if unsure else verdict for verdict, unsure in pairs]


def _json_texts(values: list[Any]) -> list[str]:
    """Each value as JSON; what occurs again is not encoded again."""
    known = {value: json.dumps(value) for value in set(values)}
    return [known[value] for value in values]


def _json_copies(values: list[str]) -> list[str]:
    known = {value: json.dumps(value.split()) for value in set(values)}
    return [known[value] for value in values]


def _ethertypes(frames: FrameBatch, rows: dict[str, Any]) -> list[int | None]:
    """None where it was not captured."""
    missing = decoded(frames, (Column.MISSING,))[Column.MISSING]
    return _known(rows["ethertype"], (missing & Reads.ETHERTYPE) == 0)


def _transport(frames: FrameBatch, rows: dict[str, Any]) -> dict[str, list[int | None]]:
    """Protocol and ports, None where there are none or they were not captured."""
    fields = decoded(frames, (Column.KIND, Column.MISSING))
    kind, missing = fields[Column.KIND], fields[Column.MISSING]
    is_ip = (kind & (FrameKind.IPV4 | FrameKind.IPV6)) != 0
    has_ports = (rows["source_port"] | rows["dest_port"]) != 0
    return {
        name: _known(rows[name], has & ((missing & bit) == 0))
        for name, has, bit in (
            ("protocol", is_ip, Reads.PROTOCOL),
            ("source_port", has_ports, Reads.SOURCE_PORT),
            ("dest_port", has_ports, Reads.DEST_PORT),
        )
    }


def _known(values: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> list[int | None]:
    return [
        value if is_ else None for value, is_ in zip(values.tolist(), known.tolist(), strict=True)
    ]


def _cut(text: str, width: int = _NAME_WIDTH) -> str:
    text = harmless(text, keep="")
    return text if len(text) <= width else text[: width - 1] + "…"
