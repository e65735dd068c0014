"""The house rules: imports point down, one room knows the solver, notebooks tell and do not compute."""

import ast
import inspect
import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pandas as pd
import papermill
import pytest

import zjtx_alloc as za
from zjtx_alloc.report import runs

PACKAGE = Path(za.__file__).parent
ROOT = PACKAGE.parent

# From the ground up; a module may import only those above it in this list.
STOREYS = [
    "resources", "messages", "errors", "files", "visible", "toml_files",
    "quota.whole", "quota.signposts", "quota.criteria", "quota.rows", "quota.methods", "quota.weights", "quota.floors", "quota.ladders", "quota.filling",
    "quota.within_quota", "quota.classical", "quota.priority", "quota.transfers", "quota.margins", "quota.problem", "quota.bound", "quota.exchange", "quota.market",
    "quota.exact", "quota.frontier", "quota.curves", "quota.model", "quota.minimax", "quota.certificates", "quota.limits", "quota.model_relax", "quota.conflicts",
    "quota.tie_rule", "quota.engines", "quota.many_costs", "quota.many_block", "quota.many_prices", "quota.many_moves", "quota.many_jit", "quota.many", "quota.model_regret",
    "quota.continuous", "quota.model_plan", "quota.best", "quota.whatif",
    "units", "policy", "bands",
    "composite.form", "composite.laws", "composite.steps",
    "intake.package", "intake.grid", "intake.cells", "intake.layout", "intake.rows", "intake.problems", "intake.sheets", "intake.reading", "intake.transfers",
    "panel", "scenario_uncertainty", "scenario_ranges", "scenario",
    "composite.scores",
    "scenario_mistakes", "scenario_files", "own_columns", "checking", "factors", "allocation", "explanation", "reasons", "indices",
    "budget.settlement", "budget.batches", "budget.books", "budget.accounts",
    "comparison", "horizon",
    "uncertainty.polytope", "uncertainty.admissible", "uncertainty.search", "uncertainty.ranges", "uncertainty.regret", "uncertainty.backtest", "uncertainty.draws",
    "uncertainty.workers", "uncertainty.distributions", "uncertainty.drivers", "uncertainty.sweeping",
    "budget.steps", "budget.actuals", "budget.deadlines", "budget.outcomes", "budget.lattice", "budget.distribution", "budget.forecast", "budget.ceilings",
    "budget.affordable", "budget.expected", "budget.plan",
    "firms.columns", "firms.cells", "firms.roll", "firms.reading", "firms.lists", "firms.forms", "firms.conditions", "firms.likeness", "firms.eligibility", "firms.rubric",
    "firms.selection", "firms.grants", "firms.changes", "firms.evaluation", "firms.closing", "firms.chain", "firms.made_up",
    "report.stamp", "report.fonts", "report.console", "report.supply", "report.notes", "report.tables", "report.comparison_tables", "report.data_tables", "report.allocation_tables", "report.budget_tables",
    "report.composite_tables", "report.quota_tables", "report.outlook_tables", "report.plan_tables", "report.figure_style", "report.figures",
    "report.horizon_tables", "report.backtest_tables", "report.uncertainty_tables", "report.sweep_tables", "report.figures_sweep", "report.figures_comparison", "report.figures_planning",
    "report.figures_budget", "report.figures_data", "report.manuscript", "report.workbook_graphs", "report.workbook", "report.report_workbook", "report.template", "report.live", "report.live_firms", "report.live_money", "report.live_years",
    "report.live_assumptions", "report.live_actuals", "report.budget_workbook", "report.kernel", "report.pages", "report.notebooks", "report.record_form", "report.records", "report.index",
    "report.budget_run", "report.compare_run", "report.runs", "report.firm_tables", "report.firm_template", "report.review_workbook", "report.official", "report.typesetting", "report.proposal_tables", "report.proposal_facts",
    "report.proposal", "report.unit_tables", "report.unit_sheets", "report.unit_pages", "report.plan_document", "report.verifying",
    "explorer.state", "explorer.drawings", "explorer.view", "explorer.widgets", "explorer.server",
    "cli_help", "cli", "__main__",
]  # fmt: skip
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
IN_REPORTS = (*runs.PAGES, *runs.STUDIES)  # as they are, before conftest makes reports brief


@cache
def modules():
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    }


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_has_its_storey():
    assert sorted(modules()) == sorted(STOREYS)


def test_imports_point_down():
    for name, tree in modules().items():
        below = STOREYS[: STOREYS.index(name)]
        for imported in imports(tree):
            if imported.startswith("zjtx_alloc."):
                inner = imported.removeprefix("zjtx_alloc.")
                assert any(inner == b or inner.startswith(f"{b}.") for b in [*below, "report"]), f"{name}: {imported}"


