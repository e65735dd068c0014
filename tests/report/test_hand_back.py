"""A report.xlsx handed back: unchanged it is the same run, changed a proven quota, and every cell that no longer computes is named."""

import openpyxl
import pytest
from support.workbooks import named_cells, places_of_keys

import zjtx_alloc as za
from zjtx_alloc.cli import main as cli
from zjtx_alloc.facts.xlsx.cells import Formula
from zjtx_alloc.report.documents.proposal import proposal
from zjtx_alloc.report.report_xlsx.annexes import followers, live_sheets, report_sheets
from zjtx_alloc.report.report_xlsx.hand_back import _written_out, is_report, read_report
from zjtx_alloc.report.report_xlsx.model import Model
from zjtx_alloc.report.report_xlsx.source import source_sheet
from zjtx_alloc.report.runs.records import run_id, run_record
from zjtx_alloc.report.writers.xlsx import write_workbook


@pytest.fixture(scope="module")
def report(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("handed") / "report.xlsx"
    model = Model(results)
    return write_workbook(path, [*live_sheets(model), *followers(model), source_sheet(results)], results.scenario.title)


@pytest.fixture
def edited(report, results, tmp_path):
    """A copy with other cells, given by key or by sheet and place, as openpyxl saves it; handed back."""
    places = places_of_keys(Model(results))

    def edit(changes):
        book = openpyxl.load_workbook(report)
        for where, value in changes.items():
            sheet, place = places.get(where, where).split("!")
            book[sheet][place] = value
        book.save(tmp_path / "改.xlsx")
        return tmp_path / "改.xlsx"

    return edit


def number_of(handed):
    """The id of the run that a handed-back workbook leads to."""
    found = za.Results(za.load_panel() if handed.own is None else handed.own, handed.scenario)
    return run_id(run_record("report", found.programme, handed.own))


def told(error):
    """Sheet, row, column, what is wrong."""
    return [(*tuple(row)[:3], row["问题"]) for _, row in error.value.problems.iterrows()]


def test_unchanged_it_is_the_same_run(report, results):
    handed = read_report(report)
    assert is_report(report)
    assert (handed.own, handed.changes) == (None, ())
    assert handed.scenario.name == "2024-baseline"
    assert number_of(handed) == run_id(run_record("report", results.programme, None))


@pytest.mark.thorough
def test_changed_it_is_a_scenario_of_its_own_and_says_what_was_changed(edited, panel, baseline):
    change = {
        ("factors", "sme_count", "weight"): 0.5, ("factors", "little_giants", "weight"): 0.3, ("total",): 1000,
        ("cap", "140000"): 9, ("fixed", "460000", "quota"): 4, ("fixed", "460000", "reason"): "会商确定",
    }  # fmt: skip
    handed = read_report(edited(change))
    assert handed.changes == (
        "名额总量：1039 → 1000", "权重：规模以上工业中小企业数：0.4 → 0.5", "权重：有效期内“小巨人”企业数：0.4 → 0.3",
        "山西上限：— → 9", "海南人工调整：— → 4", "海南理由：— → 会商确定",
    )  # fmt: skip
    scenario = handed.scenario
    assert (scenario.name, scenario.title) == ("2024-baseline-修改", "2024年第一批基准情景（修改）")
    assert scenario.total_status == "assumed"
    assert scenario.uncertainty.weights["sme_count"].max == 0.7  # the range went with its weight
    assert scenario.assumptions["handed_back"].startswith("由交回的工作簿改动：名额总量：1039 → 1000；")
    quota = za.allocate(panel, scenario).quota
    assert (quota.sum(), quota["140000"], quota["460000"]) == (1000, 9, 4)


@pytest.mark.thorough
def test_a_changed_value_makes_its_column_the_users_own(edited, panel, baseline):
    key = ("facts", "sme_count", "2023-12", "210200")
    handed = read_report(edited({key: 30000}))
    assert handed.own is not None
    assert ("sme_count", "2023-12") in handed.own.supplied_periods
    assert handed.own.values("sme_count", "2023-12")["210200"] == 30000
    assert len(handed.notes) == 1
    before = za.allocate(panel, baseline).quota["210200"]
    assert za.allocate(handed.own, handed.scenario).quota["210200"] > before + 5


@pytest.mark.thorough
def test_a_changed_report_can_be_changed_again(edited, tmp_path, panel):
    """The user's own facts and scenario are in its workbook."""
    key = ("facts", "sme_count", "2023-12", "210200")
    handed = read_report(edited({key: 30000, ("floor", "default"): 2}))
    found = za.Results(handed.own, handed.scenario)
    path = write_workbook(tmp_path / "b.xlsx", report_sheets(found, proposal(found)), "试")
    again = read_report(path)
    assert again.changes == ()
    assert number_of(again) == number_of(handed)
    assert again.scenario.name == "2024-baseline-修改"


@pytest.mark.thorough
def test_a_change_of_the_second_weights_is_no_change_of_the_plan(report, results, tmp_path):
    book = openpyxl.load_workbook(report)
    sheet, place = (
        book.defined_names["compared_weight_sme_count"].attr_text.replace("$", "").replace("'", "").split("!")
    )
    book[sheet][place] = 0.3
    book.save(tmp_path / "x.xlsx")
    assert read_report(tmp_path / "x.xlsx").changes == ()


@pytest.mark.thorough
def test_cells_that_no_longer_compute_are_named_all_at_once(edited):
    head = {cell.value: cell.column_letter for cell in openpyxl.load_workbook(edited({}))["测算"][3]}
    quota, name = head["名额"], head["单位"]
    changes = {
        ("factors", "sme_count", "weight"): "四成", "参数!B16": 500, f"测算!{name}5": "天京", f"测算!{quota}10": 30,
        "求解!D9": "=D8", "附件1 名额分配表!E4": 50,
    }  # fmt: skip
    with pytest.raises(za.TableError) as error:
        read_report(edited(changes))
    assert told(error) == [
        ("参数", 5, "取值", "不是数字"),
        ("参数", 16, "取值", "不是可改的单元格"),
        ("测算", 5, "单位", "不是可改的单元格"),
        ("测算", 10, "名额", "公式被改成了数值"),
        ("求解", 9, "除数", "公式被改动"),
        ("附件1 名额分配表", 4, "名额", "公式被改成了数值"),
    ]
    assert "请恢复公式：=INDEX(quota,MATCH(B4,unit_name,0))" in str(error.value)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({("fixed", "460000", "quota"): 4}, ("测算", 29, "人工调整")),
        ({("cap", "default"): -3}, ("参数", 14, "取值")),
        ({("floor", "default"): 1.5}, ("参数", 13, "取值")),
    ],
)
def test_numbers_that_no_scenario_may_have_are_named_at_their_cells(edited, change, expected):
    with pytest.raises(za.TableError) as error:
        read_report(edited(change))
    assert [found[:3] for found in told(error)] == [expected]


