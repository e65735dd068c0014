"""The rules of the house: imports point down, one module knows a library, notebooks show and do not compute."""

import ast
import inspect
import json
import re
import subprocess
import sys
import tomllib
from functools import cache, partial
from pathlib import Path

import pandas as pd
import papermill
import pytest
from nbclient.exceptions import CellTimeoutError

import zjtx_alloc as za
from zjtx_alloc.report.allocation_view import VIEWS
from zjtx_alloc.report.runs.run import PAGES
from zjtx_alloc.report.table import FORMATS

PACKAGE = Path(za.__file__).parent
ROOT = PACKAGE.parent

# From the ground up; a module imports from its own folder and from those before it in this list.
FOLDERS = (
    "base",
    "facts.evidence", "facts.xlsx", "facts",
    "quota.problem", "quota.nested", "quota.crossing", "quota", "quota.many",
    "apportionment",
    "rules", "rules.programme",
    "allocation",
    "uncertainty",
    "budget.ledger", "budget",
    "firms.table", "firms.steps", "firms",
    "report", "report.notes", "report.writers", "report.tables", "report.budget_xlsx", "report.report_xlsx", "report.figures", "report.documents", "report.firm_documents", "report.runs",
    "explorer",
    "cli",
    "",
)  # fmt: skip
MOST_MODULES = 15  # of a folder
MOST_LINES = 60  # of a function, without its docstring
# Public functions that stand in a module of another word, and why.
ELSEWHERE = {
    "decisions": "allocate: what an allocation decided in consultation moved",
    "quota_problem": "allocate: its first half",
    "paradoxes": "fairness: asked of the same allocations",
    "tails": "cohorts: an older round's",
    "power_mean": "signposts: a family of them",
    "stationary": "signposts: a family of them",
}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@cache
def modules():
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    }


@cache
def imports(tree):
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def folder_of(name):
    return name.rpartition(".")[0]


def test_every_folder_has_its_place_and_is_not_crowded():
    folders = [folder_of(name) for name in modules()]
    assert sorted(set(folders)) == sorted(FOLDERS)
    assert {folder: n for folder in FOLDERS if (n := folders.count(folder)) > MOST_MODULES} == {}


def test_imports_point_down():
    names = modules()
    for name, tree in names.items():
        allowed = FOLDERS[: FOLDERS.index(folder_of(name)) + 1]
        for imported in imports(tree):
            if imported.startswith("zjtx_alloc."):
                inner = imported.removeprefix("zjtx_alloc.")
                module = inner if inner in names else folder_of(inner)
                assert module not in names or folder_of(module) in allowed, f"{name}: {imported}"


def test_a_public_function_is_found_in_one_guess():
    for name in za.__all__:
        thing = getattr(za, name)
        if inspect.isfunction(thing) and name not in ELSEWHERE:
            module = thing.__module__.rpartition(".")[2].split("_")
            alike = [word for word in name.split("_") for m in module if m[:5] in word or word[:5] in m]
            assert alike, f"{name} stands in {thing.__module__}"


@pytest.mark.parametrize(
    ("library", "modules_of_it"),
    [("pulp", r"quota\.crossing\.model(_\w+)?"), ("highspy", r"quota\.(crossing\.model(_\w+)?|nested\.least_squares)"), ("xlsxwriter", r"report\.writers\.xlsx"), ("lxml", r"report\.writers\.user_(copy|sheet)"), ("docx", r"report\.writers\.docx"), ("typst", r"report\.writers\.pdf"), ("uharfbuzz", r"report\.writers\.html"), ("tornado", r"explorer\.server"), ("stdnum", r"(facts\.credit_codes|firms\.made_up)"), ("matplotlib", r"report\.figures\.\w+"), ("distributed", r"uncertainty\.workers")],
)  # fmt: skip
def test_one_module_knows_the_library(library, modules_of_it):
    users = [n for n, tree in modules().items() if any(i.split(".")[0] == library for i in imports(tree))]
    assert users
    assert [name for name in users if not re.fullmatch(modules_of_it, name)] == []


def test_only_rules_know_where_a_scenario_lies():
    """Previous batches and companions are read there; whoever computes is handed them."""
    private = {n for n, tree in modules().items() for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "_folder"}  # fmt: skip
    assert private
    assert {folder_of(name) for name in private} == {"rules"}


def test_functions_stay_short():
    for name, tree in modules().items():
        for node in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            told = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
            first = node.body[min(told, len(node.body) - 1)]
            assert node.end_lineno - first.lineno < MOST_LINES, f"{name}.{node.name}"


def test_public_names_are_documented():
    for name in za.__all__:
        thing = getattr(za, name)
        assert inspect.getdoc(thing), name


def test_public_names_are_imported_on_first_use():
    """So the import takes hundredths of a second, and only who reads workbooks pays for openpyxl."""
    code = "import sys, zjtx_alloc as za; print({'pandas', 'openpyxl', 'pulp'} & set(sys.modules)); za.Group; print('pandas' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.split() == ["set()", "True"]


