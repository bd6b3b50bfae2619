# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint bench notebooks clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

demo: .venv/lab.done ## set up, and see %%jan stream from the bundled model
	@$(BIN)/python tools/demo.py

test: .venv/test.done .venv-ipykernel6/done ## set up, and run the quick tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not slow"

test-slow: .venv/test.done ## the tests that take minutes
	$(BIN)/pytest -m slow

lint: .venv/test.done ## check and format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

bench: .venv/test.done ## measure; prints ratios against a named peer
	$(BIN)/python -m benchmarks

notebooks: .venv/test.done ## run the notebooks and save their outputs
	$(BIN)/python tools/notebooks.py

clean: ## remove what was set up
	rm -rf .venv .venv-ipykernel6

.venv/uv.done:
	@echo "Setting up Python packages in .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

.venv/lab.done: .venv/uv.done pyproject.toml constraints.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --only-binary :all: --no-binary jan-jupyter -c constraints.txt -e '.[lab]'
	@touch $@

.venv/test.done: .venv/uv.done pyproject.toml constraints.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[test]'
	@touch $@

# The oldest kernel that is supported, beside the newest.
.venv-ipykernel6/done: .venv/uv.done pyproject.toml
	@$(PYTHON) -m venv .venv-ipykernel6
	@$(BIN)/uv pip install --quiet --python .venv-ipykernel6/bin/python -e '.[nest-asyncio]' 'ipykernel==6.31.*' ipywidgets
	@touch $@
