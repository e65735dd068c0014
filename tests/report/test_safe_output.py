"""What users write stays words: no formula, no HTML, no link, no code, no file elsewhere, in anything that we write."""

import csv
import dataclasses
import datetime
import io
import os
import re

import nbformat
import openpyxl
import pandas as pd
import papermill
import pytest
from support import hostile
from support.firm_tables import raw
from support.hostile import MARK
from support.made_pages import BRIEF
from support.tables import base, text

import zjtx_alloc as za
from zjtx_alloc.base import resources
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.runs.compare_run import comparison_sheets
from zjtx_alloc.report.runs.index import write_index
from zjtx_alloc.report.runs.notebooks import page, write_page
from zjtx_alloc.report.table import Table, allocation_csv, csv_text
from zjtx_alloc.report.tables import (
    backtest as backtest_tables,
    firms as firm_tables,
    plan as horizon_tables,
    ranges as uncertainty_tables,
    sweep as sweep_tables,
)
from zjtx_alloc.report.tables.compare import comparison_csv, gain_list
from zjtx_alloc.report.writers.html import Heading
from zjtx_alloc.report.writers.xlsx import Graph, write_workbook
from zjtx_alloc.rules.scenario_files import save_bundle

pytestmark = pytest.mark.thorough

FORMULAS = [
    "=1+1",
    "+cmd",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "＋1+1",
    "＠x",
    hostile.FORMULA,
    hostile.COMMAND,
]
HARMLESS = ["1+1", "-1", "+3", "-2.50", "x=1", "a@b", "", "北京"]
ARMED = re.compile(r"[=+\-@\t\r＝＋－＠]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def armed(content: str) -> list[str]:
    """Fields of a CSV file that Excel would take for formulas."""
    fields = [field for row in csv.reader(io.StringIO(content, newline="")) for field in row]
    return [field for field in fields if ARMED.match(field) and not NUMBER.fullmatch(field)]


def alive(html: str) -> list[str]:
    """What of a page is not words: tags, attributes and addresses that bear the mark."""
    tags = [
        tag
        for tag in re.findall(r"<[a-zA-Z/][^>]*>", html)
        if MARK in re.sub(r'(alt|title|aria-label)="[^"]*"', "", tag)
    ]
    return tags + re.findall(rf"<(?:script|b|img)[^>]*>{MARK}", html)


def formulas(path) -> list[str]:
    """Formulas and links of a workbook that bear the mark."""
    cells = [cell for sheet in openpyxl.load_workbook(path).worksheets for row in sheet.iter_rows() for cell in row]
    return [str(cell.value) for cell in cells if (cell.data_type == "f" and MARK in str(cell.value)) or cell.hyperlink]


def test_texts_of_csv_files_are_no_formulas_and_numbers_stay():
    table = pd.DataFrame({"=head": [*FORMULAS, *HARMLESS], "number": range(len(FORMULAS) + len(HARMLESS))})
    table["less"] = -1.5
    read = list(csv.reader(io.StringIO(csv_text(table), newline="")))
    assert armed(csv_text(table)) == []
    assert read[0] == ["'=head", "number", "less"]
    assert [row[0] for row in read[1:]] == [
        *(f"'{one}" for one in FORMULAS[:5]),
        "'\n=1",
        *(f"'{one}" for one in FORMULAS[6:]),
        *HARMLESS,
    ]
    assert {row[2] for row in read[1:]} == {"-1.5"}


def test_cells_notes_and_titles_of_workbooks_are_no_formulas(tmp_path):
    table = Table("表", pd.DataFrame({"=甲": FORMULAS}), {"=甲": "text"}, tuple(FORMULAS))
    graph = Graph("图", "'表'!$A$4:$A$5", ("x", "'表'!$A$4:$A$5"), "家", hostile.FORMULA)
    path = write_workbook(tmp_path / "x.xlsx", [table, graph], f"=表!$A$1{MARK}")
    sheet = openpyxl.load_workbook(path)["表"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert [sheet.cell(4 + n, 1).value for n in range(len(FORMULAS))] == [*FORMULAS[:5], "_x000D_=1", *FORMULAS[6:]]


@pytest.fixture(scope="module")
def hostile_allocation(panel, tmp_path_factory):
    return za.allocate(panel, za.load_scenario(hostile.scenario(tmp_path_factory.mktemp("hostile"))))


def test_rules_and_reasons_with_hostile_names_are_words_in_the_csv(hostile_allocation):
    content = allocation_csv(hostile_allocation)
    assert MARK in content
    assert armed(content) == []


def test_markdown_of_a_page_is_words_with_lists_and_emphasis(tmp_path):
    told = f"- **{hostile.SCENARIO['title']}**：{hostile.IMAGE}\n- [x] {hostile.LINK} <http://{MARK}.example>"
    output = nbformat.v4.new_output("display_data", {"text/markdown": told, "text/plain": "x"})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    nbformat.write(notebook, tmp_path / "x.ipynb")
    shown = page(tmp_path / "x.ipynb", tmp_path / "allocation.html", Heading(f"{hostile.SCRIPT}{hostile.IMAGE}")).read_text(encoding="utf-8")  # fmt: skip
    assert alive(shown) == []
    assert shown.count("<li>") == 2
    assert f"&lt;script&gt;{MARK}()&lt;/script&gt;" in shown
    assert f"[{MARK}](javascript:{MARK}())" in shown
    assert "<strong>" in shown


def test_the_index_takes_names_of_folders_and_files_for_words(tmp_path):
    folder = tmp_path / f'"><img src=x onerror={MARK}()>'
    folder.mkdir()
    (folder / "run.json").write_text("{}", encoding="utf-8")
    assert alive(write_index(tmp_path).read_text(encoding="utf-8")) == []
    assert "&lt;img" in write_index(tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize("value", [hostile.PYTHON, "a\\", "'''", "{x}", "\u2028", "%s", "\\N{BULLET}", "'\"\\\n"])
def test_a_parameter_of_a_notebook_is_data(value, tmp_path):
    """The cell that papermill writes is run: it sets the names to these very texts, and does nothing else."""
    shipped, given = (
        resources.shipped("notebooks", "explorer.ipynb"),
        dict.fromkeys(("scenario", "data", "folder"), value),
    )
    papermill.execute_notebook(str(shipped), str(tmp_path / "x.ipynb"), given, prepare_only=True, progress_bar=False)
    cells = nbformat.read(tmp_path / "x.ipynb", as_version=4).cells
    (cell,) = [cell for cell in cells if "injected-parameters" in cell.metadata.get("tags", [])]
    names: dict[str, object] = {}
    exec(compile(cell.source, "parameters", "exec"), names)
    assert {name: names[name] for name in given} == given

    assert MARK not in os.environ


NAMES = ["$(touch x)", "a;b", "'", "--out", "=1+1", "<b>", "...", "a b", "&", "名"]


@pytest.mark.parametrize("name", NAMES)
def test_files_named_after_a_scenario_stay_where_they_belong(name, tmp_path, monkeypatch, capsys):
    (given := tmp_path / "given").mkdir()
    (work := tmp_path / "work").mkdir()
    monkeypatch.chdir(work)
    (given / f"{name}.toml").write_text('extends = "2024-baseline"\n', encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["allocate", str(given / f"{name}.toml")])
    assert stop.value.code == 0, capsys.readouterr().err
    assert {path.name for path in work.rglob("*")} == {f"{name}-allocation.csv"}
    assert {path.name for path in tmp_path.iterdir()} == {"given", "work"}


@pytest.mark.parametrize("name", ["..", "../../x", "/etc/x", "a/b", "CON", ".x"])
def test_a_scenario_made_in_memory_names_no_file_elsewhere(name, baseline, tmp_path):
    with pytest.raises(za.ReportError, match="不能作文件夹名"):
        za.run(baseline.model_copy(update={"name": name}), out=tmp_path / "out")
    with pytest.raises(za.ScenarioError, match="不能作文件夹名"):
        save_bundle(baseline.model_copy(update={"name": name}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_names_of_firms_are_words_in_their_plan(tmp_path, capsys):
    rows = raw({"省级单位": "天津", "企业名称": hostile.FORMULA + hostile.SCRIPT, "所在城市": "{unit}=1+1"})
    (tmp_path / "firms.csv").write_bytes(text([list(rows), *rows.itertuples(index=False)]))
    with pytest.raises(SystemExit) as stop:
        main(["plan-document", str(tmp_path / "firms.csv"), "--unit", "天津", "--out", str(tmp_path / "x.docx")])
    assert stop.value.code == 0, capsys.readouterr().err
    import docx  # noqa: PLC0415 - a second that the other tests need not pay

    document = docx.Document(str(tmp_path / "x.docx"))
    body = document.element.xml
    assert hostile.FORMULA in "".join(cell.text for t in document.tables for row in t.rows for cell in row.cells)
    assert "w:fldSimple" not in body.replace("PAGE", "")
    assert "<script>" not in body


@pytest.mark.thorough
def test_names_of_firms_are_words_in_the_workbook_that_their_table_becomes(tmp_path):
    table, out = hostile_firms(tmp_path), tmp_path / "审核.xlsx"
    with pytest.raises(SystemExit) as stop:
        main(["review", str(table), "--as-of", "2024-07-31", "--out", str(out)])
    assert stop.value.code == 0
    cells = [cell for sheet in openpyxl.load_workbook(out) for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert any(str(cell.value).startswith(hostile.FORMULA) for cell in cells)


def assert_words(tables, sentences, work):
    """Tables and Markdown as a page and as a workbook: all of them words."""
    assert alive("".join(table._repr_html_() for table in tables)) == []
    output = nbformat.v4.new_output("display_data", {"text/markdown": "\n".join(sentences), "text/plain": "x"})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    nbformat.write(notebook, work / "x.ipynb")
    shown = page(work / "x.ipynb", work / "allocation.html", Heading("x")).read_text(encoding="utf-8")
    assert alive(shown) == []
    assert formulas(write_workbook(work / "x.xlsx", tables, "x")) == []
    return shown + "".join(table._repr_html_() for table in tables)


def test_a_comparison_of_hostile_names_is_words(hostile_allocation, allocation, tmp_path):
    name = f"{hostile.FORMULA}{hostile.SCRIPT}{hostile.LINK}"
    named = hostile_allocation.scenario.model_copy(update={"name": name})
    found = za.compare([allocation, dataclasses.replace(hostile_allocation, scenario=named)])
    sheets = comparison_sheets(found)
    shown = assert_words(sheets, [gain_list(found)], tmp_path)
    assert shown.count("&lt;script&gt;") >= 3
    assert MARK in comparison_csv(found)
    assert armed(comparison_csv(found)) == []


def test_the_studies_of_a_hostile_scenario_are_words(hostile_allocation, panel, tmp_path):
    scenario = hostile_allocation.scenario
    doubt = {"weights": {code: {"min": 0.1, "max": 0.8} for code in scenario.factors}}
    ranges = za.weight_range(panel, scenario, dict.fromkeys(scenario.factors, (0.1, 0.8)))
    swept = za.sweep(panel, scenario, doubt, draws=8)
    plan = za.plan([scenario], panel)
    fit = za.fit_weights(panel, "first_round_continued_r1_sum:2024-04")
    tables = [
        *(uncertainty_tables.range_table(ranges), uncertainty_tables.allowed_table(ranges)),
        *(sweep_tables.sweep_table(swept), sweep_tables.driver_table(swept), sweep_tables.uncertain_table(swept)),
        *(horizon_tables.deviation_table(plan), horizon_tables.plan_table(plan)),
        backtest_tables.known_table([hostile_allocation, za.allocate(panel, za.fitted_scenario(scenario, fit))]),
    ]
    sentences = [uncertainty_tables.range_summary(ranges), *sweep_tables.sweep_summary(swept), horizon_tables.plan_summary(plan), horizon_tables.plan_basis(plan), *sweep_tables.driver_summary(swept)]  # fmt: skip
    assert MARK in assert_words(tables, sentences, tmp_path)


def hostile_firms(folder):
    """A table of three firms of 天津 with hostile names in a hostile file: one passes, two are alike, one fails."""
    name = f"{hostile.FORMULA}{hostile.SCRIPT}{hostile.LINK}"
    rows = raw(
        {"省级单位": "天津", "企业名称": name},
        {"省级单位": "天津", "企业名称": f"{name}甲", "所在城市": f"@{hostile.IMAGE}"},
        {"省级单位": "天津", "企业名称": hostile.COMMAND + hostile.IMAGE, "上市情况": "深交所"},
    )
    (path := folder / f"=1+1 {MARK}.csv").write_bytes(text([list(rows), *rows.itertuples(index=False)]))
    return path


def test_tables_of_firms_with_hostile_names_are_words(tmp_path):
    listed = za.firms.load_firms(hostile_firms(tmp_path), "天津")
    review = za.firms.review(listed, None, datetime.date(2024, 7, 31))
    selection = za.firms.select(review.passed, za.firms.load_rubric("example-selection"), pd.Series({"120000": 1}))
    tables = [
        *(firm_tables.firm_table(kind, rows, listed) for kind, rows in (("struck", review.reasons()), ("doubts", review.doubts()))),
        *(firm_tables.tie_table(selection), firm_tables.cut_table(selection)),
    ]  # fmt: skip
    assert not review.flags.empty
    assert not selection.ties.empty
    assert assert_words(tables, review.reasons()["理由"], tmp_path).count("&lt;script&gt;") >= 4


@pytest.mark.slow
def test_zjtx_compare_of_hostile_names_holds_no_formula_no_script_and_no_link(tmp_path, capsys):
    path = hostile.scenario(tmp_path, f"=1+1 {MARK}.toml")
    with pytest.raises(SystemExit) as stop:
        main(["compare", "2024-baseline", str(path), "--out", str(tmp_path / "out")])
    assert stop.value.code == 0, capsys.readouterr().err
    assert_harmless(tmp_path / "out" / "compare")


@pytest.mark.slow
@pytest.mark.parametrize("study", ["uncertainty", "plan", "backtest"])
def test_pages_of_studies_of_a_hostile_scenario_are_words(study, tmp_path):
    hostile.scenario(tmp_path)
    doubt = "[uncertainty.weights]\nlittle_giants = { min = 0.2, max = 0.6 }\nindex = { min = 0.0, max = 0.4 }\n"
    (path := tmp_path / f"=1+1 {MARK}.toml").write_text(f'extends = "trial.toml"\n{doubt}', encoding="utf-8")
    told = {"scenario": str(path)}
    label = Heading(f"{hostile.SCRIPT}{hostile.FORMULA}")
    shown = write_page(tmp_path / f"{study}.html", told, label, tmp_path, study=True).read_text(encoding="utf-8")
    assert alive(shown) == []
    assert MARK in shown
    assert "本情景没有这项结果" not in shown


@pytest.mark.slow
def test_the_page_of_hostile_firms_is_words(tmp_path):
    told = {"workbook": str(hostile_firms(tmp_path)), "unit": "天津", "as_of": "2024-07-31"}
    shown = write_page(tmp_path / "firms.html", told, Heading("x"), tmp_path).read_text("utf-8")
    assert alive(shown) == []
    assert MARK in shown


@pytest.mark.slow
def test_a_report_of_hostile_names_holds_no_formula_no_script_and_no_link(hostile_allocation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = base()
    (table := tmp_path / f"=1+1 {MARK}.csv").write_bytes(
        text([[*rows[0], hostile.FORMULA], *([*r, hostile.SCRIPT] for r in rows[1:])])
    )
    folder = za.run(hostile.scenario(tmp_path), tmp_path / "out", za.load_panel(table), pages=BRIEF).folder
    assert_harmless(folder)
    assert za.verify_run(folder) == ()


@pytest.mark.slow
def test_a_budget_of_hostile_names_holds_no_formula_no_script_and_no_link(tmp_path):
    document = f"{hostile.FORMULA}{hostile.SCRIPT}"
    header = ["单位", "年度", "文号", "金额（万元）"]
    (actuals := tmp_path / "实际.csv").write_bytes(
        text([header, ["天津", "2024", document, 5700], ["北京", "2024", hostile.COMMAND, 1]])
    )
    request = za.BudgetRequest(
        [hostile.scenario(tmp_path)], outcomes=[hostile.outcomes(tmp_path)], ceilings={2024: 300_000}
    )
    folder = za.run_budget(request, tmp_path / "out", actuals=actuals).folder
    assert_harmless(folder, kept={"actuals-as-given.csv"})


def assert_harmless(folder, kept=frozenset()):
    """Every file of a run; what is kept as the user gave it is the user's."""
    seen = set()
    for path in sorted(folder.iterdir()):
        seen.add(path.suffix)
        if path.suffix == ".csv" and path.name not in kept:
            assert armed(path.read_text(encoding="utf-8-sig")) == [], path.name
        elif path.suffix == ".html":
            assert alive(path.read_text(encoding="utf-8")) == [], path.name
            assert MARK in path.read_text(encoding="utf-8"), path.name
        elif path.suffix == ".xlsx":
            assert formulas(path) == [], path.name
    assert {".csv", ".html", ".xlsx"} <= seen
