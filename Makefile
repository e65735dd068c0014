# make report: set up and run the main job. make test: set up and test.
PYTHON ?= python3
SCENARIO ?= 2024-baseline
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.PHONY: report test check python clean

report: .venv/use.stamp
	@$(BIN)/zjtx report $(SCENARIO)

test: .venv/dev.stamp
	@$(BIN)/python -X warn_default_encoding -m pytest -n 2 --dist loadfile

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "需要 Python 3.11 或更高版本：请安装后重试，或用 make PYTHON=路径 指定"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || \
	  { echo "缺少 venv 模块：Debian/Ubuntu 请先运行 apt-get install python3-venv"; exit 1; }

.venv/use.stamp: requirements.lock pyproject.toml | python
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/use.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

clean:
	rm -rf .venv build dist
