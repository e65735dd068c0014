"""What documents tell: folders and dependencies in the architecture, numbers in the sentences of the guides."""

import csv
import operator
import re
import tomllib
from pathlib import Path

import pytest

import zjtx_alloc as za
from zjtx_alloc.cli.main import commands
from zjtx_alloc.report.firm_documents.document import kinds
from zjtx_alloc.rules.programme.forms import forms
from zjtx_alloc.rules.scenario import Scenario

# --- docs/architecture.md ---------------------------------------------------------------------------------

ROOT = Path(za.__file__).parent.parent


def architecture(heading):
    """The first cells of the table under a heading, and their rows."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    rows = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    return rows[1:]


def test_the_architecture_lists_every_folder_and_names_modules_that_are_there():
    package, rows = ROOT / "zjtx_alloc", architecture("The folders, from the ground up")
    listed = {name: row for row in rows for name in re.findall(r"`([^`]+)/`", row.split("|")[1])}
    assert set(listed) == {str(path.parent.relative_to(package)) for path in package.rglob("*.py")} - {"."}
    for folder, row in listed.items():
        named = re.findall(r"`([a-z_]+)`", row.split("|")[2])
        known = {path.stem for path in (package / folder).glob("*.py")} | set(za.__all__) | set(za.firms.__all__)
        assert set(named) <= known, folder


def test_every_dependency_has_its_reason():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    told = " ".join(row.split("|")[1] for row in architecture("Dependencies"))
    names = {re.match(r"[\w-]+", name)[0] for name in wanted}
    assert names == {name for name in re.findall(r"[\w-]+", told) if name in names}
    reasons = [row.split("|")[2].strip() for row in architecture("Dependencies")]
    assert all(len(reason) > 10 for reason in reasons)


def test_the_main_install_leaves_out_what_only_pages_tests_and_the_site_need():
    main, dev = (
        set(re.findall(r"^([\w-]+)==", (ROOT / f"requirements{of}.lock").read_text("utf-8"), re.M))
        for of in ("", "-dev")
    )
    heavy = {"ipywidgets", "jupyterlab", "scipy"}
    assert heavy <= dev
    assert not main & {*heavy, "babel", "jupyter-server", "sphinx"}


@pytest.mark.thorough
def test_numbers_told_in_the_planners_guide_are_those_of_the_baseline(panel, baseline, allocation):
    """Those in sentences; the ones in outputs are held against what the commands print."""
    guide = (ROOT / "docs" / "guide-planners.zh.md").read_text(encoding="utf-8")
    found = za.weight_range(panel, baseline).table.set_index("short_name").loc["广东"]
    assert f"如广东{found.quota_min}—{found.quota_max}家" in guide
    robust = za.robust(panel, baseline).measures
    assert f"只差{int(robust.loc['robust', 'moved'])}个名额的调整" in guide
    plan = za.plan([baseline, *(za.load_scenario(name) for name in baseline.budget_with)])
    separate = plan.table["separate"].groupby("code").cumsum() - plan.table["running_target"]
    together = plan.table["running"] - plan.table["running_target"]
    assert f"最多差{separate.abs().max():.2f}家，取整结转最多差{together.abs().max():.2f}家" in guide
    places = allocation.entitlement.places
    assert all(
        f"{name}" in guide and f"{places[code]:.2f}" in guide
        for name, code in {"浙江": "330000", "广东": "440000"}.items()
    )


def test_numbers_told_in_the_finance_guide_are_those_of_the_baseline(allocation):
    guide = (ROOT / "docs" / "guide-finance.zh.md").read_text(encoding="utf-8")
    award = za.load_award("caijian-2024-148")
    approving = allocation.scenario.model_copy(
        update={"approval": allocation.scenario.approval.model_copy(update={"rate": "0.95"})}
    )
    (cohort,) = za.cohorts(za.allocate(allocation.panel, approving))
    due = za.ledger((cohort,), award).by_year()["due"]
    assert f"第1批审核通过企业变为{cohort.approved.sum()}家" in guide
    assert f"2024年实际下达变为{due[2024]:,}万元" in guide
    for name, title in {"central": "中性", "optimistic": "乐观", "stress": "压力"}.items():
        low, mean, high = (float(x) * 100 for x in za.load_outcomes(name).completed.model_dump().values())
        assert f"| {title} `{name}` | {mean:g}%（{low:g}%—{high:g}%）" in guide


def test_the_planners_guide_lists_the_columns_of_the_workbook_as_they_are():
    guide = (ROOT / "docs" / "guide-planners.zh.md").read_text(encoding="utf-8")
    for form in forms().values():
        assert f"| {form.title} | {'、'.join(field.header for field in form.fields.values())} |" in guide


# --- the clauses of the notice, docs/guide-provinces.zh.md ------------------------------------------------

PARTS = {"三": "一二三四五六", "四": "一二三", "五": "一二"}  # of 财建〔2024〕148号 that have paragraphs of their own
STATES = ("工具完成", "初稿", "由人办理")


def clause_rows():
    text = (ROOT / "docs" / "guide-provinces.zh.md").read_text(encoding="utf-8").partition("## 九、通知逐条对照\n")[2]
    rows = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[1:]]


def test_each_clause_of_the_notice_has_its_row_and_its_state():
    with (ROOT / "data" / "policy" / "clauses.csv").open(encoding="utf-8", newline="") as file:
        clauses = [(row["clause"], row["matter"]) for row in csv.DictReader(file)]
    whole = {f"{part}（{number}）" for part, numbers in PARTS.items() for number in numbers} | {
        "一",
        "二",
        "六",
        "附件",
    }
    assert {clause for clause, _ in clauses} == whole
    assert [(clause, matter) for clause, matter, _, _ in clause_rows()] == clauses
    for clause, matter, _, state in clause_rows():
        assert state.startswith(STATES), (clause, matter)
        assert not state.startswith("由人办理") or "：" in state, f"{clause} {matter}: without a reason"


def test_what_the_rows_of_the_clauses_name_is_there():
    for clause, matter, where, _ in clause_rows():
        for name in re.findall(r"`([^`]+)`", where):
            if name.startswith("zjtx "):
                known = commands
                for word in name.split()[1:]:
                    known = known.commands.get(word)
                assert known is not None, (clause, matter)
            elif name in kinds():
                continue
            elif name.startswith("za."):
                operator.attrgetter(name.removeprefix("za."))(za)
            else:
                assert (ROOT / name).exists(), (clause, matter)


def test_the_guide_lists_every_document():
    guide = (ROOT / "docs" / "guide-provinces.zh.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+)", guide, flags=re.MULTILINE)
    assert dict(rows) == kinds()


def test_the_analysts_guide_names_every_key_of_a_scenario():
    guide = (ROOT / "docs" / "guide-analysts.zh.md").read_text(encoding="utf-8")
    table = "".join(line for line in guide.splitlines() if line.startswith("| `"))
    keys = {"extends", "drop", *Scenario.model_fields} - {"name"}  # the file's own
    assert {key for key in keys if not re.search(rf"\b{key}\b", table)} == set()