@pytest.mark.thorough
def test_a_report_imports_neither_what_draws_nor_what_reads_workbooks():
    """Its kernels draw, and only they pay for matplotlib; nothing of it is read from a workbook of the user's unless one is given."""
    code = "import sys, zjtx_alloc.report.runs.run; print({'matplotlib', 'IPython', 'openpyxl'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.strip() == "set()"


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
    assert {key for key in known - literals if key.split(".")[0] not in built | {"words"}} == set()


def test_every_column_is_described_once_and_shown_and_every_one_shown_is_described():
    columns = pd.read_csv(ROOT / "data" / "columns.csv", dtype=str, keep_default_na=False)
    assert columns["name"].tolist() == sorted(set(columns["name"]))
    assert (columns != "").all(axis=None)
    assert set(columns["kind"]) <= set(FORMATS)
    nodes = [node for tree in modules().values() for node in ast.walk(tree)]
    named = {n.value for n in nodes if isinstance(n, ast.Constant)} | {
        n.arg for n in nodes if isinstance(n, ast.keyword)
    }
    assert set(columns["name"]) - named == set()
    assert {column for view in VIEWS.values() for column in view} <= set(columns["name"])
    asked = [
        n.args[0] for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "id", "") in ("header", "described")
    ]
    assert {name.value for name in asked if isinstance(name, ast.Constant)} <= set(columns["name"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stripped_and_thin(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    parameters = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert len(parameters) == 1
    for node in ast.parse("".join(parameters[0]["source"])).body:
        assert isinstance(node, ast.AnnAssign)
        ast.literal_eval(node.value)
    assert [source.count("\ncheck_parameters(globals())\n") for source in code[:2]] == [0, 1]
    for source in code:
        assert not any(isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda) for n in ast.walk(ast.parse(source)))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_papermill_lists_every_parameter_with_its_type_and_what_it_means(path):
    """As in ``papermill --help-notebook``."""
    listed = papermill.inspect_notebook(str(path))
    (cell,) = [
        cell
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    namespace = {}
    exec("".join(cell["source"]), namespace)
    assert list(listed) == list(namespace["__annotations__"])
    for name, one in listed.items():
        kind, default = one["inferred_type_name"], namespace[name]
        assert kind.startswith(type(default).__name__) or (kind.startswith("Optional[") and default is None), name
        assert one["help"], name
        assert ast.literal_eval(one["default"]) == default, name


def test_pages_of_a_report_are_shipped_for_the_baseline():
    """So what test_report and test_studies run is what a reader runs first."""
    for name in PAGES:
        told = papermill.inspect_notebook(str(ROOT / "notebooks" / f"{name}.ipynb"))
        first = {
            key: ast.literal_eval(told[key]["default"]) for key in told if key in ("scenario", "scenarios", "data")
        }
        assert first in ({"scenario": "2024-baseline", "data": ""}, {"scenarios": ["2024-baseline"], "data": ""}), name


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=pytest.mark.slow if p.stem in PAGES else pytest.mark.thorough) for p in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def test_a_notebook_runs_as_it_is_shipped(path, tmp_path):
    run = partial(
        papermill.execute_notebook, str(path), str(tmp_path / path.name), progress_bar=False, execution_timeout=90,
        kernel_manager_class="zjtx_alloc.report.runs.kernel.OwnKernelManager",
    )  # fmt: skip
    try:
        run()
    except CellTimeoutError:  # nbclient has been seen to miss the answer of a cell with a widget, whose kernel was idle
        run()


def test_tiles_show_every_unit_once_and_the_three_that_take_no_part():
    tiles = pd.read_csv(ROOT / "data" / "tiles.csv", dtype=str, encoding="utf-8")
    units = pd.read_csv(ROOT / "data" / "units.csv", dtype=str, encoding="utf-8")
    assert sorted(tiles["code"]) == sorted([*units["code"], "710000", "810000", "820000"])
    assert not tiles.duplicated(["row", "column"]).any()
    named = tiles.merge(units, on="code")
    assert (named["name_x"] == named["short_name"]).all()


def test_what_builds_the_package_is_pinned_and_hashed_like_all_else():
    """No build fetches tools of its own; the lock holds those that it asks for."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "Makefile", ROOT / ".ci" / "run"]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    builds = [line for line in lines if re.search(r"pip (install|wheel) .*(-e|--wheel-dir \S+) \.", line)]
    assert len(builds) >= 3
    assert [line for line in builds if "--no-build-isolation" not in line] == []
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"] + [
        "editables"
    ]
    lock = (ROOT / "requirements-build.lock").read_text(encoding="utf-8")
    for name in (re.match(r"[a-z-]+", one)[0] for one in asked):
        assert re.search(rf"^{name}==\S+ \\\n +--hash=sha256:", lock, re.MULTILINE)


def test_locks_name_no_address_of_an_index():
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"://|--index|--find-links", lock.read_text(encoding="utf-8")), lock.name
