"""Ctrl-C while something is proved, also while the solver is inside a call."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from tests.needs import needs
from ztfast.cli.interrupts import ended_at_once

# Sends itself Ctrl-C as soon as the main thread is in the call named last.
_PROGRAM = """
import os, signal, sys, threading
from ztfast.cli.interrupts import ended_at_once
main = threading.main_thread().ident

def interrupt(place):
    while place not in sys._current_frames()[main].f_code.co_name:
        pass
    os.kill(os.getpid(), signal.SIGINT)

def begin(place):
    threading.Thread(target=interrupt, args=(place,), daemon=True).start()
"""
_LOOP = """
def busy():
    while True:
        pass

with ended_at_once():
    begin("busy")
    busy()
"""
_SOLVER = """
import z3
from ztfast.proof.formula import Formulas
from ztfast.proof.solver import Deadline, Prover

formulas = Formulas()
prover = Prover(formulas, Deadline(None))
with ended_at_once():
    prover.find(formulas.test(formulas.field("a", 8), 1), sample=False)
    one, other = z3.BitVecs("one other", 128, prover._context)
    product = (2**61 - 1) * (2**59 - 55)  # two primes, which it takes ages to find
    prover._solver.add(one * other == product, z3.ULT(one, 2**62), z3.ULT(other, 2**62))
    prover._solver.add(z3.UGT(one, 1), z3.UGT(other, 1))
    begin("Z3_solver_check")
    prover.find(formulas.test(formulas.field("a", 8), 2), sample=False)
"""


@pytest.mark.parametrize("work", [_LOOP, pytest.param(_SOLVER, marks=needs("z3"))])
def test_the_process_ends(work: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM + work],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.endswith("\nztfast: interrupted\n")


def test_everything_is_as_before() -> None:
    before = threading.active_count()
    with ended_at_once():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.set_wakeup_fd(-1) == -1
    assert threading.active_count() == before


def test_another_handler_stays() -> None:
    old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ended_at_once():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, old)
