"""A user's own table through every command, and through other people's programs: LibreOffice, a GBK console, a clock."""

import json
import os
import re
import subprocess
import sys
import time

import openpyxl
import pytest
from support.tables import base, text, xlsx

import zjtx_alloc as za
from zjtx_alloc.cli.main import commands, main
from zjtx_alloc.report.notes.marks import allocation_summary, budget_notes, marks_note
from zjtx_alloc.report.table import shown
from zjtx_alloc.report.tables.allocation import allocation_table
from zjtx_alloc.report.tables.budget import unit_year_table, year_table

OWN = "我的 因素表.xlsx"
MARK = "用户提供（我的 因素表.xlsx），取代随附数据或代用指标：规模以上工业中小企业数、有效期内“小巨人”企业数。"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder as a user has it, with a table of their own in it."""
    folder = tmp_path / "用户 文件夹"
    folder.mkdir()
    (folder / OWN).write_bytes(xlsx(base()))
    monkeypatch.chdir(folder)
    return folder


def zjtx(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    output = capsys.readouterr()
    assert stop.value.code == 0, output.err
    return output.out


def test_every_command_that_computes_from_a_scenario_takes_the_users_table():
    takes = {name for name, c in commands.commands.items() if any("--data" in p.opts for p in c.params)}
    given = {
        name for name, c in commands.commands.items() if any(p.name in ("scenario", "scenarios") for p in c.params)
    }
    assert takes == given - {"check"} == {"report", "budget", "allocate", "explain", "compare", "sweep", "explore"}


@pytest.mark.thorough
def test_commands_compute_with_the_users_numbers(desk, capsys):
    own = za.allocate(za.load_panel(OWN), za.load_scenario("2024-baseline"))
    zjtx(capsys, "allocate", "2024-baseline", "--data", OWN, "--out", "名额.csv")
    assert (desk / "名额.csv").read_text(encoding="utf-8-sig").count(f"{own.entitlement.places['110000']:.6f}") == 1
    said = zjtx(capsys, "explain", "2024-baseline", "北京", "--data", OWN).rstrip("\n")
    assert said.startswith(MARK)
    assert said.endswith(f"\n{za.explain(own, '北京')}")
    swept = za.sweep(za.load_panel(OWN), za.load_scenario("2024-baseline"), draws=8)
    zjtx(capsys, "sweep", "2024-baseline", "--draws", "8", "--data", OWN, "--out", "扫")
    rows = (desk / "扫" / "sweep-quotas.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows[1] == ",".join(map(str, (0, *swept.quotas[0])))
    assert own.quota["110000"] != za.allocate(za.load_panel(), za.load_scenario("2024-baseline")).quota["110000"]


def test_a_users_column_is_a_mark_that_every_table_bears(desk, panel, baseline):
    own = za.allocate(za.load_panel(OWN), baseline)
    assert marks_note(own)[-1] == MARK
    assert allocation_summary(own).count(MARK) == 1
    budget = za.forecast_budget(za.cohorts(own), za.load_award("caijian-2024-148"))
    assert budget_notes(budget, (own, own)).count(MARK) == 1
    assert not any("用户提供" in note for note in marks_note(za.allocate(panel, baseline)))


def test_a_table_copied_into_excel_keeps_numbers_as_numbers_and_codes_as_text(allocation):
    """Excel reads a pasted cell as if it were typed, but for what ``mso-number-format`` says is text."""
    budget = za.forecast_budget(za.cohorts(allocation), za.load_award("caijian-2024-148"))
    tables = [allocation_table(allocation), unit_year_table(budget, (allocation,)), year_table(budget, (allocation,))]
    for table in tables:
        cells = re.findall(r'<t[dh][^>]*style="([^"]*)">([^<]*)</t[dh]>', table._repr_html_())
        cells = cells[-table.frame.size :]  # after the heads
        assert len(cells) == table.frame.size
        kinds = [table.kinds[column] for _ in range(len(table.frame)) for column in table.frame]
        for kind, (style, content) in zip(kinds, cells, strict=True):
            assert ("mso-number-format:'\\@'" in style) == (kind == "text")
            assert kind == "text" or re.fullmatch(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?%?|\d{4}|—", content), content


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [("difference", -0.004, "0.00"), ("step", 0, "0"), ("weight", -0.001, "0.00"), ("step", -10, "-10"),
     ("difference", 0.01, "+0.01"), ("share", 0.0, "0.0%"), ("text", "+0", "+0"), ("count", float("nan"), "—")],
)  # fmt: skip
def test_what_rounds_to_nothing_has_no_sign(kind, value, said):
    assert shown(kind, value) == said


@pytest.mark.slow
def test_runs_of_a_comparison_and_a_budget_name_the_users_columns_and_come_out_the_same(desk, capsys):
    for command, page in (("compare", "compare.html"), ("budget", "budget.html")):
        zjtx(capsys, command, "2024-baseline", "2025-baseline", "--data", OWN, "--out", "报告 出")
        folder = desk / "报告 出" / command
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))["indicators"]["2024-baseline"]
        assert record["supplied"] == {"sme_count": "用户提供", "little_giants": "用户提供"}
        assert record["shipped"] == {"first_round_continued_r1_sum": "2024-04"}
        assert MARK in (folder / page).read_text(encoding="utf-8")
        assert za.verify_run(folder) == ()
    told = "自有因素表替换：有效期内“小巨人”企业数、规模以上工业中小企业数"
    assert told in (desk / "报告 出" / "index.html").read_text(encoding="utf-8")


def filled(path):
    """The template, filled in by a user: two columns of counts, one of money; the sum that the sheet has is not kept."""
    book = openpyxl.load_workbook(za.write_template(path))
    sheet = book["因素表"]
    headers = {str(cell.value).partition("\n")[0]: cell.column for cell in sheet[3]}
    names = ("规模以上工业中小企业数", "有效期内“小巨人”企业数", "规模以上工业企业R&D经费")
    for number, row in enumerate(base()[1:]):
        for column, value in zip([headers[name] for name in names], (row[1], row[2], 10.25 + number), strict=True):
            assert sheet.cell(4 + number, column).value is None
            sheet.cell(4 + number, column, value)
    book.save(path)
    return path


@pytest.mark.thorough
@pytest.mark.needs_office
def test_a_template_filled_in_and_saved_by_an_office_program_loads_without_change(tmp_path, recalculated):
    path = filled(tmp_path / "因素 表.xlsx")
    (saved,) = recalculated(path)
    mine, theirs = za.load_panel(path), za.load_panel(saved)
    assert list(mine.supplied) == ["sme_count", "little_giants", "industrial_rd_spend"]
    assert mine.values("sme_count", "").tolist() == [row[1] for row in base()[1:]]
    assert theirs.cells.equals(mine.cells)
    # An office program calculates the sums of the template, and they are held against the rows.
    found = za.check_table(saved).reading
    assert (found.total_row, found.has_totals) == (41, True)
    sheet = openpyxl.load_workbook(saved)["因素表"]
    assert len(sheet.data_validations.dataValidation) >= 3
    assert sheet["A4"].value == "110000"


SAID = {
    "report": (["2024-baseline", "--data", OWN], "2024-baseline"),
    "budget": (["2024-baseline", "--data", OWN], "budget"),
    "allocate": (["2024-baseline", "--data", OWN], "allocation.csv"),
    "explain": (["2024-baseline", "广东", "--data", OWN], "系数调节-"),
    "compare": (["2024-baseline", "2025-baseline", "--data", OWN], "差距为两个情景各单位占比之差"),
    "sweep": (["2024-baseline", "--draws", "16", "--data", OWN], "名额变动最大的单位"),
    "check": ([OWN], "37个单位齐全"),
    "new": (["测 算.xlsx"], "测 算.xlsx"),
    "convert": (["2024-baseline", "测 算.xlsx"], "测 算.xlsx"),
    "template": (["空 表.xlsx"], "空 表.xlsx"),
    "firms": (["new", "企 业.xlsx", "--unit", "江苏"], "企 业.xlsx"),
    "calendar": ([], "各批次期限表"),
    "review": (["没有.xlsx", "--as-of", "2024-07-31", "--out", "结果.xlsx"], "找不到"),
    "plan-document": (["没有.xlsx", "--unit", "福建", "--out", "方案.docx"], "找不到"),
    "explore": (["没有这个情景"], "没有名为“没有这个情景”的情景"),
    "verify-run": (["没有这个文件夹"], "没有这个文件夹"),
    "scenarios": ([], "2024年第一批基准情景"),
}


def on_a_gbk_console(folder, *arguments):
    environment = os.environ | {"PYTHONIOENCODING": "gbk", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "zjtx_alloc", *arguments], cwd=folder, env=environment, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode("gbk"), done.stderr.decode("gbk")


def test_no_command_is_left_out_of_the_console_test():
    assert set(SAID) == set(commands.commands)


@pytest.mark.slow
@pytest.mark.parametrize("command", SAID)
def test_every_command_speaks_on_a_gbk_console(command, desk):
    arguments, said = SAID[command]
    code, out, err = on_a_gbk_console(desk, command, *arguments)
    assert said in out + err
    assert code == (1 if "没有" in arguments[0] else 0) if arguments else code == 0
    assert "?" not in out
    assert "Traceback" not in err


@pytest.mark.thorough
def test_a_sign_that_gbk_lacks_is_shown_by_a_plainer_one(desk):
    _, out, _ = on_a_gbk_console(desk, "explain", "2024-baseline", "广东")
    assert "系数调节-" in out
    assert "Σ（名额 - 理论名额）^2" in out


def mistaken(count, ending, path):
    """A table with a wrong cell in each row; of 100,000 rows when a list of firms is given in its place."""
    rows = [[*base()[0], *(f"其他{n}" for n in range(20))]]
    rows += [[base()[1 + i % 37][0], "约200", 100, *range(20)] for i in range(count)]
    if ending == "csv":
        path.write_bytes(text(rows, "gbk"))
        return path
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("因素表")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
@pytest.mark.parametrize(("count", "most", "said"), [(37, 1.0, "有37处问题"), (100_000, 10.0, "超过[13]000行")])
def test_errors_come_in_time(ending, count, most, said, tmp_path):
    path = mistaken(count, ending, tmp_path / f"误.{ending}")
    start = time.process_time()  # this process alone: how busy the machine is says nothing of the reader
    with pytest.raises(za.DataError, match=said):
        za.load_panel(path)
    assert time.process_time() - start <= most
