"""`ztfast` as a process of its own, which a keystroke ends.

Contract: `answer` runs a command on a text (its standard input) and gives what it printed, parsed
as JSON, None where it printed none; cancelled, it ends the process.  No module of the folder that
the editor is in is imported, and no settings of it are taken.  Tested by tests/lsp/test_proofs.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import Any

# The folder that `-c` puts in front may hold anything: also a stranger's module of a known name.
_PROGRAM = "import sys; sys.path[:] = filter(None, sys.path); from ztfast.cli import main; main()"


async def answer(text: str, *words: str) -> Any:
    """What `ztfast WORDS` says of a text."""
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM, *words),
        stdin=pipe,
        stdout=pipe,
        stderr=nowhere,
        env={**os.environ, "ZTFAST_CONFIG": ""},
    )
    try:
        output, _ = await process.communicate(text.encode("utf-8", "replace"))
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    try:
        return json.loads(output)
    except ValueError:
        return None
