"""Every command that takes a scenario takes a programme's workbook, and says first what it used of it."""

import datetime
import json

import openpyxl
import pandas as pd
import pytest
from support.programme_edits import add, cell_of, edited

import zjtx_alloc as za
from zjtx_alloc.cli import main as cli
from zjtx_alloc.cli.opening import budget_request, opened
from zjtx_alloc.report.documents.programme_workbook import write_programme


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def zjtx(capsys):
    """Run a command; its code and what it prints."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            cli.main(list(arguments))
        output = capsys.readouterr()
        return stop.value.code, output.out.splitlines(), output.err

    return run


def quotas(path):
    return pd.read_csv(path, dtype={"code": str}, encoding="utf-8-sig").set_index("code")["quota"]


@pytest.mark.thorough
def test_new_allocate_explain_sweep_and_convert(desk, zjtx):
    assert zjtx("new", "测算.xlsx", "--from", "2024-baseline")[:2] == (0, ["测算.xlsx"])
    code, _, err = zjtx("new", "测算.xlsx")
    assert (code, "文件已存在" in err) == (1, True)
    assert zjtx("allocate", "测算.xlsx", "--batch", "1", "--out", "a.csv")[1] == [
        "测算.xlsx：第1批，2024年第一批基准情景。",
        "a.csv",
    ]
    own = za.allocate(za.load_panel(), za.load_scenario("2024-baseline")).quota
    assert quotas("a.csv").loc[own.index].tolist() == own.tolist()
    assert zjtx("allocate", "测算.xlsx", "--batch", "2")[1][-1] == "测算-第2批-allocation.csv"
    assert zjtx("explain", "测算.xlsx", "广东")[1][1] == "2024年第一批基准情景：广东的名额为80家。"
    assert any("抽样" in line for line in zjtx("sweep", "测算.xlsx", "--draws", "8")[1])
    assert zjtx("convert", "测算.xlsx", "第二批.toml", "--batch", "2")[1] == [
        "第二批.toml",
        "第二批-第1批.toml",
        "第二批-第3批.toml",
    ]
    second = za.load_scenario("第二批.toml")
    assert (second.total, second.budget_with) == (1241, ["第二批-第1批.toml", "第二批-第3批.toml"])
    assert zjtx("convert", "第二批.toml", "回来.xlsx")[1] == ["回来.xlsx"]
    back = [content(b.scenario) for b in za.load_programme("回来.xlsx").batches]
    assert back == [content(b.scenario) for b in za.load_programme("测算.xlsx").batches]


def content(scenario):
    return {k: v for k, v in scenario.resolved().items() if k != "budget_with"}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["allocate", "测算.xlsx", "--batch", "7"], "测算.xlsx 中没有第7批；现有：1、2、3"),
        (["allocate", "2024-baseline", "--batch", "1"], "--batch 只用于测算工作簿"),
        (["allocate", "测算.xlsx", "--data", "测算.xlsx"], "不能再用 --data"),
        (["convert", "测算.xlsx", "b.xlsx"], "须一个是 .toml"),
        (["budget", "测算.xlsx", "2024-baseline"], "请只给一个"),
        (["allocate", "因素表.xlsx"], "不是测算工作簿：没有名为"),
        (["allocate", "没有.xlsx"], "找不到"),
        (["check", "测算.xlsx", "--mark", "副本.csv"], "副本也须是 .xlsx"),
    ],
)  # fmt: skip
def test_a_mistaken_call_is_answered(call, said, desk, zjtx):
    zjtx("new", "测算.xlsx")
    zjtx("template", "因素表.xlsx")
    code, _, err = zjtx(*call)
    assert code in (1, 2)
    assert said in err


@pytest.mark.thorough
def test_what_was_read_and_is_not_used_is_said_first(desk, zjtx):
    zjtx("new", "测算.xlsx")

    def change(book):
        cell_of(book["批次"], {"批次": 2}, "取整结转").value = "是"
        cell_of(book["预算"], {"年度": 2027}, "限额").value = 200000
        cell_of(book["因素"], {"代码": "320000"}, "规模以上工业中小企业数").value = 60000
        book["单位规则"].cell(3, 12, "联系电话")
        book.create_sheet("附件")

    edited("测算.xlsx", change)
    lines = zjtx("allocate", "测算.xlsx", "--out", "a.csv")[1]
    assert lines == [
        "测算.xlsx：第1批，2024年第一批基准情景。",
        "未读取的工作表（不是测算工作簿的工作表）：附件。",
        "未读取的列（不是已知的列）：单位规则 L 联系电话。",
        "因素“规模以上工业中小企业数”改为用户提供：江苏单位与随附数不同，其余仍为随附数；表头的数据期仍是 2023-12，若已是新数，请改表头；用于第1批。",
        "工作表 预算 只用于 zjtx budget，本命令不用。",
        "用户提供（测算.xlsx），取代随附数据或代用指标：规模以上工业中小企业数。",
        "其余因素为随附数据：有效期内“小巨人”企业数、上一轮绩效评价后继续支持企业数。",
        "a.csv",
    ]
    assert zjtx("check", "测算.xlsx")[1][:2] == [
        "测算.xlsx：已知的表均可读取，另有内容未读取，见下。",
        "第1批（测算）：2024年第一批基准情景，名额总量1,039家。",
    ]


@pytest.mark.thorough
def test_the_explorer_is_handed_files(desk, zjtx, monkeypatch):
    zjtx("new", "测算.xlsx")
    edited(
        "测算.xlsx",
        lambda book: setattr(cell_of(book["因素"], {"代码": "320000"}, "规模以上工业中小企业数"), "value", 60000),
    )
    seen = []

    def serve(where, data, _notify):
        seen.append((za.load_scenario(where).title, za.load_panel(data).values("sme_count", "2023-12")["320000"]))

    monkeypatch.setattr(cli, "serve", serve)
    assert zjtx("explore", "测算.xlsx", "--batch", "2")[0] == 0
    assert seen == [("2025年第二批基准情景", 60000.0)]


@pytest.mark.thorough
def test_reports_and_budgets_of_a_workbook_are_computed_again(desk, zjtx, plain_pages):
    zjtx("new", "测算.xlsx")

    def change(book):
        cell_of(book["因素"], {"代码": "320000"}, "规模以上工业中小企业数").value = 60000
        cell_of(book["单位规则"], {"代码": "440000"}, "上限").value = 60
        cell_of(book["预算"], {"年度": 2027}, "限额").value = 200000
        cell_of(book["预算"], {"年度": 2024}, "上一轮尾款").value = 200
        add(book["实际下达"], {"代码": "110000", "年度": 2024, "文号": "甲", "金额": 5400})

    edited("测算.xlsx", change)
    assert zjtx("report", "测算.xlsx", "--batch", "2", "--out", "出")[1][-1] == "出/测算-第2批"
    folder = desk / "出" / "测算-第2批"
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["scenarios"]["测算-第2批"]["cap"] == {"440000": 60}
    assert quotas(folder / "allocation.csv")["440000"] == 60
    assert (folder / "given" / "测算.xlsx").read_bytes() == (desk / "测算.xlsx").read_bytes()
    assert za.verify_run(folder) == ()
    assert zjtx("budget", "测算.xlsx", "--out", "出")[1][-1] == "出/budget"
    record = json.loads((desk / "出" / "budget" / "run.json").read_text(encoding="utf-8"))
    assert (record["ceilings"], record["tails"]["payment"], "actuals" in record["inputs"]) == (
        {"2027": 200000},
        200,
        True,
    )
    assert za.verify_run(desk / "出" / "budget") == ()
    assert zjtx("compare", "2024-baseline", "测算.xlsx", "--out", "出")[0] == 0
    (desk / "出" / "测算-第2批" / "given" / "测算.xlsx").write_bytes(b"")
    assert any("given/测算.xlsx" in line for line in za.verify_run(folder))
    assert openpyxl.load_workbook(folder / "report.xlsx").sheetnames


@pytest.mark.thorough
def test_an_option_in_the_place_of_a_sheet_is_said(desk, capsys):
    za.load_programme(write_programme(desk / "测算.xlsx", za.load_scenario("2024-baseline")))

    def change(book):
        cell_of(book["预算"], {"年度": 2027}, "限额").value = 200000
        cell_of(book["预算"], {"年度": 2024}, "测算基准日").value = "2025-12-31"
        add(book["实际下达"], {"代码": "110000", "年度": 2024, "文号": "甲", "金额": 5400})

    edited("测算.xlsx", change)
    found = [opened("测算.xlsx", None, None, with_money=True)]
    capsys.readouterr()
    asked = {"ceilings": {2027: 1}, "confidence": "0.9", "as_of": datetime.date(2026, 11, 30), "before": None}
    request = budget_request(found, asked)
    assert (request.ceilings, request.as_of, len(request.transfers)) == ({2027: 1}, asked["as_of"], 1)
    assert capsys.readouterr().out.splitlines() == [
        "命令行 --ceilings 取代工作表 预算 限额 所填的内容。",
        "命令行 --as-of 取代工作表 预算 测算基准日 所填的内容。",
    ]  # the confidence is the sheet's own
