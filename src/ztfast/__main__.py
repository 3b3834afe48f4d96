"""`python -m ztfast` is `ztfast`."""

from ztfast.cli import main

main()
