# What a contributor runs; `make help` lists it.  Needs Python 3.10 or newer, a C compiler and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PY = $(BIN)/python
STAMP = $(VENV)/.installed
DEMO = build/demo
SEED ?= 1
COUNT ?= 2000
ROUNDS ?= 20000
SANITIZED_ROUNDS ?= 500
SECONDS ?= 60
KILLS ?= 50
SOURCES = pyproject.toml setup.py src/ztfast/_core.pyx src/ztfast/_tap.pyx $(wildcard src/ztfast/_core/*.pxi)

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint types differential fuzz sanitize soak kill bench bench-check bench-record docs test-all test-lowest package clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-13s %s\n", $$1, $$2 }'

$(STAMP): $(SOURCES)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "ztfast needs Python 3.10 or newer")'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --upgrade pip
	$(PY) -m pip install --quiet --editable '.[dev]'
	touch $@

venv: $(STAMP) ## make the environment: everything installed from this project's own files

demo: ## install into a new environment and run the main job on the bundled example
	test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install --quiet .
	$(DEMO)/bin/ztfast filter examples/office.ztrules examples/office.pcap --network examples/office.toml -w build/accepted.pcap

test: $(STAMP) ## run the whole test suite, long tests last; at the end what took long, and each folder
	$(PY) -m pytest --verbose --durations=15

lint: $(STAMP) ## ruff
	$(BIN)/ruff check src tests bench docs fuzz examples setup.py

types: $(STAMP) ## mypy and pyright, strict; the stub of the compiled loops against what was built
	$(BIN)/mypy
	$(BIN)/basedpyright --pythonpath $(PY) --warnings
	$(PY) -m mypy.stubtest ztfast._core ztfast._tap --allowlist .ci/stubtest.allow

bench-check: $(STAMP) ## count instructions of the compiled loops (valgrind): over +5 %, or clang over 1.2 times gcc, fails
	$(PY) -m bench.guard

bench-record: $(STAMP) ## keep the counts of `make bench-check` in bench/guard.json
	$(PY) -m bench.guard --record

docs: $(STAMP) ## build the documentation into build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --site-dir build/site

test-all: ## run the suite on every CPython from 3.10 up that this machine has (pyenv's too)
	.ci/test-all

test-lowest: $(STAMP) ## run the suite with the lowest versions of what is needed
	PYTHON=$(abspath $(shell command -v $(PYTHON))) .ci/test-lowest

package: $(STAMP) ## build the source archive and both wheels, check them, use each alone
	.ci/package

differential: $(STAMP) ## compare both evaluators on random cases: SEED=, COUNT=
	$(PY) -m tests.differential --seed $(SEED) --count $(COUNT)

fuzz: $(STAMP) ## every fuzz target: ROUNDS=, SEED=; guided by coverage where atheris is installed
	$(PY) -m fuzz all --rounds $(ROUNDS) --seed $(SEED)

sanitize: $(STAMP) ## tests and fuzz targets with ASan and UBSan in the compiled loops
	PYTHON=$(CURDIR)/$(PY) fuzz/sanitize.sh $(SANITIZED_ROUNDS)

soak: $(STAMP) ## feed a tap for a minute (SECONDS=) at half of the highest rate: none is lost, memory stays flat
	$(PY) -m tests.live.soak $(SECONDS)

kill: $(STAMP) ## end every writing mode with kill -9 at random moments, KILLS= (50) each: files are whole
	ZTFAST_KILLS=$(KILLS) $(PY) -m pytest tests/cli/test_cli_killed.py

bench: $(STAMP) ## measure everything; writes bench/RESULTS.md and bench/chart.svg
	mkdir -p bench/data
	$(PY) -m pytest bench -q -p no:cacheprovider --benchmark-json=bench/data/stages.json
	$(PY) -m bench.report

clean: ## remove what was built
	rm -rf build dist $(VENV) src/*.egg-info
