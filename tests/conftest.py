"""Shared fixtures: the shipped panel and baseline, and writers of small files."""

import csv
import os
import shutil
import subprocess
from dataclasses import replace
from importlib.util import find_spec

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from support.firm_tables import RUBRIC
from support.workbooks import unsolved

import zjtx_alloc as za
from zjtx_alloc.facts.panel import FACT_COLUMNS

# The same examples on every run: a red test must be red again tomorrow. `--hypothesis-profile full` tries all of them.
settings.register_profile(
    "full", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("full"), max_examples=25)
settings.load_profile("quick")


def _lacking(marker):
    """What a marked test would need and this machine has not; blank if nothing."""
    programs = {"needs_office": ("soffice", "libreoffice-calc"), "needs_poppler": ("pdftotext", "poppler-utils")}
    if marker in programs:
        program, package = programs[marker]
        return "" if shutil.which(program) else f"{program} was not found: apt-get install {package}"
    absent = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (extra browser)"
    return "" if shutil.which("chromium") else "chromium was not found: apt-get install chromium"


def pytest_runtest_setup(item):
    for marker in ("needs_office", "needs_poppler", "needs_browser"):
        if item.get_closest_marker(marker) and (reason := _lacking(marker)):
            pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Under ZJTX_NO_SKIP=1 a test that is skipped fails."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("ZJTX_NO_SKIP") == "1":
        report.outcome, report.longrepr = "failed", f"skipped although ZJTX_NO_SKIP=1: {call.excinfo.value}"
    return report


@pytest.fixture(scope="module")
def plain_pages():
    """Reports without their notebooks, which other tests run: commands, tables, workbooks and documents stay."""

    def write(path, *_):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.stem, encoding="utf-8")
        return path

    from zjtx_alloc.report.runs import kernel, notebooks  # noqa: PLC0415 - a second that most tests need not pay

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebooks, "write_page", write)
        patch.setattr(kernel, "begin_kernels", lambda _number: None)
        yield


@pytest.fixture(scope="session")
def recalculated(tmp_path_factory):
    """Have LibreOffice recalculate workbooks, all in one start; returns their new paths, as they were given."""

    home = tmp_path_factory.mktemp("office")  # one for all: the first start fills it

    def recalculate(*paths):
        out = tmp_path_factory.mktemp("recalculated")
        bare = tmp_path_factory.mktemp("unsolved")  # it would keep the results that are there
        command = ["soffice", f"-env:UserInstallation={home.as_uri()}", "--headless", "--convert-to", "xlsx"]
        copies = [str(unsolved(path, bare / path.name)) for path in paths]
        subprocess.run([*command, "--outdir", str(out), *copies], check=True, capture_output=True, timeout=600)
        return [out / path.name for path in paths]

    return recalculate


@pytest.fixture(scope="session")
def panel():
    """The panel of the shipped facts."""
    return za.load_panel()


@pytest.fixture(scope="session")
def baseline():
    """The shipped scenario of batch 1."""
    return za.load_scenario("2024-baseline")


@pytest.fixture(scope="session")
def stand_ins():
    """The shipped scenario of batch 1 on the stand-ins of 2020 and 2021: two stand-ins, provinces' figures split."""
    return za.load_scenario("2024-old-stand-ins")


@pytest.fixture(scope="session")
def allocation(panel, baseline):
    """Batch 1, allocated."""
    return za.allocate(panel, baseline)


@pytest.fixture(scope="session")
def results(panel, baseline):
    """All that reports compute of batch 1, for tests that only look: each thing is computed by the first that asks."""
    return za.Results(panel, baseline)


@pytest.fixture(scope="session")
def second(panel):
    """The same of batch 2."""
    return za.Results(panel, za.load_scenario("2025-baseline"))


@pytest.fixture(scope="session")
def manuscript(results):
    """The proposal of batch 1."""
    from zjtx_alloc.report.documents.proposal import proposal  # noqa: PLC0415 - most tests need no report

    return proposal(results)


@pytest.fixture(scope="session")
def award():
    """The award of the notice."""
    return za.load_award("caijian-2024-148")


@pytest.fixture
def write_scenario(tmp_path):
    """Write a scenario file into the test's own folder; returns its path."""

    def write(text, name="trial.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_facts(tmp_path):
    """Write facts, a tuple (unit, scope, indicator, period, value, measure) each; returns the path."""

    def write(*facts, name="facts.csv"):
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, FACT_COLUMNS, restval="")
            table.writeheader()
            keys = ("unit", "scope", "indicator", "period", "value", "measure")
            for fact in facts:
                table.writerow({"source": "nbs-gdp"} | dict(zip(keys, fact, strict=True)))
        return path

    return write


@pytest.fixture
def rubric(tmp_path):
    """The small rubric of firm_tables."""
    path = tmp_path / "标准.toml"
    path.write_text(RUBRIC, encoding="utf-8")
    return za.firms.load_rubric(path)


@pytest.fixture(scope="session")
def toy_panel(panel):
    """Build a panel of a few units from lists of numbers by indicator, all of period 2020."""

    def build(**columns):
        codes = list(panel.units.index[: len(next(iter(columns.values())))])
        cells = [
            (name, "2020", c, float(v)) for name, values in columns.items() for c, v in zip(codes, values, strict=True)
        ]
        frame = pd.DataFrame(cells, columns=["indicator", "period", "code", "value"]).assign(estimated=False)
        return replace(
            panel, units=panel.units.loc[codes], cells=frame.set_index(["indicator", "period", "code"]).sort_index()
        )

    return build


@pytest.fixture
def small_panel(toy_panel):
    """Six units with two indicators."""
    return toy_panel(gdp=[31, 7, 17, 3, 11, 5], population=[4, 19, 6, 23, 2, 12])