@pytest.mark.thorough
def test_weights_that_do_not_add_up_and_rows_that_moved(edited, report, tmp_path):
    with pytest.raises(za.ScenarioError, match=r"因素权重.*之和应为1，现为 1.1"):
        read_report(edited({("factors", "sme_count", "weight"): 0.5}))
    book = openpyxl.load_workbook(report)
    book["测算"].insert_rows(10)
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(za.TableError, match="测算｜10｜代码｜｜行或列有增删、移动"):
        read_report(tmp_path / "x.xlsx")
    del book["方案原文"]
    book.save(tmp_path / "x.xlsx")
    assert not is_report(tmp_path / "x.xlsx")


@pytest.mark.slow
@pytest.mark.needs_office
def test_saved_by_libreoffice_it_is_still_the_same_run(report, results, recalculated):
    handed = read_report(recalculated(report)[0])
    assert handed.changes == ()
    assert number_of(handed) == run_id(run_record("report", results.programme, None))


@pytest.mark.slow
def test_the_command_writes_the_report_anew(edited, tmp_path, monkeypatch, capsys):
    path = edited({("total",): 1100})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        cli.main(["report", path.name, "--out", "new"])
    output = capsys.readouterr().out
    assert stop.value.code == 0, output
    assert "改.xlsx：2024年第一批基准情景（修改），交回的工作簿，改动1处。\n名额总量：1039 → 1100\n" in output
    folder = tmp_path / "new" / "2024-baseline-修改"
    book = openpyxl.load_workbook(folder / "report.xlsx", data_only=True)
    assert sum(named_cells(book, "quota")) == 1100
    assert (folder / "given" / "改.xlsx").is_file()


@pytest.mark.parametrize(
    ("text", "below"), [("=A1*2", "=A2*2"), ('=$A$1&"x"', '=$A$1&"x"'), ('="x', "="), (f"={'A1+' * 400}1", "=")]
)
def test_a_formula_that_cells_share_is_written_out_for_each(text, below):
    """As Excel keeps what was filled down; what is no formula, or longer than any of ours, is not guessed."""
    rows = {1: [None, Formula(text, 1, "0")], 2: [None, Formula("=", 2, "0")], 3: [5, Formula("=B1", 3)]}
    assert _written_out(rows) == {1: [None, text], 2: [None, below], 3: [5, "=B1"]}
