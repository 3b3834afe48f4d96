"""Builds the compiled loops: `_core.pyx`, its parts in `_core/`, once for each instruction level;
on Linux also `_tap.pyx`, the loops of the live tap.

Contract: pyproject.toml has the rest; tests/packaging and .ci/package check what comes out.

ZTFAST_NO_EXTENSIONS=1 makes the pure-Python package; so does pre-commit, whose hooks judge no
captures worth minutes of a compiler.
"""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent
PACKAGE = HERE / "src" / "ztfast"
# level -> compiler flags; the baseline is what every machine of the architecture has
LEVELS = {
    "": [],
    "_avx2": ["-march=x86-64-v3"],
    "_avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
WAY_OUT = """
ztfast: the compiled extension could not be built: {error}
Install a C compiler and the Python headers (Debian: apt install gcc python3-dev), or
install the pure-Python package, slower but with the same verdicts:
    ZTFAST_NO_EXTENSIONS=1 pip install .
"""


class BuildExtensions(build_ext):
    """build_ext whose failure names the way out."""

    def run(self) -> None:
        """Build all levels, or exit with what to do."""
        try:
            super().run()
        except Exception as error:
            raise SystemExit(WAY_OUT.format(error=error)) from error


def levels() -> dict[str, list[str]]:
    """The instruction levels to build: more than one only for x86-64 with gcc or clang."""
    x86 = platform.machine().lower() in ("x86_64", "amd64") and sys.maxsize > 2**32
    if not x86 or sys.platform == "win32" or os.environ.get("ZTFAST_BASELINE_ONLY"):
        return {"": []}
    return LEVELS


def module_source(suffix: str) -> str:
    """The .pyx of a level: `_core.pyx` itself, or a copy under the level's module name."""
    if not suffix:
        return "src/ztfast/_core.pyx"
    copy = HERE / "build" / "levels" / f"_core{suffix}.pyx"
    copy.parent.mkdir(parents=True, exist_ok=True)
    text = (PACKAGE / "_core.pyx").read_text(encoding="utf-8")
    if not copy.exists() or copy.read_text(encoding="utf-8") != text:
        copy.write_text(text, encoding="utf-8")
    return os.path.relpath(copy, HERE)


def extensions() -> list[Extension]:
    """The Cython extensions, one a level."""
    if "1" in (os.environ.get("ZTFAST_NO_EXTENSIONS"), os.environ.get("PRE_COMMIT")):
        return []
    from Cython.Build import cythonize

    msvc = sysconfig.get_platform().startswith("win")
    base = ["/O2"] if msvc else ["-O3", "-g0", "-fno-strict-aliasing", "-fwrapv"]
    extra = os.environ.get("ZTFAST_CFLAGS", "").split()
    modules = [
        Extension(
            f"ztfast._core{suffix}",
            [module_source(suffix)],
            extra_compile_args=base + flags + extra,
            extra_link_args=[flag for flag in extra if flag.startswith("-fsanitize")],
        )
        for suffix, flags in levels().items()
    ]
    if sys.platform.startswith("linux"):  # what the others lack, `ztfast.live.loops` does without
        modules.append(
            Extension(
                "ztfast._tap",
                ["src/ztfast/_tap.pyx"],
                extra_compile_args=base + extra,
                extra_link_args=[flag for flag in extra if flag.startswith("-fsanitize")],
            )
        )
    return cythonize(
        modules,
        compiler_directives={"language_level": "3", "freethreading_compatible": True},
        build_dir="build/cython",
        include_path=["src/ztfast"],  # a level's copy lies elsewhere than the parts
        annotate=bool(os.environ.get("ZTFAST_ANNOTATE")),
    )


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExtensions})
