"""One tap from beginning to end: everything opened in its order, run, finished, reported.

Contract: what could never work is refused before anything is opened; outputs are open before the
first frame can come, and rights are given up before the first is taken.  `run` gives the exit
status.
Tested by tests/live/test_tap_network.py.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from ztfast.diagnostics.render import harmless, print_diagnostics
from ztfast.errors import OutputError, ZtfastError
from ztfast.live.loop import Reporter
from ztfast.live.message_output import VxlanOutput
from ztfast.live.notify import Notifier
from ztfast.live.opening import check_places, check_vxlan, make_output, offload_warnings
from ztfast.live.output import Output, Waiting
from ztfast.live.plan import Plan
from ztfast.live.reload import Make, Reloading
from ztfast.live.reporters import Lines, Screen
from ztfast.live.routes import Route
from ztfast.live.signals import Signals
from ztfast.live.summary import print_summary
from ztfast.live.tap import Tap


class Session:
    """One tap; make: reads the rules, now and whenever it is asked to."""

    def __init__(self, plan: Plan, make: Make) -> None:
        self._plan, self._make = plan, make
        self._waiting = Waiting(plan.block)
        self._judge = make()
        self._reporters: list[Reporter] = []
        check_places(plan.inputs, plan.targets, plan.ring.snaplen)
        outputs = [
            make_output(target, plan.files, plan.inputs, self._waiting, say)
            for target in plan.targets
        ]
        self._routes = [
            Route(output, target.member, plan.send, plan.dedup)
            for output, target in zip(outputs, plan.targets, strict=True)
        ]
        for route in self._routes:
            if not route.bind(self._judge) and plan.send == "copies":
                say(f"{route.output.name}: no rule sends copies there")

    def run(self) -> int:
        """Do it; the exit status.  Raises ZtfastError where something cannot be opened."""
        plan = self._plan
        with contextlib.ExitStack() as opened, Signals() as signals:
            self._waiting.is_told_to_end = lambda: signals.stop
            tap = self._open(opened)
            told = Notifier(plan.ready_fd)
            reloading = Reloading(self._make, _say_refused)
            self._show()
            told.ready()
            tap.run(signals, reloading, self._reporters, plan.seconds, told.tell)
            return self._finish(tap)

    def _open(self, opened: contextlib.ExitStack) -> Tap:
        plan = self._plan
        for route, target in zip(self._routes, plan.targets, strict=True):
            output = route.output
            output.open()
            opened.callback(_closed, output)
            if isinstance(output, VxlanOutput):
                check_vxlan(target, output, plan.inputs, plan.ring.snaplen)
        report = Lines(sys.stderr, 0.0, plan.as_json)
        tap = Tap(
            plan.inputs,
            plan.ring,
            self._judge,
            self._routes,
            say,
            lambda now: report.show(now, False),
        )
        print_diagnostics(offload_warnings(plan.inputs))
        self._serve(opened, tap)
        if plan.user is not None:
            from ztfast.live.rights import become, read_user

            become(read_user(plan.user))
        return tap

    def _serve(self, opened: contextlib.ExitStack, tap: Tap) -> None:
        """Metrics are served from before rights are given up."""
        if self._plan.metrics is None:
            return
        from ztfast.live.metrics import FileMetrics, ServedMetrics, read_address

        address = read_address(self._plan.metrics)
        if address is None:
            self._reporters.append(FileMetrics(self._plan.metrics))
            return
        served = ServedMetrics(address, tap.snapshot())
        opened.callback(served.end)
        self._reporters.append(served)

    def _show(self) -> None:
        """Lines for logs, or a screen for who watches."""
        plan = self._plan
        if plan.stats is not None:
            self._reporters.append(Lines(sys.stderr, plan.stats, plan.as_json))
        elif sys.stderr.isatty() and not plan.as_json:
            self._reporters.append(Screen(sys.stderr))

    def _finish(self, tap: Tap) -> int:
        """Close what was written, show everything a last time; the exit status."""
        failed = False
        for output in tap.outputs:
            failed |= not _closed(output)
        now = tap.snapshot()
        for reporter in self._reporters:
            try:
                reporter.show(now, True)
            except OutputError as error:
                print_diagnostics(error.diagnostics)
                failed = True
        network = _names(tap)
        stream = sys.stderr if self._plan.takes_stdout else sys.stdout
        print_summary(now, self._plan.as_json, stream, network)
        return 1 if failed or not now.adds_up else 0


def _names(tap: Tap) -> Callable[[int], str]:
    """What the member of an address is called."""
    network = tap.judge.engine.network
    return network.member_name if network is not None else "{:010x}".format


def say(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"ztfast: {harmless(text)}\n")
    sys.stderr.flush()


def _say_refused(error: Exception) -> None:
    if isinstance(error, ZtfastError):
        print_diagnostics(error.diagnostics)
    say(f"the old rules stay: what is there now cannot be used{_why(error)}")


def _why(error: Exception) -> str:
    return "" if isinstance(error, ZtfastError) else f" ({error})"


def _closed(output: Output) -> bool:
    """Finish an output: did it work?"""
    try:
        output.close()
    except OutputError as error:
        print_diagnostics(error.diagnostics)
        return False
    return True
