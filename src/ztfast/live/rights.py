"""Giving up rights once everything is open: another user, and of root's powers CAP_NET_RAW alone.

Contract: Linux, as root.  `read_user` raises UsageError for nobody known; `become` for what the
kernel refuses.  CAP_NET_RAW stays so that an interface that vanished can be opened again.
Tested by tests/live/test_rights.py.
"""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import struct
from typing import NamedTuple

from ztfast.errors import usage

_CAP_NET_RAW = 1 << 13  # linux/capability.h
_VERSION_3 = 0x2008_0522
_KEEP_CAPABILITIES, _NO_NEW_PRIVILEGES = 8, 38  # linux/prctl.h


class User(NamedTuple):
    """Who to become."""

    name: str
    uid: int
    gid: int


def read_user(text: str) -> User:
    """A user out of NAME or NAME:GROUP."""
    name, colon, group = text.partition(":")
    try:
        entry = pwd.getpwnam(name)
        gid = grp.getgrnam(group).gr_gid if colon else entry.pw_gid
    except KeyError:
        raise usage(f"--user {text[:60]!r} is nobody here", "write NAME or NAME:GROUP") from None
    return User(name, entry.pw_uid, gid)


def become(user: User) -> None:
    """Be that user from now on, with CAP_NET_RAW alone."""
    library = ctypes.CDLL(None, use_errno=True)
    try:
        _call(library.prctl(_KEEP_CAPABILITIES, 1, 0, 0, 0))
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
        wanted = 0 if user.uid == 0 else _CAP_NET_RAW
        if wanted:
            head = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
            low = struct.pack("=III", wanted, wanted, 0)
            _call(library.capset(head, ctypes.create_string_buffer(low + bytes(12))))
        _call(library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise usage(f"--user {user.name}: {why}", "start as root, or leave --user out") from None


def _call(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
