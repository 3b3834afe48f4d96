"""What holds for every test: programs that tests start can be interrupted.

A shell that starts a job with `&` lets it ignore SIGINT, nohup lets it ignore SIGHUP, and so would
every program that the tests start.
"""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # the suite itself still outlives its terminal; what it starts has the default again
    signal.signal(signal.SIGHUP, lambda number, stack: None)
