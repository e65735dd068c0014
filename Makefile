# make report: set up and run the main job. make test: set up and test; make test-full: test thoroughly.
# make explore: try a scenario in the browser. make lab: the notebooks in JupyterLab.
# make nowcast: data/nowcast.csv again, after a change of data/observations.csv, data/facts.csv or data/nowcast.toml.
# make docs: the site of the documents, with the reference of the Python names, in build/site.
# make gallery: all that people will see, as PNG in reports/gallery, and docs/pictures (needs Chromium, LibreOffice, poppler).
PYTHON ?= python3
SCENARIO ?= 2024-baseline
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.PHONY: report explore lab test test-full check docs nowcast gallery python clean

report: .venv/use.stamp
	@$(BIN)/zjtx report $(SCENARIO)

explore: .venv/use.stamp
	@$(BIN)/zjtx explore $(SCENARIO)

# Nothing is asked of another host.
lab: export JUPYTER_CONFIG_PATH := $(CURDIR)/data/jupyter
lab: .venv/web.stamp
	@$(BIN)/jupyter lab --ip=127.0.0.1 --LabApp.news_url= \
	  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate notebooks/explorer.ipynb

test: .venv/dev.stamp
	@$(BIN)/python -X warn_default_encoding -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# All but the tests marked slow, and every example of the laws.
test-full: .venv/dev.stamp
	@$(BIN)/python -X warn_default_encoding -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" --hypothesis-profile full

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

docs: .venv/docs.stamp
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env --write-all -c docs -d build/doctrees . build/site
	@echo build/site/index.html

nowcast: .venv/use.stamp
	@$(BIN)/python -c 'from zjtx_alloc.facts.nowcast import shipped_nowcasts as made; \
	  made().to_csv("data/nowcast.csv", index=False, encoding="utf-8", lineterminator="\n")'

gallery: .venv/dev.stamp
	@$(BIN)/python docs/gallery.py

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "需要 Python 3.11 或更高版本：请安装后重试，或用 make PYTHON=路径 指定"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || \
	  { echo "缺少 venv 模块：Debian/Ubuntu 请先运行 apt-get install python3-venv"; exit 1; }

.venv/use.stamp: requirements.lock requirements-build.lock pyproject.toml | python
	@echo "正在准备环境（首次约需几分钟）……"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/web.stamp: requirements-web.lock .venv/use.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-web.lock
	@touch $@

.venv/docs.stamp: requirements-docs.lock .venv/use.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/use.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

clean:
	rm -rf .venv build dist
