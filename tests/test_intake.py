"""Users' own tables: good ones give exactly their numbers, bad ones exactly their problems."""

import openpyxl
import pytest

import zjtx_alloc as za
from zjtx_alloc.intake.cells import amount, header_of, unit_of
from zjtx_alloc.intake.reading import read_table

HEADER = ["单位", "规模以上工业中小企业数（家）", "“小巨人”企业数"]
SMALL = {"大连": "210000", "宁波": "330000", "厦门": "350000", "青岛": "370000", "深圳": "440000", "兵团": "650000"}


@pytest.fixture
def rows(panel):
    """A whole table: a header, 37 units, counts that differ everywhere."""
    names = panel.units["short_name"]
    return [HEADER, *([name, 1000 + 37 * i, 100 + 3 * i] for i, name in enumerate(names))]


@pytest.fixture
def write_table(tmp_path):
    def write(rows, name="因素 表.xlsx", encoding="utf-8"):
        path = tmp_path / name
        if path.suffix == ".xlsx":
            book = openpyxl.Workbook()
            for row in rows:
                book.active.append(row)
            book.save(path)
        else:
            text = "\n".join(",".join(f'"{cell}"' if cell is not None else "" for cell in row) for row in rows)
            path.write_text(text, encoding=encoding)
        return path

    return write


def supplied(path):
    panel = za.load_panel(path)
    return panel, panel.values("sme_count", "2020")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("表.xlsx", ""), ("表.csv", "utf-8"), ("表.csv", "utf-8-sig"), ("表.csv", "gbk"), ("表.xls", "gbk")],
)
def test_a_good_table_gives_its_numbers_whatever_its_form(rows, write_table, name, encoding):
    panel, values = supplied(write_table(rows, name, encoding or "utf-8"))
    assert values.tolist() == [row[1] for row in rows[1:]]
    assert panel.values("little_giants", "2021-06").tolist() == [row[2] for row in rows[1:]]
    assert panel.values("rd_active_firms", "2020").sum() == 146_691  # the others stay shipped


def test_titles_totals_notes_and_odd_spellings_are_understood(rows, write_table, panel):
    rows[1:] = [[f" {name}", f"{count:,}".translate(str.maketrans("0123456789", "０１２３４５６７８９")), giants]
                for name, count, giants in rows[1:]]  # fmt: skip
    full = panel.units["name"].tolist()
    rows[1][0], rows[5][0], rows[23][0], rows[37][0] = full[0], "150000", "广东省（不含深圳）", "新疆兵团"
    rows = [["2024年因素表"], [], *rows, ["合计", None, None], ["注：试填"]]
    path = write_table(rows)
    _, values = supplied(path)
    assert values.tolist() == [1000 + 37 * i for i in range(37)]
    reading = read_table(path)
    assert (reading.layout.header_rows, reading.total_row) == ((3,), 41)


def test_a_header_of_two_rows_is_read_together(rows, write_table):
    rows = [["单位", "规模以上工业", None, "其他"], [None, "中小企业数（家）", "小巨人企业数", "备注"], *rows[1:]]
    _, values = supplied(write_table(rows))
    assert values.iloc[1] == 1037
    reading = read_table(write_table(rows))
    assert reading.layout.header_rows == (1, 2)
    assert reading.layout.unread == ("备注",)


def test_a_column_left_empty_is_named_and_not_read(rows, write_table):
    reading = read_table(write_table([[*row[:2], None] if i else row for i, row in enumerate(rows)]))
    assert [column.indicator for column in reading.layout.columns] == ["sme_count"]
    assert reading.blank == ("C “小巨人”企业数",)


def test_a_provincial_figure_is_split_and_marked_only_where_the_table_says_so(rows, write_table):
    named = [row for row in rows if row[0] not in SMALL]
    with pytest.raises(
        za.DataError, match=r"大连、宁波、厦门、青岛、深圳、兵团.*两种办法：补上缺少的单位；或在.*省级合计"
    ):
        za.load_panel(write_table(named))
    provinces = {"辽宁", "浙江", "福建", "山东", "广东", "新疆"}
    scoped = [[*row, "口径" if i == 0 else "省级合计" if row[0] in provinces else ""] for i, row in enumerate(named)]
    panel = za.load_panel(write_table([[row[0], row[1], row[3]] for row in scoped]))
    column = panel.column("sme_count", "2020")
    assert column["estimated"].sum() == 12
    guangdong = next(row[1] for row in rows if row[0] == "广东")
    assert column["value"][["440000", "440300"]].sum() == pytest.approx(guangdong)


