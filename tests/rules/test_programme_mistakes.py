"""Typical mistakes in a programme's workbook: each is answered with sheet, row, column, value, what is wrong and a remedy."""

import re

import openpyxl
import pytest
from support.programme_edits import add, cell_of, column_of, edited, header_of
from support.tables import base, text, xlsx

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.documents.programme_workbook import write_programme

SME, GIANTS, KEPT = "规模以上工业中小企业数", "有效期内“小巨人”企业数", "上一轮绩效评价后继续支持企业数"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write_programme(tmp_path_factory.mktemp("mistakes") / "测算.xlsx", za.load_scenario("2024-baseline"))


def put(sheet, keys, word, value):
    """A mistake: one cell gets a value."""

    def change(book):
        cell_of(book[sheet], keys, word).value = value

    return change


def row(sheet, **values):
    """A mistake: a row more."""
    return lambda book: add(book[sheet], values)


def headed(sheet, word, text):
    """A mistake: a header is another."""

    def change(book):
        book[sheet].cell(header_of(book[sheet])[0], column_of(book[sheet], word)).value = text

    return change


def both(*changes):
    def change(book):
        for one in changes:
            one(book)

    return change


def titled(sheet, title):
    """A mistake: a sheet is called otherwise."""
    return lambda book: setattr(book[sheet], "title", title)


def exchanged(book):
    """A mistake: the numbers of two columns stand under each other's header."""
    sheet = book["因素"]
    one, other = column_of(sheet, SME), column_of(sheet, GIANTS)
    for number in range(4, 41):
        a, b = sheet.cell(number, one), sheet.cell(number, other)
        a.value, b.value = b.value, a.value


def multiplied(word, times):
    """A mistake: a column in another measure."""

    def change(book):
        sheet = book["因素"]
        for number in range(4, 41):
            sheet.cell(number, column_of(sheet, word)).value *= times

    return change


def partly(book):
    """A mistake: a column is filled for one unit alone."""
    sheet = book["因素"]
    sheet.cell(4, column_of(sheet, "中小企业培育绩效"), 80)


def repeated(book):
    sheet = book["单位规则"]
    sheet.cell(3, sheet.max_column + 1, "上限（家）")


