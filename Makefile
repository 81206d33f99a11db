# Every word sets up what it needs. ARGS goes to the command:  make run ARGS="--workers 4"
SETUP = @sh tools/python -m tools.setup
PYTHON_VENV = .venv/bin/python

.PHONY: run setup test chaos style format types bench lock clean

run:
	$(SETUP) run
	@exec $(PYTHON_VENV) cluster.py $(ARGS)

setup:
	$(SETUP) run
	@echo "setup: done.  make run"

test:
	$(SETUP) test
	@. .venv/test.env && exec $(PYTHON_VENV) -m pytest $(ARGS)

# make chaos MINUTES=60 SEED=7 ARGS="--fault kill_worker"
chaos:
	$(SETUP) test
	@. .venv/test.env && exec $(PYTHON_VENV) -m tests.chaos --minutes $(or $(MINUTES),10) \
	  $(if $(SEED),--seed $(SEED)) $(ARGS)

style:
	$(SETUP) tools
	@$(PYTHON_VENV) -m ruff format --check . && $(PYTHON_VENV) -m ruff check .

format:
	$(SETUP) tools
	@$(PYTHON_VENV) -m ruff check --fix . ; $(PYTHON_VENV) -m ruff format .

types:
	$(SETUP) tools
	@$(PYTHON_VENV) -m mypy $(ARGS)

bench:
	$(SETUP) test
	@. .venv/test.env && exec $(PYTHON_VENV) -m bench $(ARGS)

lock:
	$(SETUP) tools
	@$(PYTHON_VENV) -m pip install --quiet uv && $(PYTHON_VENV) -m tools.lock

clean:
	rm -rf .venv build dist *.egg-info static/vendor tests/js/node_modules
