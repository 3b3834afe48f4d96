"""Rules of a git revision: `git:REVISION:PATH`.

Contract: `revised_source` gives the text, `load_revision` its policy.  git itself is asked (no
shell), the path is relative to the working directory, as for git with `./`; what git refuses is a
RulesError ZT292 with git's own words.
Tested by tests/lang/test_revisions.py.
"""

from __future__ import annotations

from ztfast.errors import Diagnostic, RulesError, Source, usage
from ztfast.lang.controller import load_source
from ztfast.lang.sources import MAX_BYTES
from ztfast.model.policy import Policy

SECONDS = 30


def is_revision(name: str) -> bool:
    """Is that a file of a git revision, not one of a folder?"""
    return name.startswith("git:")


def load_revision(name: str) -> Policy:
    """The policy in a file of a git revision; raises RulesError, UsageError."""
    return load_source(revised_source(name))


def revised_source(name: str) -> Source:
    """The text of a file of a git revision; raises RulesError, UsageError."""
    _, _, rest = name.partition(":")
    revision, colon, path = rest.partition(":")
    if not revision or not colon or not path or revision.startswith("-"):
        raise usage(f"{name!r:.80} is not git:REVISION:PATH", "as in git:HEAD~1:rules.ztrules")
    return Source(name, _text(name, revision, path))


def _text(name: str, revision: str, path: str) -> str:
    import subprocess  # start-up stays short

    where = path if path.startswith(("/", "./", "../")) else f"./{path}"
    try:
        done = subprocess.run(
            ["git", "cat-file", "blob", f"{revision}:{where}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _refused(name, f"git could not be run: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _refused(name, said[-1][:300] if said else "git refused")
    if len(done.stdout) > MAX_BYTES:
        raise _refused(name, f"more than {MAX_BYTES:,} bytes")
    try:
        return done.stdout.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RulesError(
            Diagnostic(
                "ZT050",
                "not UTF-8",
                path=name,
                offset=error.start,
                help="is it a rules file at all?",
            )
        ) from None


def _refused(name: str, why: str) -> RulesError:
    return RulesError(Diagnostic("ZT292", why, path=name, help="check with `git log -- PATH`"))