@pytest.mark.parametrize(
    ("library", "rooms"),
    [("pulp", r"quota\.model(_\w+)?"), ("highspy", r"quota\.model(_\w+)?"), ("xlsxwriter", "report.(workbook|template|firm_template|budget_workbook)"), ("docx", "report.official"), ("typst", "report.typesetting"), ("uharfbuzz", "report.pages"), ("ipywidgets", "explorer.widgets"), ("voila", "explorer.server"), ("stdnum", "firms.(cells|made_up)"), ("matplotlib", r"report\.figure(s|_style|s_\w+)"), ("distributed", r"uncertainty\.workers")],
)  # fmt: skip
def test_one_room_knows_the_library(library, rooms):
    users = [n for n, tree in modules().items() if any(i.split(".")[0] == library for i in imports(tree))]
    assert users
    assert [name for name in users if not re.fullmatch(rooms, name)] == []


def test_files_stay_short():
    for name, tree in modules().items():
        lines = max((node.end_lineno for node in ast.walk(tree) if hasattr(node, "end_lineno")), default=0)
        assert lines <= 320, name


def test_test_files_and_benchmarks_stay_short():
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("tests", "benchmarks")
        for path in (ROOT / folder).glob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > 320} == {}


def test_functions_stay_short():
    for name, tree in modules().items():
        for node in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            told = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
            first = node.body[min(told, len(node.body) - 1)]
            assert node.end_lineno - first.lineno < 40, f"{name}.{node.name}"


def test_public_names_are_documented():
    for name in za.__all__:
        thing = getattr(za, name)
        assert inspect.getdoc(thing), name
        if inspect.isfunction(thing):
            assert thing.__module__.split(".")[-1] != name, "nothing shadows a module"


def test_every_message_is_said_and_every_one_said_exists():
    templates = tomllib.loads((ROOT / "data" / "messages.zh.toml").read_text(encoding="utf-8"))
    known = {f"{section}.{name}" for section, table in templates.items() for name in table}
    nodes = [node for tree in modules().values() for node in ast.walk(tree)]
    calls = [
        n.args[0] for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "say"
    ]
    assert {key.value for key in calls if isinstance(key, ast.Constant)} <= known
    literals = {node.value for node in nodes if isinstance(node, ast.Constant)}
    heads = [key.values[0] for key in calls if isinstance(key, ast.JoinedStr)]
    built = {head.value.split(".")[0] for head in heads if isinstance(head, ast.Constant)}
    assert {key for key in known - literals if key.split(".")[0] not in built | {"header", "words"}} == set()
    assert {key.removeprefix("header.") for key in known if key.startswith("header.")} <= literals


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stripped_and_thin(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    parameters = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert len(parameters) == 1
    for node in ast.parse("".join(parameters[0]["source"])).body:
        assert isinstance(node, ast.Assign)
        ast.literal_eval(node.value)
    for source in code:
        assert not any(isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda) for n in ast.walk(ast.parse(source)))


def test_pages_of_a_report_are_shipped_for_the_baseline():
    """So what test_report and test_studies run is what a reader runs first."""
    for name in IN_REPORTS:
        told = papermill.inspect_notebook(str(ROOT / "notebooks" / f"{name}.ipynb"))
        first = {
            key: ast.literal_eval(told[key]["default"]) for key in told if key in ("scenario", "scenarios", "data")
        }
        assert first in ({"scenario": "2024-baseline", "data": ""}, {"scenarios": ["2024-baseline"], "data": ""}), name


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=pytest.mark.slow if p.stem in IN_REPORTS else ()) for p in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def test_a_notebook_runs_as_it_is_shipped(path, tmp_path):
    papermill.execute_notebook(
        str(path), str(tmp_path / path.name), progress_bar=False,
        kernel_manager_class="zjtx_alloc.report.kernel.OwnKernelManager",
    )  # fmt: skip


def test_tiles_show_every_unit_once_and_the_three_that_take_no_part():
    tiles = pd.read_csv(ROOT / "data" / "tiles.csv", dtype=str, encoding="utf-8")
    units = pd.read_csv(ROOT / "data" / "units.csv", dtype=str, encoding="utf-8")
    assert sorted(tiles["code"]) == sorted([*units["code"], "710000", "810000", "820000"])
    assert not tiles.duplicated(["row", "column"]).any()
    named = tiles.merge(units, on="code")
    assert (named["name_x"] == named["short_name"]).all()


def test_locks_name_no_address_of_an_index():
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"://|--index|--find-links", lock.read_text(encoding="utf-8")), lock.name
