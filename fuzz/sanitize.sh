#!/usr/bin/env bash
# The compiled loops with AddressSanitizer and UndefinedBehaviorSanitizer: tests, then fuzzers.
#
#   fuzz/sanitize.sh [ROUNDS] [PYTEST ARGUMENTS]
#
# A copy in build/sanitize is built, so that the normal extension stays as it is.  Any report
# ends the run: UBSan does not recover, and ASan aborts.  Leaks are not looked for: CPython
# itself keeps what it allocated.  Needs gcc with libasan and libubsan.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-2000}
shift || true
python=${PYTHON:-$PWD/.venv/bin/python}
compiler=${CC:-gcc}
copy=$PWD/build/sanitize
flags="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"

asan=$("$compiler" -print-file-name=libasan.so)
ubsan=$("$compiler" -print-file-name=libubsan.so)
for library in "$asan" "$ubsan"; do
  if [ "${library#/}" = "$library" ]; then
    echo "sanitize: $compiler has no $library; install the sanitizers' libraries (Debian: libasan8 libubsan1)" >&2
    exit 1
  fi
done

echo "== build"
rm -rf "$copy/src" "$copy/tests" "$copy/fuzz"
mkdir -p "$copy"
cp -r src tests fuzz examples docs setup.py pyproject.toml LICENSE README.md ARCHITECTURE.md "$copy/"
cd "$copy"
rm -f src/ztfast/*.so
if ! ZTFAST_BASELINE_ONLY=1 ZTFAST_CFLAGS=$flags CC=$compiler "$python" setup.py -q build_ext --inplace >build.log 2>&1; then
  tail -20 build.log >&2
  exit 1
fi

# `src` of the copy comes before the one that the environment was installed from.
cat >run.py <<'PY'
import os
import runpy
import sys

sys.path[:0] = [os.path.abspath("src"), os.path.abspath(".")]
from ztfast import dispatch

here = os.path.abspath("src")
assert dispatch.core is not None and dispatch.core.__file__.startswith(here), dispatch.core
assert "libasan" in open("/proc/self/maps").read(), "the sanitizer is not loaded"
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
PY
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export PYTHONPATH=src:.
checked() { LD_PRELOAD="$asan $ubsan" "$python" run.py "$@"; }

echo "== tests"
if [ $# -gt 0 ]; then
  checked pytest -q -p no:cacheprovider "$@"
else
  checked pytest -q -p no:cacheprovider tests/program tests/engine tests/frames tests/capture \
    tests/differential tests/sinks/test_csv.py tests/sinks/test_text_columns.py \
    tests/sinks/test_pcapng.py tests/sinks/test_copy_ranges.py tests/pipeline/test_followed.py \
    tests/live/test_loops.py tests/live/test_plain_turns.py tests/live/test_plain_ways.py --durations 5
fi

echo "== fuzzers, $rounds rounds each"
# `malloc` rather than CPython's own arenas: ASan then sees each small buffer's end (and is slower)
export PYTHONMALLOC=malloc
checked fuzz all --rounds "$rounds" --driver plain
echo "== no report from the sanitizers"
