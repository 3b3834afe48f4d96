"""Telling others: nothing where nobody asked, never an error."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ztfast.live.notify import Notifier


def test_a_descriptor_gets_a_line_and_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    reading, writing = os.pipe()
    notifier = Notifier(writing)
    notifier.ready()
    notifier.ready()
    with open(reading) as file:
        assert file.read() == "ready\n"


def test_a_closed_descriptor_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    Notifier(writing).ready()


@pytest.mark.parametrize("place", ["", "nowhere", "/nowhere/at/all", "@nobody-listens-here"])
def test_nobody_listens(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", place)
    Notifier().ready()


def test_systemd_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notifier = Notifier()
        notifier.ready()
        notifier.tell("STOPPING=1")
        assert [told.recv(100), told.recv(100)] == [b"READY=1", b"STOPPING=1"]
