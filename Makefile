# Two commands set everything up on a fresh machine: `make demo` and `make test`.
# Needed beforehand: Python 3.11 or later, a C++ compiler, make, perl.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help venv demo test slow icarus oracle lint types clean

help:
	@echo "make demo   train, generate, verify, place and route, and write build/demo/report.html"
	@echo "make test   the whole test suite"
	@echo "make slow   the tests marked slow: place-and-route sweeps and the whole demo"
	@echo "make icarus the tests that need Icarus Verilog, from your system's packages"
	@echo "make oracle the tests against packages that are too heavy for every day"
	@echo "make lint   ruff and mypy"
	@echo "make venv   only set up $(VENV)"

venv: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "python must be 3.11 or later, not $$($(PYTHON) --version) (set PYTHON=...)"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

demo: venv
	$(BIN)/rchw demo -o build/demo

test: venv
	$(BIN)/python -m pytest -q -n auto --dist loadfile

slow: venv
	$(BIN)/python -m pytest -q -m slow

icarus: venv
	$(BIN)/python -m pytest -q -m icarus

oracle: venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[oracles]'
	$(BIN)/python -m benchmarks.oracle

lint types: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
