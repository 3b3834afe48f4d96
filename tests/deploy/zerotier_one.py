"""A real `zerotier-one` of the test's own, with a home of its own, bound to the loopback alone."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ztfast.deploy.http import Api
from ztfast.deploy.target import Target
from ztfast.errors import ZtfastError

PROGRAM = shutil.which("zerotier-one", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
_PATIENCE = 30  # seconds that it may take to begin
_SETTINGS = {
    "bind": ["127.0.0.1"],  # so that it asks nobody outside
    "portMappingEnabled": False,
    "allowSecondaryPort": False,
    "allowTcpFallbackRelay": False,
    "softwareUpdate": "disable",
}


@contextmanager
def zerotier_one(home: Path) -> Iterator[tuple[str, str, str]]:
    """(URL, token, own address) of a service that ends with the context."""
    assert PROGRAM is not None
    (home / "local.conf").write_text(json.dumps({"settings": _SETTINGS}), encoding="utf-8")
    port = _free_port()
    with (home / "log").open("wb") as log:
        command = [PROGRAM, "-U", f"-p{port}", str(home)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            token, address = _begun(process, home, url)
            yield url, token, address
        finally:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


def _begun(process: subprocess.Popen[bytes], home: Path, url: str) -> tuple[str, str]:
    """(token, address) once it answers; raises where it ended, or does not for half a minute."""
    until, secret = time.monotonic() + _PATIENCE, home / "authtoken.secret"
    while time.monotonic() < until and process.poll() is None:
        if secret.exists() and (token := secret.read_text().strip()):
            try:
                status = Api(Target("controller", "0" * 16, url), token).get("/status")
            except ZtfastError:
                status = None
            if isinstance(status, dict) and status.get("address"):
                return token, str(status["address"])
        time.sleep(0.2)
    raise AssertionError(f"zerotier-one does not answer: {(home / 'log').read_text()}")
