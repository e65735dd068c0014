"""The user's own numbers: cells and names as people write them, check, template, report, Windows."""

import json
import os
import subprocess
import sys

import openpyxl
import pytest
from support.tables import CITIES, base, text, xlsx

import zjtx_alloc as za
from zjtx_alloc.base.files import check_free, write_whole
from zjtx_alloc.cli.main import main
from zjtx_alloc.facts.cells import amount, header_of, stated_measures, stated_otherwise, unit_of
from zjtx_alloc.facts.reading import read_table


@pytest.fixture
def write_table(tmp_path):
    """Write rows as Excel into a path with Chinese and spaces."""

    def write(rows, name="我的 因素表.xlsx"):
        (tmp_path / name).write_bytes(xlsx(rows))
        return tmp_path / name

    return write


def zjtx(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return stop.value.code, output.out, output.err


@pytest.mark.parametrize(
    ("cell", "code"),
    [("广东", "440000"), ("广东省", "440000"), (440000, "440000"), (440000.0, "440000"), ("内蒙", "150000"),
     ("深圳市", "440300"), ("广东省深圳市", "440300"), ("新疆生产建设兵团", "660000"), ("新疆兵团", "660000"),
     ("广　东", "440000"), ("广东省（不含深圳）", "440000"), ("广东（深圳除外）", "440000"), ("合肥", None), (44, None)],
)  # fmt: skip
def test_units_go_by_many_names(cell, code):
    assert unit_of(cell) == code


def test_cells_and_headers_are_read_as_people_write_them():
    assert amount("１，２３４", "家") == 1234
    assert amount("1,23", "家") == "text"
    assert amount(True, "家") == "text"
    assert amount("1.5", "亿元") == 1.5
    assert header_of("规上工业中小企业数（2023年末，家）") == ("规上工业中小企业数", "家", "2023")
    assert header_of("2024年6月 小巨人企业数（家）") == ("小巨人企业数", "家", "2024-06")
    assert header_of("GDP（单位：亿元；2024年）") == ("GDP", "亿元", "2024")
    assert header_of("规上工业中小企业数（万家）")[1] == "万家"
    assert str(amount("-0", "家")) == "0.0"


def test_measures_that_titles_state():
    rows = [["情况表（单位：万家、亿元）"], ["填报单位：某某厅", None, "金额单位：元"]]
    assert stated_measures(rows) == {"家": "万家", "元": "元"}
    assert [stated_otherwise({"家": "户", "元": "元"}, measure) for measure in ("家", "万元", "元", "件", "%", "")] == [
        "", "元", "", "", "", "",
    ]  # fmt: skip


def test_what_is_beside_the_indicators_is_named(write_table):
    rows = [[*row, None, "已核"] for row in base()]
    rows[0][3:] = "可推荐企业数", "备注"
    reading = read_table(write_table(rows))
    assert reading.blank == ("D 可推荐企业数",)
    assert [heading.label for heading in reading.layout.unread] == ["E 备注"]


def test_true_counts_end_the_stand_ins_in_one_line(write_table, write_scenario):
    scenario = za.load_scenario(
        write_scenario('extends = "2024-old-stand-ins"\nend_stand_in = ["sme_count", "little_giants", "performance"]\n')
    )
    rows = [[*row, score] for row, score in zip(base(), ["培育绩效得分", *range(60, 97)], strict=True)]
    table = za.allocate(za.load_panel(write_table(rows)), scenario).table()
    assert (table["stand_in"] == "").all()
    assert (table["estimated"] == "").all()
    with pytest.raises(za.ScenarioError, match=r"end_stand_in.*gdp"):
        za.load_scenario(write_scenario('extends = "2024-baseline"\nend_stand_in = ["gdp"]\n'))


def test_a_check_compares_with_what_is_known(write_table, panel):
    """Shipped giants, but ten times as much for one unit: totals, differences and outliers by hand."""
    giants = panel.values("little_giants", "2025-12")
    rows = [["单位", "“小巨人”企业数（家）"], *([c, int(n)] for c, n in giants.items())]
    rows[1][1] *= 10
    check = za.check_table(write_table(rows))
    (column,) = check.columns.to_dict("records")
    total = 17589 + 9 * int(giants.iloc[0])
    assert column["各单位合计"] == f"{total:,}"
    assert (column["全国数（数据期）"], column["与全国数之比"]) == ("17,589（2025-12）", f"{total / 17589:.2f}")
    (difference,) = check.differences.to_dict("records")
    assert difference["不同的单位数"] == 1
    assert difference["变化最大的单位（随附→本表）"] == "北京 1,210→12,100"
    assert ["北京", "12,100"] in check.outliers[["单位", "取值"]].to_numpy().tolist()


def test_zjtx_check_tells_problems_or_what_was_understood(write_table, capsys):
    rows = base()
    code, out, err = zjtx(capsys, "check", write_table([*rows, ["合计", sum(r[1] for r in rows[1:]), None]]))
    assert (code, err) == (0, "")
    for said in ("表头在第1行，37个单位齐全，合计在第39行且与各行之和相符", "读取的列", "与随附数据的差别"):
        assert said in out
    assert "代用" not in out  # the factors are these very indicators
    code, out, err = zjtx(capsys, "check", write_table(rows), "--save", "新.toml")
    assert (
        out.splitlines()[-1] == "没有写出 新.toml：情景 2024-baseline 没有以其他指标代用本表的列，直接用 --data 即可。"
    )
    rows[3][1] = "约200"
    code, out, err = zjtx(capsys, "check", write_table(rows))
    assert (code, out) == (1, "")
    assert "4｜B 规模以上工业中小企业数(家)｜约200｜不是数字｜请只填数字" in err


@pytest.mark.slow
def test_from_an_empty_template_to_a_report_with_ones_own_numbers(tmp_path, capsys, monkeypatch):
    """template → fill → check → report: the numbers filled in are those that the entitlements rest on."""
    monkeypatch.chdir(tmp_path)
    assert zjtx(capsys, "template", "因素 表.xlsx")[:2] == (0, "因素 表.xlsx\n")
    book = openpyxl.load_workbook("因素 表.xlsx")
    sheet = book["因素表"]
    headers = [str(cell.value).replace("\n", "") for cell in sheet[3]]
    column = headers.index("中小企业培育绩效（分）") + 1
    for number in range(37):
        sheet.cell(4 + number, column, 1000 + 37 * number)
    book.save("因素 表.xlsx")
    code, out, _ = zjtx(capsys, "check", "因素 表.xlsx", "--save", "我的情景.toml")
    assert code == 0
    assert '下一步：zjtx report 我的情景.toml --data "因素 表.xlsx"' in out
    code, out, err = zjtx(capsys, "report", "我的情景.toml", "--data", "因素 表.xlsx", "--out", "报告 文件夹")
    assert code == 0, err
    record = json.loads((tmp_path / "报告 文件夹" / "我的情景" / "run.json").read_text(encoding="utf-8"))
    assert record["indicators"]["我的情景"] == {
        "supplied": {"performance": "用户提供"},
        "shipped": {"sme_count": "2023-12", "little_giants": "2024-06"},
    }
    page = (tmp_path / "报告 文件夹" / "我的情景" / "allocation.html").read_text(encoding="utf-8")
    assert "用户提供（因素 表.xlsx），取代随附数据或代用指标：中小企业培育绩效" in page
    assert "其余因素为随附数据：规模以上工业中小企业数、有效期内“小巨人”企业数" in page
    assert "以上一轮三批企业通过绩效评价继续支持的家数" not in page
    allocation = za.allocate(za.load_panel("因素 表.xlsx"), za.load_scenario("我的情景.toml"))
    shares = allocation.entitlement.contributions["performance"] / 1039 / 0.2
    assert shares.iloc[36] == pytest.approx((1000 + 37 * 36) / (37_000 + 37 * 666))


def test_check_warns_of_what_would_fail_later(write_table, capsys):
    rows = [["单位", "“小巨人”企业数", "培育绩效（分）"], *([row[0], 0, row[2]] for row in base()[1:])]
    code, out, _ = zjtx(capsys, "check", write_table(rows))
    assert code == 0
    assert "各单位合计为0、不能作分配因素的列：有效期内“小巨人”企业数；请核对" in out
    assert "情景 2024-baseline 以其他指标代用：中小企业培育绩效。计算时自动改用本表的列" in out


def test_a_cell_formatted_as_a_percentage_is_told_as_it_looks(write_table):
    path = write_table(base())
    book = openpyxl.load_workbook(path)
    book.active["B4"], book.active["B4"].number_format = 0.12, "0.00%"
    book.save(path)
    with pytest.raises(za.TableError) as caught:
        za.load_panel(path)
    assert caught.value.problems[["行", "内容", "问题"]].to_numpy().tolist() == [[4, "12%", "带百分号"]]


def test_the_template_lists_the_units_and_checks_what_is_typed(tmp_path):
    sheet = openpyxl.load_workbook(za.write_template(tmp_path / "空表.xlsx"))["因素表"]
    units = za.load_panel().units
    assert [row[0].value for row in sheet["A4:A40"]] == list(units.index)
    assert [row[0].value for row in sheet["B4:B40"]] == units["short_name"].tolist()
    kinds = {
        str(rule.sqref): (rule.type, rule.operator, rule.formula1) for rule in sheet.data_validations.dataValidation
    }
    assert kinds["C4:C40"] == ("list", None, '"省级合计"')
    assert kinds["D4:D40"] == ("whole", "greaterThanOrEqual", "0")
    assert set(kinds.values()) - {kinds["C4:C40"], kinds["D4:D40"]} == {("decimal", "greaterThanOrEqual", "0")}


def test_an_untouched_template_is_refused_and_a_filled_one_is_not_overwritten(tmp_path):
    path = za.write_template(tmp_path / "空表.xlsx")
    with pytest.raises(za.TableError, match="没有填写任何数字"):
        za.load_panel(path)
    with pytest.raises(za.ReportError, match=r"文件已存在：.*空表\.xlsx；为免覆盖"):
        za.write_template(path)
    with pytest.raises(za.ReportError, match=r"只能存为 \.xlsx"):
        za.write_template(tmp_path / "空表.csv")


def test_a_provincial_table_fills_the_template_too(tmp_path):
    """31 rows with 省级合计 where a city or the Corps is inside: split, and marked."""
    path = za.write_template(tmp_path / "空表.xlsx")
    book = openpyxl.load_workbook(path)
    sheet = book["因素表"]
    for number in range(40, 3, -1):
        if sheet.cell(number, 2).value in CITIES:
            sheet.delete_rows(number)
    for number in range(4, 35):
        sheet.cell(number, 4, 100)
        if sheet.cell(number, 2).value in ("辽宁", "浙江", "福建", "山东", "广东", "新疆"):
            sheet.cell(number, 3, "省级合计")
    book.save(path)
    column = za.load_panel(path).column("sme_count", "")
    assert column["estimated"].sum() == 12
    assert column["value"].sum() == pytest.approx(3100)


@pytest.mark.parametrize("header", ["小巨人企业数（家）", "小巨人企业数（2025年12月，家）"])
def test_a_provincial_column_is_split_by_the_shipped_shares_of_the_city(header, panel, write_table):
    """Also where it takes the place of the very column to split by: 深圳 has 1333 of 2543."""
    rows = [["单位", "口径", header], *([name, "", 100] for name in panel.units["short_name"] if name != "深圳")]
    rows[[row[0] for row in rows].index("广东")][1] = "省级合计"
    column = za.load_panel(write_table(rows)).column("little_giants", "2025-12")
    assert panel.values("little_giants", "2025-12")[["440000", "440300"]].tolist() == [1210, 1333]
    assert column["value"]["440300"] == pytest.approx(100 * 1333 / 2543)
    assert column.index[column["estimated"]].tolist() == ["440000", "440300"]


@pytest.mark.parametrize("own", [[], [["深圳", "", 80]]])
def test_a_score_of_a_whole_province_says_nothing_of_its_units(own, panel, write_table):
    rows = [
        ["单位", "口径", "培育绩效得分"],
        *([name, "", 90] for name in panel.units["short_name"] if name != "深圳"),
        *own,
    ]
    rows[[row[0] for row in rows].index("广东")][1] = "省级合计"
    with pytest.raises(za.DataError, match="广东省 performance 用户提供：这一指标各单位相加没有意义，省级合计无法拆分"):
        za.load_panel(write_table(rows))


def test_a_file_that_another_program_holds_open_is_named(tmp_path, monkeypatch):
    path = tmp_path / "allocation.csv"
    path.write_text("old", encoding="utf-8")

    def refuse(self, *_):
        raise PermissionError(13, "denied", str(self))

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(za.ReportError, match=r"文件正被占用，请关闭后重试：.*allocation\.csv"):
        write_whole(path, b"new")
    assert [(file.name, file.read_text(encoding="utf-8")) for file in tmp_path.iterdir()] == [("allocation.csv", "old")]
    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(za.ReportError, match="文件正被占用，请关闭后重试"):
        check_free([path])


def test_a_report_into_an_open_file_stops_before_it_starts(tmp_path, monkeypatch):
    (tmp_path / "2024-baseline").mkdir()
    taken = tmp_path / "2024-baseline" / "report.xlsx"
    taken.write_bytes(b"open in Excel")
    unhindered = type(taken).open

    def open_but_one(self, *arguments, **options):
        if self == taken:
            raise PermissionError(13, "denied", str(self))
        return unhindered(self, *arguments, **options)

    monkeypatch.setattr("pathlib.Path.open", open_but_one)
    with pytest.raises(za.ReportError, match=r"请关闭后重试：.*report\.xlsx"):
        za.run("2024-baseline", out=tmp_path)
    assert [path.name for path in taken.parent.iterdir()] == ["report.xlsx"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check", "坏 表.csv"], 1, "不是数字"),
        (["allocate", "2024-baseline", "--data", "好 表.csv", "--out", "结果 表.csv"], 0, "结果 表.csv"),
        (["--help"], 0, "名额分配"),
    ],
)
def test_a_gbk_console_shows_chinese(arguments, code, said, tmp_path):
    rows = base()
    (tmp_path / "好 表.csv").write_bytes(text(rows, "gbk"))
    rows[3][1] = "约200"
    (tmp_path / "坏 表.csv").write_bytes(text(rows, "gbk"))
    done = subprocess.run(
        [sys.executable, "-m", "zjtx_alloc", *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "gbk", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == code
    assert said in (done.stdout + done.stderr).decode("gbk")


@pytest.mark.parametrize("cell", ["1 00", "1\u300000", "12 34", "1 234 5", "1 2345", "0 5", "１ ００"])
def test_a_space_inside_a_number_is_refused_but_between_groups_of_three(cell):
    assert amount(cell, "家") == "spaced"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1 234", 1234),
        (" 100 ", 100),
        ("12 345 678", 12345678),
        ("1\u00a0234", 1234),
        ("１ ２３４", 1234),
        ("1,234", 1234),
    ],
)
def test_a_space_between_groups_of_three_digits_separates_thousands(cell, number):
    assert amount(cell, "家") == number
