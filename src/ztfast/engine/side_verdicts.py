"""Verdicts: what one side, or both, say of each frame of a batch, as columns.

Contract: every column has one item a frame.  `SideVerdicts` is what an evaluator gives
for one direction; `Verdicts` (engine/engine.py makes it) joins both sides.
Columns that need more than the evaluator's own results are made when first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# name -> (dtype, meaning)
SIDE_COLUMNS: dict[str, tuple[str, str]] = {
    "result": ("u1", "model.result.Result of the base rules"),
    "accept": ("u1", "0 not delivered here (dropped or redirected), 1 accepted, 2 super-accepted"),
    "accepted": ("?", "this side lets the frame (or its redirected self) pass"),
    "capability": ("i2", "index in the view of the capability that accepted, -1 none"),
    "entry": (
        "i4",
        "index of the deciding entry in the base rules or, where capability >= 0, in "
        "that capability; -1 where no entry decided",
    ),
    "destination": ("u8", "ZeroTier address the frame goes to, after redirects"),
    "copy_entry": ("i4", "base entry whose copy is sent, -1 none (set only where accepted)"),
    "copy_target": ("u8", "address of the base rules' copy, 0 none"),
    "copy_length": ("u4", "payload bytes that the base rules' copy holds"),
    "copy_watch": ("?", "the base rules' copy is a watch"),
    "capability_copy_entry": (
        "i4",
        "entry of the accepting capability whose copy is sent, -1 none",
    ),
    "capability_copy_target": ("u8", "address of the capability's copy, 0 none"),
    "capability_copy_length": ("u4", "payload bytes that the capability's copy holds"),
    "capability_copy_watch": ("?", "the capability's copy is a watch"),
    "qos": ("u1", "QoS bucket: 0 out and 255 in unless a PRIORITY set one"),
    "reads": ("u2", "model.reads.Reads bits that the verdict read without their being known"),
}
_DTYPES = {name: np.dtype(dtype) for name, (dtype, _) in SIDE_COLUMNS.items()}
_NONE = frozenset(("capability", "entry", "copy_entry", "capability_copy_entry"))  # of these, −1

# frames of a batch and, by name, columns with an item for each of them
Patch = tuple[npt.NDArray[np.intp], Mapping[str, npt.NDArray[Any]]]


class SideVerdicts:
    """One direction's verdicts: the columns of `SIDE_COLUMNS`, as attributes.

    `columns` holds those already made; `derive` makes another by name when asked.
    """

    def __init__(
        self,
        direction: str,
        columns: Mapping[str, npt.NDArray[Any]],
        derive: Callable[[str], npt.NDArray[Any]] | None = None,
        noteworthy: bool = True,
        sends: bool = True,
        raw: tuple[npt.NDArray[Any], ...] | None = None,
        redirects: bool = True,
    ) -> None:
        self.direction = direction
        # False where `reads` is known to be zero, where no rule sends a copy or redirects, and
        # where none redirects.
        self.noteworthy, self.sends, self.redirects = noteworthy, sends, redirects
        # The loops' own results: deciding entry counted over all rule sets, code, and each rule
        # set's first number; None for the reference.
        self.raw = raw
        # the sender's verdicts that these are a copy of, where both sides judge alike
        self.mirrors: SideVerdicts | None = None
        self._columns = dict(columns)
        self._derive = derive

    def __len__(self) -> int:
        return len(self.entry)

    def __getattr__(self, name: str) -> npt.NDArray[Any]:
        if name not in SIDE_COLUMNS:
            raise AttributeError(name)
        if name not in self._columns:
            if self._derive is None:
                raise AttributeError(name)
            made, dtype = self._derive(name), _DTYPES[name]
            self._columns[name] = made if made.dtype == dtype else made.astype(dtype)
        return self._columns[name]

    def mirrored(self) -> SideVerdicts:
        """The receiver's verdicts where they are the sender's own: all but the first QoS."""

        def derive(name: str) -> npt.NDArray[Any]:
            if name == "qos":
                return np.full(len(self), 255, dtype=np.uint8)
            column: npt.NDArray[Any] = getattr(self, name)
            return column

        mirror = SideVerdicts(
            "in",
            {},
            derive,
            self.noteworthy,
            self.sends,
            self.raw,
            self.redirects,
        )
        mirror.mirrors = self
        return mirror

    def patched(self, patches: Sequence[Patch], noteworthy: bool) -> SideVerdicts:
        """These verdicts but for some frames: each patch says which, and columns of theirs."""

        def derive(name: str) -> npt.NDArray[Any]:
            column = np.array(getattr(self, name))
            for index, columns in patches:
                if name in columns:
                    column[index] = columns[name]
            return column

        return SideVerdicts(
            self.direction,
            {"entry": derive("entry")},
            derive,
            noteworthy,
            self.sends,
            redirects=self.redirects,
        )

    @property
    def uncertain(self) -> npt.NDArray[np.bool_]:
        """True where the verdict read a byte that existed but was not captured."""
        found: npt.NDArray[np.bool_] = (self.reads & 0x1FFF) != 0
        return found


def nothing_decided(direction: str, count: int) -> dict[str, npt.NDArray[Any]]:
    """The columns of frames that no rule was asked about on this side: not accepted, by nobody."""
    columns = {
        name: np.full(count, -1 if name in _NONE else 0, dtype) for name, dtype in _DTYPES.items()
    }
    columns["qos"][:] = 255 if direction == "in" else 0
    return columns
