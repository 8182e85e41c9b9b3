# Two commands on a fresh machine with Python 3.11+, make and git: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check format bench clean
.DEFAULT_GOAL := test

.venv/.ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	$(BIN)/python -m compileall -q contextvqa_async
	touch $@

demo: .venv/.ready  ## the main job on the embedded simulator
	rm -rf demo && mkdir demo
	$(BIN)/cvqa-async examples/records.jsonl demo/out.jsonl --simulate
	@$(BIN)/python examples/show.py demo/out.jsonl

test: check  ## everything: style, types, tests
	$(BIN)/python -m pytest

check: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv demo build dist .mypy_cache .ruff_cache .pytest_cache