WRONG = {
    "text": ((3, 1, "约200"), 4, "不是数字"),
    "negative": ((3, 1, -3), 4, "为负数"),
    "fraction": ((3, 1, 1.5), 4, "不是整数"),
    "percent": ((3, 2, "12%"), 4, "带百分号"),
    "blank": ((3, 2, None), 4, "空白"),
    "formula": ((3, 2, "=1+1"), 4, "公式没有计算结果"),
    "error value": ((3, 2, "#REF!"), 4, "公式出错"),
    "unknown unit": ((3, 0, "江东"), 4, "不是37个单位之一"),
    "no unit": ((3, 0, None), 4, "没有单位名称"),
    "with its city": ((23, 0, "广东（含深圳）"), 24, "含计划单列市或兵团，不是单个单位"),
    "twice": ((3, 0, "天津"), 4, "与第3行重复"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_problem_is_told_by_its_row(rows, write_table, case):
    (place, column, value), row, what = WRONG[case]
    rows[place][column] = value
    reading = read_table(write_table(rows))
    assert (row, what) in [(problem.row, problem.what) for problem in reading.problems]
    assert all(problem.remedy for problem in reading.problems)


def test_every_problem_of_a_file_is_told_at_once(rows, write_table):
    for (place, column, value), _, _ in (WRONG["text"], WRONG["unknown unit"]):
        rows[place][column] = value
    rows[8][2] = -1
    with pytest.raises(za.DataError) as caught:
        za.load_panel(write_table(rows))
    lines = str(caught.value).splitlines()
    assert lines[0] == "因素 表.xlsx（Sheet） 有4处问题："
    assert lines[1] == "行｜列｜内容｜问题｜处理办法"
    assert [line.split("｜")[:3] for line in lines[2:]] == [
        ["4", "单位", "江东"],
        ["4", "B 规模以上工业中小企业数(家)", "约200"],
        ["9", "C “小巨人”企业数", "-1"],
        ["—", "单位", "河北"],
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0rest", "另存为 .xlsx"),
        (b"PK\x03\x04rest", "无法打开"),
        (b"\x00\x01\x02", "不是 Excel 或 CSV"),
        (b"", "没有找到因素表"),
        ("甲,乙\n1,2\n".encode(), "没有找到因素表"),
        (("单位,小巨人企业数\n" + "北京,1\n" * 1200).encode(), "超过1000行"),
    ],
)
def test_a_file_that_is_no_table_says_why(tmp_path, content, said):
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(za.DataError, match=said):
        za.load_panel(path)


def test_true_counts_end_the_stand_ins_in_one_line(rows, write_table, write_scenario):
    scenario = za.load_scenario(
        write_scenario('extends = "2024-baseline"\nend_stand_in = ["sme_count", "little_giants"]\n')
    )
    table = za.allocate(za.load_panel(write_table(rows)), scenario).table()
    assert (table["stand_in"] == "").all()
    assert (table["estimated"] == "").all()
    with pytest.raises(za.ScenarioError, match=r"end_stand_in.*gdp"):
        za.load_scenario(write_scenario('extends = "2024-baseline"\nend_stand_in = ["gdp"]\n'))


def test_a_report_runs_on_the_users_numbers(rows, write_table, tmp_path):
    run = za.run("2024-baseline", out=tmp_path / "out", panel=za.load_panel(write_table(rows)))
    page = (run.folder / "allocation.html").read_text(encoding="utf-8")
    assert "用户提供" in page
    assert "因素 表.xlsx" in page


@pytest.mark.parametrize(
    ("cell", "code"),
    [("广东", "440000"), ("广东省", "440000"), (440000, "440000"), (440000.0, "440000"), ("内蒙", "150000"),
     ("深圳市", "440300"), ("广东省深圳市", "440300"), ("新疆生产建设兵团", "660000"), ("广　东", "440000"), ("合肥", None)],
)  # fmt: skip
def test_units_go_by_many_names(cell, code):
    assert unit_of(cell) == code


def test_cells_and_headers_are_read_as_people_write_them():
    assert amount("１，２３４", "家") == 1234
    assert amount("1,23", "家") == "text"
    assert amount(True, "家") == "text"
    assert header_of("规上工业中小企业数（2023年末，家）")[2] == "2023"
    assert header_of("2024年6月 小巨人企业数（家）") == ("小巨人企业数", "家", "2024-06")
