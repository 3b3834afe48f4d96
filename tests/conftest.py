"""What holds for every test: Ctrl-C works, also where the suite was started in the background.

A shell that starts a job with `&` lets it ignore SIGINT, and so would every program that the
tests start and interrupt.
"""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