ONE, TWO = {"批次": 1}, {"批次": 2}
BJ, JS = {"代码": "110000"}, {"代码": "320000"}
MISTAKES = {
    "floor of -5": (put("单位规则", BJ, "下限", -5), ("单位规则", 5, "E 下限(家)", "-5", "为负数")),
    "fraction of a place": (put("单位规则", BJ, "上限", 30.5), ("单位规则", 5, "F 上限(家)", "30.5", "不是整数")),
    "words for a number": (put("单位规则", BJ, "下限", "约10"), ("单位规则", 5, "E 下限(家)", "约10", "不是数字")),
    "unknown unit": (put("单位规则", BJ, "代码", "119999"), ("单位规则", 5, "B 代码", "119999", "不是37个单位之一")),
    "unit and code differ": (put("单位规则", BJ, "单位", "江苏"), ("单位规则", 5, "C 单位", "江苏", "代码与名称不是同一单位")),
    "row twice": (both(put("单位规则", BJ, "下限", 3), row("单位规则", 代码="110000", 下限=4)), ("单位规则", 42, "E 下限(家)", "4", "与第5行重复")),
    "floor above cap": (both(put("单位规则", BJ, "下限", 50), put("单位规则", BJ, "上限", 40)), ("单位规则", 5, "E 下限(家)", "50", "下限 50 大于上限 40")),
    "floor above the total": (put("单位规则", BJ, "下限", 5000), ("单位规则", 5, "E 下限(家)", "5000", "大于名额总量 1039")),
    "floors above the total": (put("单位规则", {"代码": "其他单位"}, "下限", 40), ("批次", 4, "C 名额总量(家)", "1039", "各单位下限合计 1480，大于名额总量")),
    "caps below the total": (put("单位规则", {"代码": "其他单位"}, "上限", 20), ("批次", 4, "C 名额总量(家)", "1039", "各单位上限合计 740，小于名额总量")),
    "decided without a reason": (put("单位规则", BJ, "人工调整名额", 20), ("单位规则", 5, "I 理由", "", "人工调整没有写理由")),
    "reason without a quota": (put("单位规则", BJ, "理由", "会商"), ("单位规则", 5, "H 人工调整名额(家)", "", "写了理由，没有写人工调整名额")),
    "decided above what can be recommended": (
        both(put("单位规则", JS, "批次", 1), put("单位规则", JS, "可推荐企业数", 10), put("单位规则", JS, "人工调整名额", 20), put("单位规则", JS, "理由", "会商")),
        ("单位规则", 15, "H 人工调整名额(家)", "20", "江苏的人工调整名额大于可推荐企业数 10"),
    ),
    "header nearly right": (headed("单位规则", "上限", "上线（家）"), ("单位规则", 3, "F 上线(家)", "上线(家)", "与“上限（家）”相近但不相同，不会读取")),
    "column twice": (repeated, ("单位规则", 3, "J 上限(家)", "上限(家)", "与 F 上限(家) 列重复")),
    "needed column gone": (headed("权重", "因素", "甲"), ("权重", 3, "", "", "缺少“因素”列")),
    "sheet nearly right": (titled("单位规则", "单位规划"), ("单位规划", "—", "", "单位规划", "与工作表“单位规则”相近但不相同，不会读取")),
    "weights that do not sum to one": (put("权重", {"因素": SME}, "权重", 0.5), ("权重", 4, "D 权重", "1.1", "第4、5、6行的权重合计不是1")),
    "weight as a whole percentage": (put("权重", {"因素": SME}, "权重", 40), ("权重", 4, "D 权重", "40", "大于1")),
    "weight outside its typed range": (put("权重", {"因素": SME}, "最大", 0.3), ("权重", 4, "D 权重", "0.4", "不在范围 0.2 至 0.3 之内")),
    "range upside down": (put("权重", {"因素": SME}, "最小", 0.9), ("权重", 4, "F 最小", "0.9", "最小 0.9 大于最大 0.6")),
    "half a range": (put("权重", {"因素": SME}, "最小", None), ("权重", 4, "F 最小", "", "范围只写了一端")),
    "factor twice": (row("权重", 批次=1, 因素=GIANTS, 权重=0.1), ("权重", 13, "D 权重", "0.1", "与第5行重复")),
    "factor of all batches where each has its own": (row("权重", 因素=GIANTS, 权重=0.1), ("权重", 13, "A 批次", "", "没有作用")),
    "weight blank": (put("权重", {"因素": SME}, "权重", None), ("权重", 4, "D 权重", "", "空白")),
    "group of all batches where each has its own": (
        both(row("组合规则", 名称="西部", 地区="西部", 下限=190), *(row("组合规则", 批次=n, 名称="西部", 地区="西部", 下限=200) for n in (1, 2, 3))),
        ("组合规则", 4, "A 批次", "", "没有作用：各批都另有一行"),
    ),
    "floor of all batches where each has its own": (
        both(put("单位规则", BJ, "下限", 3), *(row("单位规则", 批次=n, 代码="110000", 下限=2) for n in (1, 2, 3))),
        ("单位规则", 5, "A 批次", "", "没有作用：各批都另有一行"),
    ),
    "bases above the total": (put("单位规则", {"代码": "其他单位"}, "基数", 500), ("批次", 4, "C 名额总量(家)", "1039", "各单位基数合计 18500，大于名额总量")),
    "no factor at all": (lambda book: book["权重"].delete_rows(4, 9), ("权重", "—", "", "", "第1批没有因素和权重")),
    "a pool for one factor alone": (put("权重", {"因素": SME}, "名额池", "甲"), ("权重", 4, "E 数据期", "2023-12", "同一批有的因素写了名额池，有的没有写")),
    "pool without a share": (
        both(*(put("权重", {"因素": name} | ONE, "名额池", "甲") for name in (SME, GIANTS, KEPT))),
        ("权重", 4, "E 数据期", "2023-12", "“其他设置”的键 pools.甲.share：不合规定"),
    ),
    "range of one weight alone": (
        both(*(put("权重", {"因素": name} | ONE, end, None) for name in (GIANTS, KEPT) for end in ("最小", "最大"))),
        ("批次", 4, "A 批次", "1", "规模以上工业中小企业数 写了范围"),
    ),
    "more to recommend than the nation has": (both(put("单位规则", JS, "批次", 1), put("单位规则", JS, "可推荐企业数", 90000)), ("单位规则", 15, "G 可推荐企业数(家)", "90000", "第1批可推荐企业数合计是全国有效期内“小巨人”企业数17,589（2025-12）的5.1倍")),
    "coefficient of nothing": (put("系数", {"地区": "西部"}, "系数", 0), ("系数", 6, "C 系数", "0", "不是大于0的数")),
    "region gone": (put("系数", {"地区": "西部"}, "地区", "西北"), ("系数", 7, "C 系数", "1.1", "缺少地区：西部")),
    "coefficient outside its range": (put("系数", {"地区": "西部"}, "最大", 1.05), ("系数", 6, "C 系数", "1.1", "不在范围 1 至 1.05 之内")),
    "total of nothing": (put("批次", ONE, "名额总量", 0), ("批次", 4, "C 名额总量(家)", "0", "为0")),
    "batch twice": (put("批次", TWO, "批次", 1), ("批次", 5, "A 批次", "1", "与第4行重复")),
    "batch that is none": (put("批次", TWO, "批次", "2025年"), ("批次", 5, "A 批次", "2025年", "不是批次")),
    "criterion that is none": (put("批次", ONE, "准则", "四舍五入"), ("批次", 4, "E 准则", "四舍五入", "不是可选的内容")),
    "rate above one": (put("批次", ONE, "审核通过率", 95), ("批次", 4, "H 审核通过率", "95", "大于1")),
    "scenario that is none": (put("批次", ONE, "沿用情景", "2023-baseline"), ("批次", 4, "K 沿用情景", "2023-baseline", "没有这个情景")),
    "factor that is none": (both(row("权重", 因素="专利数", 权重=0.1), put("权重", {"因素": GIANTS}, "权重", 0.3)), ("权重", 13, "C 因素", "专利数", "不是已知的因素")),
    "factor without a period": (both(row("权重", 因素="GDP", 权重=0.1), put("权重", {"因素": GIANTS}, "权重", 0.3)), ("权重", 13, "E 数据期", "", "空白")),
    "period that is not there": (put("权重", {"因素": SME}, "数据期", "2099"), ("权重", 4, "E 数据期", "2099", "2099")),
    "pool of all units": (put("单位规则", {"代码": "其他单位"}, "可推荐企业数", 20), ("单位规则", 4, "G 可推荐企业数(家)", "20", "须逐个单位写")),
    "pool of no batch": (
        both(put("单位规则", BJ, "可推荐企业数", 90), put("单位规则", JS, "可推荐企业数", 100)),
        ("单位规则", 5, "A 批次", "", "可推荐企业数没有写批次（第5、15行），不知是哪一批的"),
    ),
    "results of a batch that is not there": (
        both(lambda book: book["批次"].delete_rows(4), put("审核结果", BJ | ONE, "审核通过", 4)), ("审核结果", 4, "A 批次", "1", "不足以作为已知批次计入"),
    ),
    "group of nobody": (row("组合规则", 名称="西部", 下限=190), ("组合规则", 4, "E 单位", "", "地区和单位须写其一，且只写其一")),
    "group of an unknown unit": (row("组合规则", 名称="甲", 单位="江苏、苏州", 下限=1), ("组合规则", 4, "E 单位", "江苏、苏州", "“苏州”不是37个单位之一")),
    "rule without bounds": (row("组合规则", 名称="甲", 地区="西部"), ("组合规则", 4, "F 下限(家)", "", "没有写任何上下限")),
    "group above the total": (row("组合规则", 名称="甲", 地区="西部", 下限=2000), ("组合规则", 4, "F 下限(家)", "2000", "大于名额总量 1039")),
    "more approved than granted": (
        both(put("审核结果", BJ | ONE, "下达名额", 40), put("审核结果", BJ | ONE, "审核通过", 41)),
        ("审核结果", 4, "F 审核通过(家)", "41", "大于“D 下达名额(家)”的 40"),
    ),
    "more granted than there are": (put("审核结果", BJ | ONE, "下达名额", 4000), ("审核结果", 4, "D 下达名额(家)", "4000", "大于名额总量 1039")),
    "approvals of another batch": (row("审核结果", 批次=5, 代码="110000", 审核通过=1), ("审核结果", 115, "A 批次", "5", "批次表中没有这一批")),
    "approvals twice": (
        both(put("审核结果", BJ | ONE, "审核通过", 4), row("审核结果", 批次=1, 代码="110000", 审核通过=1)),
        ("审核结果", 115, "B 代码", "110000", "与第4行重复"),
    ),
    "more outcomes than firms": (
        both(put("审核结果", BJ | ONE, "审核通过", 4), row("期末结果", 批次=1, 代码="110000", 年度=2027, 完成=5)),
        ("期末结果", 4, "E 完成(家)", "5", "结果合计大于审核通过的 4 家"),
    ),
    "transfer in yuan": (row("实际下达", 代码="110000", 年度=2024, 文号="甲", 金额=2100000), ("实际下达", 4, "E 金额(万元)", "2100000", "过大，像是以元填写")),
    "transfer taken back in yuan": (row("实际下达", 代码="110000", 年度=2024, 文号="甲", 金额=-2100000), ("实际下达", 4, "E 金额(万元)", "-2100000", "过大，像是以元填写")),
    "transfer twice": (
        both(row("实际下达", 代码="110000", 年度=2024, 文号="甲", 金额=5), row("实际下达", 代码="110000", 年度=2024, 文号="甲", 金额=5)),
        ("实际下达", 5, "A 代码", "110000", "与第4行重复"),
    ),
    "transfer of a day": (row("实际下达", 代码="110000", 年度="2024-12-11", 文号="甲", 金额=1), ("实际下达", 4, "C 年度", "2024-12-11", "不是年度")),
    "transfer without a document": (row("实际下达", 代码="110000", 年度=2024, 金额=1), ("实际下达", 4, "D 文号", "", "空白")),
    "ceiling in yuan": (put("预算", {"年度": 2024}, "限额", 3117000000), ("预算", 4, "B 限额(万元)", "3117000000", "过大，像是以元填写")),
    "ceiling in 100 million": (put("预算", {"年度": 2024}, "限额", 31), ("预算", 4, "B 限额(万元)", "31", "过小，像是以亿元填写")),
    "day that is none": (put("预算", {"年度": 2024}, "测算基准日", "2026-13-01"), ("预算", 4, "G 测算基准日", "2026-13-01", "没有这一天")),
    "setting that is none": (row("其他设置", 键="xiaxian", 值=1), ("其他设置", 25, "B 键", "xiaxian", "没有这一项")),
    "setting that cannot be": (row("其他设置", 键="change.max_relative", 值="一成"), ("其他设置", 25, "C 值", "一成", "不合规定")),
    "factors exchanged": (exchanged, ("因素", 3, "E 有效期内“小巨人”企业数(家,2024-06)", "472,948", "两列像是互换了")),
    "factor beyond the nation": (multiplied(SME, 100), ("因素", 3, "C 规模以上工业中小企业数(家,2023-12)", "47,294,800", "合计是全国数")),
    "factor partly filled": (partly, ("因素", 5, "I 中小企业培育绩效(分)", "", "空白")),
    "factor header nearly right": (headed("因素", GIANTS, "有效期内“小巨人”企业书（家）"), ("因素", 3, "E 有效期内“小巨人”企业书(家)", "有效期内“小巨人”企业书(家)", "不会读取")),
    "factor negative": (put("因素", JS, SME, -1), ("因素", 14, "C 规模以上工业中小企业数(家,2023-12)", "-1", "为负数")),
    "factor in text": (put("因素", JS, SME, "2.3万"), ("因素", 14, "C 规模以上工业中小企业数(家,2023-12)", "2.3万", "不是数字")),
    "unit of the factors gone": (both(put("因素", JS, "单位", None), put("因素", JS, "代码", None)), ("因素", 14, "单位", "", "没有单位名称")),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_its_cell_and_a_remedy(name, plain, tmp_path):
    change, (sheet, number, column, value, what) = MISTAKES[name]
    path = edited(plain, change, tmp_path / "测算.xlsx")
    with pytest.raises(za.TableError) as caught:
        za.load_programme(path)
    problems = caught.value.problems
    found = [tuple(map(str, row[:4])) for row in problems.itertuples(index=False, name=None)]
    assert (sheet, str(number), column, value) in found, problems.to_string()
    assert not re.search(r"\[[a-z]|known：|[a-z]_[a-z]", " ".join(problems["问题"])), problems.to_string()
    line = problems.iloc[found.index((sheet, str(number), column, value))]
    assert what in line["问题"]
    assert line["处理办法"]


@pytest.mark.thorough
def test_a_mistake_is_answered_once_and_no_row_that_acts_is_said_to_have_no_effect(plain, tmp_path):
    own = [row("单位规则", 批次=n, 代码="110000", 下限=2) for n in (1, 2, 3)]
    acting = both(put("单位规则", BJ, "可推荐企业数", 60), put("单位规则", BJ, "下限", 3), *own)
    single = both(
        put("单位规则", BJ, "可推荐企业数", 60),
        put("单位规则", BJ, "下限", 3),
        own[0],
        lambda book: book["批次"].delete_rows(5, 2),
    )
    assert len(za.load_programme(edited(plain, single, tmp_path / "可推荐.xlsx")).batches) == 1
    names = ("reason without a quota", "group of nobody", "setting that is none", "more approved than granted")
    for name, (change, (sheet, number, *_)) in (
        {n: MISTAKES[n] for n in names} | {"各批": (acting, ("单位规则", 5))}
    ).items():
        with pytest.raises(za.TableError) as caught:
            za.load_programme(edited(plain, change, tmp_path / f"{name}.xlsx"))
        assert caught.value.problems[["工作表", "行"]].to_numpy().tolist() == [[sheet, number]]


@pytest.mark.thorough
def test_mistakes_are_answered_all_at_once(plain, tmp_path):
    together = [
        "fraction of a place", "unknown unit", "group above the total", "weights that do not sum to one", "half a range",
        "transfer in yuan", "ceiling in 100 million", "factor partly filled", "scenario that is none", "more approved than granted",
    ]  # fmt: skip
    path = edited(plain, both(*(MISTAKES[name][0] for name in together)), tmp_path / "测算.xlsx")
    with pytest.raises(za.TableError) as caught:
        za.load_programme(path)
    found = {row[:2] for row in caught.value.problems.astype(str).itertuples(index=False, name=None)}
    expected = {(MISTAKES[name][1][0], str(MISTAKES[name][1][1])) for name in together}
    assert expected - found == set()
    sheets = list(dict.fromkeys(caught.value.problems["工作表"]))
    assert sheets == ["因素", "批次", "权重", "单位规则", "组合规则", "审核结果", "实际下达", "预算"]


@pytest.mark.thorough
def test_a_marked_copy_has_the_wrong_cells_coloured_and_commented(plain, tmp_path, capsys):
    path = edited(plain, both(put("单位规则", BJ, "下限", -5), titled("其他设置", "其它设置")), tmp_path / "测算.xlsx")
    with pytest.raises(SystemExit, match="1"):
        main(["check", str(path), "--mark", str(tmp_path / "标出.xlsx")])
    assert "已在 " in capsys.readouterr().err
    book = openpyxl.load_workbook(tmp_path / "标出.xlsx")
    cell = book["单位规则"]["E5"]
    assert (cell.value, cell.fill.start_color.rgb) == (-5, "FFFFC7CE")
    assert cell.comment.text == "为负数。请核对后填入非负数"
    assert book["其它设置"]["A1"].comment.text.startswith("与工作表“其他设置”相近")
    assert book["单位规则"]["F5"].comment is None
    said = next(row[2].value for row in book["说明"].iter_rows() if row[1].value == "上次核对")
    assert said.endswith("：有2处错误，已在各表标红、加批注；改正后请再核对。")
    with pytest.raises(SystemExit, match="1"):
        main(["check", str(path), "--mark", str(tmp_path / "标出.xlsx")])
    assert "文件已存在" in capsys.readouterr().err


def test_a_plain_factor_table_is_marked_too_and_text_is_not(tmp_path, capsys):
    rows = base()
    rows[3][1] = "约200"
    (tmp_path / "因素.xlsx").write_bytes(xlsx(rows))
    with pytest.raises(SystemExit, match="1"):
        main(["check", str(tmp_path / "因素.xlsx"), "--mark", str(tmp_path / "标出.xlsx")])
    assert openpyxl.load_workbook(tmp_path / "标出.xlsx").active["B4"].comment.text.startswith("不是数字。")
    (tmp_path / "因素.csv").write_bytes(text(rows))
    with pytest.raises(SystemExit, match="1"):
        main(["check", str(tmp_path / "因素.csv"), "--mark", str(tmp_path / "标出2.xlsx")])
    assert "只能在 .xlsx 文件上标出错格" in capsys.readouterr().err
