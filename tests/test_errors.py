"""Places, findings and exceptions: how each is put into words, and what catches it."""

from __future__ import annotations

import pickle

import pytest

from ztfast import errors
from ztfast.errors import (
    Diagnostic,
    RulesError,
    Severity,
    Source,
    Span,
    UsageError,
    ZtfastError,
    counted,
    usage,
)

SPAN = Span(5, 9, 2, 1)
NAMED, NAMELESS = Source("r.ztrules", "drop\n accept\n"), Source("", "drop")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_in_any_editor(end: str) -> None:
    source = Source("r", f"drop{end}{end}accept")
    assert [source.line_text(line) for line in range(5)] == ["", "drop", "", "accept", ""]


def test_no_line_counts_from_the_end() -> None:
    assert Source("r", "drop\naccept").line_text(-1) == ""


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (Diagnostic("ZT001", "m"), ""),
        (Diagnostic("ZT001", "m", path="a.pcap"), "a.pcap"),
        (Diagnostic("ZT001", "m", path="a.pcap", offset=0), "a.pcap: byte 0"),
        (Diagnostic("ZT001", "m", offset=24), "<input>: byte 24"),
        (Diagnostic("ZT001", "m", source=NAMED), "r.ztrules"),
        (Diagnostic("ZT001", "m", source=NAMED, span=SPAN), "r.ztrules:2:1"),
        (Diagnostic("ZT001", "m", source=NAMELESS, span=SPAN), "<text>:2:1"),
        (Diagnostic("ZT001", "m", span=SPAN), "<text>:2:1"),
        (Diagnostic("ZT001", "m", span=SPAN, path="net.json", offset=7), "net.json:2:1"),
        (Diagnostic("ZT001", "m", source=NAMED, path="a.pcap"), "r.ztrules"),
    ],
)
def test_a_place_is_as_exact_as_what_is_known(found: Diagnostic, place: str) -> None:
    assert found.place() == place
    assert str(found) == (f"{place}: m" if place else "m")


def test_help_stands_behind_the_message() -> None:
    assert str(Diagnostic("ZT001", "no", path="x", help="do this")) == "x: no (do this)"


def test_a_diagnostic_is_an_error_unless_it_says_otherwise() -> None:
    assert Diagnostic("ZT001", "m").severity == Severity.ERROR == "error"


def test_an_exception_says_each_of_its_diagnostics() -> None:
    first, second = Diagnostic("ZT101", "one", path="r"), Diagnostic("ZT102", "two")
    error = RulesError(first, second)
    assert error.diagnostics == (first, second)
    assert str(error) == "r: one\ntwo"


def test_an_exception_goes_from_process_to_process() -> None:
    error = RulesError(Diagnostic("ZT101", "m", span=SPAN, source=NAMED))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.diagnostics) == (RulesError, error.diagnostics)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("RulesError", ValueError),
        ("NetworkError", ValueError),
        ("TableError", ValueError),
        ("FrameError", ValueError),
        ("CaptureError", ValueError),
        ("OutputError", OSError),
        ("BackendError", RuntimeError),
        ("UsageError", ValueError),
    ],
)
def test_each_is_also_a_kind_that_python_programs_catch(name: str, kind: type[Exception]) -> None:
    found = getattr(errors, name)(Diagnostic("ZT001", "m", path="x"))
    assert isinstance(found, ZtfastError)
    assert isinstance(found, kind)
    assert str(found) == "x: m"


def test_wrong_usage_is_one_diagnostic_without_a_place() -> None:
    error = usage("side must be out or in", "use out")
    assert isinstance(error, UsageError)
    assert error.diagnostics == (Diagnostic("ZT001", "side must be out or in", help="use out"),)


def test_one_is_not_many() -> None:
    assert [counted(n, "byte") for n in (0, 1, 2, 1000)] == [
        "0 bytes",
        "1 byte",
        "2 bytes",
        "1,000 bytes",
    ]
