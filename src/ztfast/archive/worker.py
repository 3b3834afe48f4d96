"""`python -m ztfast.archive.worker`: a process that does what `archive.local` gives it.

Contract: pickles on standard input (the work, then segments) and an outcome for each on what was
standard output; ends where standard input does.  Ctrl-C is the parent's to see.
Tested by tests/archive/test_local.py.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys

from ztfast.archive.work import Work, attempted


def main() -> None:
    """Serve until nothing more is asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anybody prints is no answer
    questions = sys.stdin.buffer
    work = pickle.load(questions)
    assert isinstance(work, Work)
    while True:
        try:
            segment = pickle.load(questions)
        except EOFError:
            return
        pickle.dump(attempted(work, segment), answers)
        answers.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # the parent is gone
        sys.exit(1)
