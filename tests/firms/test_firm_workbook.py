"""A province's firm workbook: carried through every stage by commands alone, its money that of the national ledger."""

import docx
import openpyxl
import pandas as pd
import pytest
from support.firm_tables import raw

import zjtx_alloc as za
from zjtx_alloc.base.units import load_units
from zjtx_alloc.cli.main import main
from zjtx_alloc.firms.book import read_book
from zjtx_alloc.report.documents.firm_copies import played as play
from zjtx_alloc.report.firm_documents.document import document, kinds
from zjtx_alloc.report.firm_documents.dossier import dossier_of
from zjtx_alloc.report.runs.notebooks import run_notebook
from zjtx_alloc.report.tables.firms import sheet_table

pytestmark = pytest.mark.thorough  # six commands, each of which reads and writes a workbook
STAGES = ("review", "select", "amounts", "evaluate", "settle")
JIANGSU = "320000"


def command(*arguments):
    with pytest.raises(SystemExit) as done:
        main(["firms", *map(str, arguments)])
    return done.value.code


def sheet_of(path, title):
    """A sheet as a frame under its headers, rows as Excel counts them."""
    rows = [*openpyxl.load_workbook(path, data_only=True)[title].values]
    frame = pd.DataFrame(rows[3:], columns=rows[2], index=range(4, len(rows) + 1))
    return frame.loc[:, frame.columns.notna()]


def changed(path, title, cells):
    """What a person does between two commands: (row, header) to value."""
    book = openpyxl.load_workbook(path)
    sheet = book[title]
    places = {cell.value: cell.column for cell in sheet[3]}
    for (row, header), value in cells.items():
        sheet.cell(row, places[header]).value = value
    book.save(path)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A province's year: the workbook after each stage, with what its officers filled in between."""
    folder = tmp_path_factory.mktemp("province")
    paths = {"new": folder / "new.xlsx", **{stage: folder / f"{stage}.xlsx" for stage in STAGES}}
    assert command("new", paths["new"], "--made-up", "36", "--unit", "江苏", "--seed", "1") == 0
    other = passing(paths["new"])[1]
    near = other[:4] + other[5:].replace("（虚构）", "")  # a slip: one character is missing
    changed(paths["new"], "上一轮名单", {(4, "企业名称"): passing(paths["new"])[0], (5, "企业名称"): near, (6, "企业名称"): "无此企业有限公司"})  # fmt: skip
    before = paths["new"]
    for stage in STAGES:
        if stage == "amounts":  # the ministries approved all but the last of the list
            chosen = sheet_of(before, "企业").query("遴选结论 == '入选'").sort_values("名次").index
            said = {(row, "批复结论"): "批准" for row in chosen[:-1]} | {(chosen[-1], "批复结论"): "未批准"}
            before = folder / "approved.xlsx"
            before.write_bytes(paths["select"].read_bytes())
            changed(before, "企业", said)
        assert command(stage, before, "--out", paths[stage], "--as-of", "2024-07-31") == 0
        before = paths[stage]
    return paths


def passing(path):
    """Names that pass without any list, by the library."""
    table = sheet_of(path, "企业")
    firms = za.firms.load_firms(table[table.columns[:23]], "江苏")
    return za.firms.review(firms, None, pd.Timestamp("2024-07-31")).passed.table["name"].tolist()


def test_review_is_the_library_s_and_the_list_is_shown_entry_by_entry(played):
    found, listed = sheet_of(played["review"], "企业"), sheet_of(played["review"], "上一轮名单")
    assert listed["对应情况"].tolist() == ["已对上", "疑似", "未对上"]
    first, second, *_ = passing(played["new"])
    assert first in listed["本表企业"].iloc[0]
    assert second in listed["本表企业"].iloc[1]
    assert (
        found.loc[found["审核结论"].eq("通过"), "企业名称"].tolist() == passing(played["new"])[1:]
    )  # doubtful is not struck
    struck = found[found["审核结论"].eq("剔除")]
    assert struck["剔除理由"].str.contains("〔").all()
    assert "上一轮" in struck.loc[struck["企业名称"].eq(first), "剔除理由"].iloc[0]


def test_scores_are_those_of_the_rubric_that_the_sheet_shows(played):
    found = sheet_of(played["select"], "企业")
    passed = found[found["审核结论"].eq("通过")]
    firms = za.firms.load_firms(passed[passed.columns[:23]], "江苏")
    expected = za.firms.select(firms, za.firms.load_rubric("example-selection"), pd.Series({JIANGSU: 24}))
    assert passed["遴选得分"].astype(float).tolist() == expected.scores.score.round(4).tolist()
    ranks = expected.table["rank"].sort_index()
    assert passed["名次"].tolist() == ranks.tolist()
    assert found["遴选结论"].eq("入选").sum() == min(24, len(passed))


def test_its_money_is_that_of_the_national_ledger(played):
    ends, books = (
        sheet_of(played["settle"], "结算"),
        sheet_of(played["settle"], "对账").set_index("项目")["金额（万元）"],
    )
    approved = len(ends)
    assert ends["期初已拨（万元）"].sum() == 285 * approved  # 300 each, 5 % kept for 培育赋能
    counts = ends["期末结果"].value_counts()
    done, poor = ends["期末结果"].eq("完成"), ends["期末结果"].eq("投资未达标准")
    assert ends["期末应拨（万元）"].sum() == 285 * counts["完成"]
    assert ends.loc[~done, "期末应拨（万元）"].eq(0).all()
    assert ends.loc[done, "期末应拨（万元）"].between(200, 400).all()
    assert ends["应收回（万元）"].tolist() == ends["期初已拨（万元）"].where(poor, 0).tolist()
    # The nation: every other unit has ten firms that complete.
    award, units = za.load_award("caijian-2024-148"), load_units().index
    outcomes = pd.DataFrame({"completed": 10, "missed": 0, "under_invested": 0}, units)
    outcomes.loc[JIANGSU] = [counts.get(name, 0) for name in ("完成", "投资达标未完成目标", "投资未达标准")]
    gone = pd.DataFrame({2025: 0}, units)
    gone.loc[JIANGSU] = counts.get("不再继续支持", 0)
    firms = pd.Series(10, units).where(units != JIANGSU, approved)
    nation = za.Cohort("1", firms, 2024, 2027, outcomes=outcomes, discontinued=gone)
    accounts = za.ledger((nation,), award).accounts
    assert books["实际下达（万元）"] == accounts.groupby("code")["net"].sum()[JIANGSU]
    assert (
        books["期初拨付企业（万元）"] + books["期末拨付企业（万元）"]
        == ends[["期初已拨（万元）", "期末应拨（万元）"]].sum().sum()
    )
    assert sheet_of(played["settle"], "办理情况")["环节"].tolist() == ["审核", "遴选", "资金分配", "年度评价", "结算"]


def test_who_is_not_approved_gets_nothing_and_is_asked_nothing(played):
    found = sheet_of(played["settle"], "企业")
    refused = found[found["批复结论"].eq("未批准")]
    assert (len(refused), refused["期初已拨（万元）"].isna().all()) == (1, True)
    book = openpyxl.load_workbook(played["settle"])
    assert all("虚构" in str(sheet["A1"].value) for sheet in book), "invented firms are marked on every sheet"
    for title in ("年度评价", "结算"):
        assert refused["统一社会信用代码"].iloc[0] not in set(sheet_of(played["settle"], title)["统一社会信用代码"])


def test_what_a_person_decides_counts(played, tmp_path):
    """A firm kept by a person against its grade is settled as its results say; one sent away gets no closing."""
    yearly = sheet_of(played["evaluate"], "年度评价")
    first = yearly.index[yearly["继续支持"].eq("是")][0]
    path, out = tmp_path / "改.xlsx", tmp_path / "结算.xlsx"
    path.write_bytes(played["evaluate"].read_bytes())
    changed(path, "年度评价", {(first, "继续支持"): "否", (first, "退出年度"): 2026, (first, "去留改动理由"): "停产"})
    assert command("settle", path, "--out", out) == 0
    ends = sheet_of(out, "结算").set_index("统一社会信用代码")
    assert ends.loc[yearly.at[first, "统一社会信用代码"], ["期末结果", "期末应拨（万元）"]].tolist() == [
        "不再继续支持",
        0,
    ]


def edited(path, to, title, cells):
    to.write_bytes(path.read_bytes())
    changed(to, title, cells)
    return to


def test_who_is_paid_is_who_passed_was_selected_and_approved_within_the_places(played, tmp_path, capsys):
    """A review or a decision that comes after the selection or the money is not passed over in silence."""
    fewer, first = (
        edited(played["review"], tmp_path / "20家.xlsx", "基本情况", {(4, "名额（家）"): 20}),
        tmp_path / "遴选.xlsx",
    )
    assert command("select", fewer, "--out", first) == 0
    firms = sheet_of(first, "企业")
    chosen, other = (firms.index[firms["遴选结论"].eq(verdict)][0] for verdict in ("入选", "未入选"))
    listed = edited(
        played["select"], tmp_path / "名单.xlsx", "上一轮名单", {(7, "企业名称"): firms.at[chosen, "企业名称"]}
    )
    assert command("review", listed, "--as-of", "2024-07-31", "--out", tmp_path / "再审.xlsx") == 0
    more = edited(
        first, tmp_path / "多一家.xlsx", "企业", {(other, "遴选结论"): "入选", (other, "遴选改动理由"): "会议决定"}
    )
    refused = sheet_of(played["amounts"], "企业").query("批复结论 == '未批准'").index[0]
    paid = edited(
        played["amounts"],
        tmp_path / "已拨.xlsx",
        "企业",
        {(refused, "期初已拨（万元）"): 300, (refused, "期初改动理由"): "补拨"},
    )
    for stage, path, told in (
        ("amounts", tmp_path / "再审.xlsx", f"企业｜{chosen}｜AG 遴选建议｜入选｜按表中数据应为“空白”"),
        ("amounts", more, "入选21家，多于名额20家；请改“遴选结论”或名额，或重新运行“遴选”"),
        ("evaluate", paid, f"没有获批准（入选），却有期初已拨：{firms.at[refused, '企业名称']}"),
    ):
        capsys.readouterr()
        assert command(stage, path, "--out", tmp_path / "副本.xlsx") == 1
        assert told in capsys.readouterr().err


def test_money_otherwise_than_the_books_have_it_is_said_and_does_not_settle(played, tmp_path, capsys):
    firms, yearly = sheet_of(played["amounts"], "企业"), sheet_of(played["amounts"], "年度评价")
    row, paid = next((row, money) for row, money in firms["期初已拨（万元）"].items() if pd.notna(money))
    path = edited(
        played["amounts"],
        tmp_path / "改.xlsx",
        "企业",
        {(row, "期初已拨（万元）"): paid - 26, (row, "期初改动理由"): "扣"},
    )
    spent = {(4, "已使用奖补资金（万元）"): 999, (5, "到账奖补资金（万元）"): 999}
    changed(path, "年度评价", spent)
    capsys.readouterr()
    assert command("evaluate", path, "--as-of", "2025-04-01", "--out", tmp_path / "评价.xlsx") == 0
    said, count = capsys.readouterr().out, firms["期初已拨（万元）"].count()
    total = count * 285
    assert f"{count}家企业期初已拨合计{total - 26:,}万元，应拨付企业的资金为{total:,}万元，相差-26万元" in said
    assert f"已使用资金多于到账资金：{yearly.at[4, '企业名称']}（" in said
    assert yearly.at[5, "企业名称"] in said.partition("到账资金多于应拨资金：")[2].partition("\n")[0]
    assert command("settle", tmp_path / "评价.xlsx", "--as-of", "2026-06-30", "--out", tmp_path / "结算.xlsx") == 1
    assert "相差-26万元，结算时对不平" in capsys.readouterr().err


@pytest.mark.parametrize(
    "case",
    [
        ("evaluate", "amounts", "企业", {(4, "遴选得分"): "很高"}, "企业｜4｜AE 遴选得分｜很高｜不是数字"),
        ("settle", "evaluate", "结算", {(3, "目标完成率（%）"): "目标完成情况"}, "的“结算”表缺少表头“目标完成率（%）”；请补上"),
        ("settle", "evaluate", "年度评价", {(4, "等次"): "#DIV/0!"}, "年度评价｜4｜H 等次｜#DIV/0!｜公式出错"),
        ("evaluate", "amounts", "年度评价", {(40, "统一社会信用代码"): "91000000EFPX14RX71", (40, "企业名称"): "江苏某公司（虚构）"}, "“年度评价”表中的下列企业没有期初已拨：江苏某公司（虚构）"),
        ("select", "new", "企业", {}, "先要完成“审核”：“企业”表的“审核结论”全部空白；请先运行这一步"),
        ("amounts", "review", "企业", {}, "先要完成“遴选”"),
        ("evaluate", "select", "企业", {}, "先要完成“资金分配”"),
        ("settle", "amounts", "企业", {}, "“继续支持”有"),
        ("settle", "evaluate", "结算", {(4, "实际完成投资（万元）"): None}, "“实际完成投资”列有1家空白"),
        ("settle", "evaluate", "结算", {(4, "统一社会信用代码"): None}, "统一社会信用代码"),
        ("select", "review", "遴选标准", {(4, "权重"): 0.5}, "“遴选标准”表不成标准：指标权重之和应为1，现为 1.25"),
        ("select", "review", "遴选标准", {(4, "指标"): "好不好"}, "“遴选标准”表第4行的“好不好”不认识；可用的有：推进计划覆盖的方面数"),
        ("select", "review", "遴选标准", {(4, "得分"): None}, "第4行的分档、得分只填了一项"),
        ("select", "review", "基本情况", {(4, "名额（家）"): None}, "没有名额；请填写下达的名额，或用 --quota"),
        ("amounts", "select", "基本情况", {(4, "培育赋能占比"): 0.06}, "培育赋能占比为0.06，通知规定不超过0.05"),
        ("amounts", "select", "资金分配", {(4, "每家下限（万元）"): 290}, "290"),
        ("review", "new", "基本情况", {(4, "审核日"): None}, "没有审核日；请填写，或用 --as-of 给出"),
        ("review", "new", "基本情况", {(4, "省级单位"): "浙江"}, "江苏"),
        ("settle", "evaluate", "对账", {(3, "项目"): None}, "至少含：项目、金额（万元）；请照 zjtx new（省里用 zjtx firms new）"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named_with_its_remedy(case, played, tmp_path, capsys):
    stage, of, title, cells, told = case
    path, out = tmp_path / "表.xlsx", tmp_path / "副本.xlsx"
    path.write_bytes(played[of].read_bytes())
    changed(path, title, cells)
    assert command(stage, path, "--out", out) == 1
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_a_copy_is_not_written_over_and_a_plain_table_is_refused(played, tmp_path, capsys):
    assert command("review", played["new"], "--out", played["review"]) == 1
    assert "文件已存在" in capsys.readouterr().err
    table = tmp_path / "表.xlsx"
    pd.DataFrame({"企业名称": ["甲"]}).to_excel(table, index=False)
    assert command("review", table, "--out", tmp_path / "副本.xlsx") == 1
    assert "没有找到企业表的表头" in capsys.readouterr().err
    book = openpyxl.load_workbook(played["new"])
    del book["结算"]
    book.save(table)
    assert command("review", table, "--out", tmp_path / "副本.xlsx") == 1
    assert "不是完整的企业工作簿，缺少工作表：结算；" in capsys.readouterr().err


def test_places_come_from_the_programme_s_workbook(played, tmp_path, capsys):
    """What was granted (Jiangsu: 3 in the sheet 审核结果), else what is computed for the batch."""
    programme, out = tmp_path / "测算.xlsx", tmp_path / "遴选.xlsx"
    with pytest.raises(SystemExit):
        main(["new", str(programme)])
    assert command("select", played["review"], "--out", out, "--quota", programme) == 0
    quota = za.allocate(za.load_panel(), za.load_scenario("2024-baseline")).quota[JIANGSU]
    assert f"名额{quota}家" in capsys.readouterr().out
    assert sheet_of(out, "基本情况")["名额（家）"].tolist()[0] == quota
    rows = sheet_of(programme, "审核结果")
    granted = next(header for header in rows if str(header).startswith("下达名额"))
    mine = rows.index[rows["代码"].eq(JIANGSU) & rows["批次"].eq(1)][0]
    changed(programme, "审核结果", {(mine, granted): 3})
    assert command("select", played["review"], "--out", tmp_path / "再遴选.xlsx", "--quota", programme) == 0
    assert "名额3家，入选3家" in capsys.readouterr().out
    assert command("select", played["review"], "--out", tmp_path / "五家.xlsx", "--quota", "5") == 0
    assert "名额5家，入选5家" in capsys.readouterr().out
    assert sheet_of(tmp_path / "五家.xlsx", "基本情况")["名额（家）"].tolist()[0] == 5
    assert command("select", played["review"], "--out", tmp_path / "半家.xlsx", "--quota", "4.5") == 1
    assert "--quota 须为家数（整数）或测算工作簿，现为 4.5" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.needs_office
def test_an_office_program_between_the_stages_changes_nothing(played, recalculated, tmp_path):
    """Every workbook is opened and saved by LibreOffice before the next command reads it."""
    for before, stage in zip(("new", *STAGES), STAGES, strict=False):
        (saved,) = recalculated(played[before])
        assert command(stage, saved, "--out", tmp_path / f"{stage}.xlsx") == 0
    expected, found = (sheet_of(path, "结算") for path in (played["settle"], tmp_path / "settle.xlsx"))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_provinces_workbooks_are_collected_into_the_programme_s(played, tmp_path, capsys):
    """Approvals and outcomes stand where the programme's workbook has them, and are read back as known."""
    folder, programme, out = tmp_path / "各省", tmp_path / "测算.xlsx", tmp_path / "汇总.xlsx"
    folder.mkdir()
    (folder / "江苏.xlsx").write_bytes(played["settle"].read_bytes())
    with pytest.raises(SystemExit):
        main(["new", str(programme)])
    assert command("collect", folder, "--programme", programme, "--out", out) == 0
    ends = sheet_of(played["settle"], "结算")["期末结果"].value_counts()
    listed = len(sheet_of(played["settle"], "企业").query("遴选结论 == '入选'"))
    assert f"江苏第1批，推荐{listed}家，审核通过{listed - 1}家，有期末结果{listed - 1}家" in capsys.readouterr().out
    found = za.load_programme(out).batch(1)
    assert (found.recommended[JIANGSU], found.approved[JIANGSU]) == (listed, listed - 1)
    assert found.outcomes.loc[(JIANGSU, 2027), ["completed", "missed", "under_invested"]].tolist() == [
        ends.get(name, 0) for name in ("完成", "投资达标未完成目标", "投资未达标准")
    ]
    (folder / "又一本.xlsx").write_bytes(played["settle"].read_bytes())
    assert command("collect", folder, "--programme", programme, "--out", tmp_path / "再.xlsx") == 1
    assert "江苏第1批有两本企业工作簿：又一本.xlsx、江苏.xlsx；请只留一本" in capsys.readouterr().err


def test_the_plan_is_of_the_firms_selected(played, tmp_path, capsys):
    assert command("document", played["review"], "--out", tmp_path / "无.docx") == 1
    assert "“工作实施方案”须先有遴选（推荐企业）的结果" in capsys.readouterr().err
    assert command("document", played["select"], "--out", tmp_path / "方案.docx") == 0
    assert (tmp_path / "方案.docx").stat().st_size > 10_000


def words_of(path):
    held = docx.Document(path)
    cells = (cell.text for table in held.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(one.text for one in held.paragraphs), *cells])


def test_every_document_is_written_from_the_workbook(played, tmp_path, capsys):
    """Each says what the sheets say: who is listed, what was paid, what comes back."""
    found = {kind: tmp_path / f"{kind}.docx" for kind in kinds()}
    held = dossier_of(read_book(played["settle"]))
    for kind, path in found.items():
        document(kind, held, path)
    assert (
        command(
            "document", played["settle"], "--kind", "opinion", "--as-of", "2024-07-31", "--out", tmp_path / "x.docx"
        )
        == 0
    )
    assert (tmp_path / "x.docx").read_bytes() == found["opinion"].read_bytes()
    ends = sheet_of(played["settle"], "结算")
    listed = sheet_of(played["settle"], "企业").query("遴选结论 == '入选'")
    assert f"企业共{len(listed)}家" in words_of(found["list-notice"])
    assert set(listed["企业名称"]) <= set(words_of(found["list-notice"]).splitlines())
    assert f"{ends['期初已拨（万元）'].sum():,}" in words_of(found["money-notice"])
    assert f"{ends['应收回（万元）'].sum():,}" in words_of(found["recovery"])
    assert all("虚构" in "".join(p.text for p in docx.Document(path).sections[0].header.paragraphs) for path in found.values())  # fmt: skip
    capsys.readouterr()
    assert (
        command("document", played["review"], "--kind", "recovery", "--as-of", "2024-07-31", "--out", found["plan"])
        == 1
    )
    assert "清算" in capsys.readouterr().err
    assert command("document", played["review"], "--kind", "letter", "--out", found["plan"]) == 1
    assert "没有名为“letter”的文书" in capsys.readouterr().err


@pytest.fixture(scope="module")
def changed_plans(played, tmp_path_factory):
    """Three changes of plans before the evaluation: raised and agreed to, lowered, raised and not agreed to; and the firms."""
    path = tmp_path_factory.mktemp("changes") / "资金分配.xlsx"
    path.write_bytes(played["amounts"].read_bytes())
    codes = sheet_of(path, "年度评价")["统一社会信用代码"].dropna().tolist()[:3]
    firms = sheet_of(path, "企业").set_index("统一社会信用代码")["推进计划投资总额（万元）"]
    cells = {}
    for row, code, factor, day in zip((4, 5, 6), codes, (2, 0.5, 2), ("2025-03-01", "2025-03-01", None), strict=True):
        cells |= {(row, "统一社会信用代码"): code, (row, "调整后投资总额（万元）"): firms[code] * factor}
        cells |= {(row, "审核同意日期"): day, (row, "理由"): "扩产"}
    changed(path, "计划调整", cells)
    return path, codes


def test_a_changed_plan_counts_from_the_day_on_which_it_was_agreed_to(changed_plans, tmp_path, capsys):
    """Twice the investment halves the rate of completion; before that day, and where a plan is lowered, nothing changes."""
    path, codes = changed_plans
    scores = {}
    for day in ("2025-02-28", "2025-03-01"):
        assert command("evaluate", path, "--as-of", day, "--out", tmp_path / f"{day}.xlsx") == 0
        scores[day] = sheet_of(tmp_path / f"{day}.xlsx", "年度评价").set_index("统一社会信用代码")["评价得分"][codes]
    before, after = (sheet_of(tmp_path / f"{day}.xlsx", "计划调整")["核对结果"].tolist()[:3] for day in scores)
    assert before == [
        "未生效：没有降低，但到这一天尚未审核同意",
        "不得调整：推进计划投资总额：调整后投资额低于原计划",
        before[0],
    ]
    assert after == ["已生效：投资额、绩效目标没有降低", *before[1:]]
    paid = [sheet_of(tmp_path / f"{day}.xlsx", "企业")["期初已拨（万元）"].dropna().tolist() for day in scores]
    assert paid[0] == paid[1]
    first, second = scores.values()
    assert second.iloc[0] < first.iloc[0]
    assert second.iloc[1:].tolist() == first.iloc[1:].tolist()
    told = capsys.readouterr().out
    assert "计划调整3条，其中1条已生效" in told
    assert "年度评价有关情况应于2025-04-30前报送两部门" in told
    assert command("document", tmp_path / "2025-03-01.xlsx", "--kind", "measures", "--out", tmp_path / "办法.docx") == 0
    words = words_of(tmp_path / "办法.docx")
    assert "已生效：投资额、绩效目标没有降低" in words
    assert words.count("扩产") == 3
    changed(path, "计划调整", {(6, "统一社会信用代码"): "91000000000000000X"})
    assert command("evaluate", path, "--out", tmp_path / "错.xlsx") == 1
    assert "“计划调整”表第6行的“91000000000000000X”不在“企业”表中" in capsys.readouterr().err


def test_the_day_of_a_stage_says_who_had_left_by_then_and_what_is_only_expected(played, tmp_path, capsys):
    """Who left in 2025 has left in 2025 also by the evaluation of 2026; an end before 2027 is an expectation."""
    yearly = sheet_of(played["evaluate"], "年度评价")
    assert yearly["退出年度"].dropna().unique().tolist() == [2025]
    first = yearly.index[yearly["继续支持"].eq("是")][0]
    again, path = tmp_path / "再评价.xlsx", tmp_path / "评价.xlsx"
    path.write_bytes(played["evaluate"].read_bytes())
    changed(
        path,
        "年度评价",
        {(first, "目标完成率（%）"): 0, (first, "实际完成投资（万元）"): 0, (first, "已使用奖补资金（万元）"): 0},
    )
    assert command("evaluate", path, "--as-of", "2026-05-06", "--out", again) == 0
    found = sheet_of(again, "年度评价")["退出年度"]
    assert found.drop(first).fillna(0).tolist() == yearly["退出年度"].drop(first).fillna(0).tolist()
    assert found[first] == 2026
    assert "应于2027-04-30前报送" in (told := capsys.readouterr().out)
    assert f"此前已不再继续支持的{yearly['退出年度'].notna().sum()}家，退出年度照旧" in told
    assert command("settle", again, "--as-of", "2026-01-01", "--out", tmp_path / "结算.xlsx") == 0
    told = capsys.readouterr().out
    assert "2026-01-01早于期末年度2027年，期末结果为预计" in told
    assert "2026-01-01早于上一步“年度评价”的2026-05-06" in told
    assert command("settle", again, "--as-of", "2027-06-30", "--out", tmp_path / "期末.xlsx") == 0
    assert "预计" not in capsys.readouterr().out


def test_a_certificate_that_ran_out_since_the_review_and_an_approval_to_come_are_said(played, tmp_path, capsys):
    path = tmp_path / "审核.xlsx"
    path.write_bytes(played["review"].read_bytes())
    assert command("select", path, "--as-of", "2024-08-01", "--out", tmp_path / "遴选.xlsx") == 0
    capsys.readouterr()
    ends = pd.to_datetime(sheet_of(tmp_path / "遴选.xlsx", "企业").query("遴选结论 == '入选'")["证书有效期止"])
    day = ends.min() + pd.Timedelta(days=1)
    assert command("select", path, "--as-of", f"{day:%Y-%m-%d}", "--out", tmp_path / "再遴选.xlsx") == 0
    assert f"入选企业中有{ends.eq(ends.min()).sum()}家的证书在{day:%Y-%m-%d}已过期" in capsys.readouterr().out
    changed(tmp_path / "遴选.xlsx", "基本情况", {(4, "批复日期"): "2024-10-08"})
    for number, (on, early) in enumerate({"2024-10-07": True, "2024-10-08": False}.items()):
        assert command("amounts", tmp_path / "遴选.xlsx", "--as-of", on, "--out", tmp_path / f"{number}.xlsx") == 0
        assert ("早于批复日期2024-10-08，金额为批复前的测算" in capsys.readouterr().out) == early


def test_the_nation_s_documents_are_of_all_workbooks_in_a_folder(played, tmp_path, capsys):
    """Grades and a sample by its seed; a firm that two provinces recommend passes in neither."""
    folder, out = tmp_path / "各省", tmp_path / "文书.docx"
    folder.mkdir()
    (folder / "江苏.xlsx").write_bytes(played["settle"].read_bytes())
    yearly = sheet_of(played["settle"], "年度评价")
    assert command("document", folder, "--kind", "grade-summary", "--seed", "7", "--share", "0.2", "--out", out) == 0
    text = words_of(out)
    assert f"1个省级单位评价企业{len(yearly)}家" in text
    assert f"继续支持{yearly['继续支持'].eq('是').sum()}家" in text
    assert "各单位按20%抽取" in text
    assert "种子为7" in text
    assert command("document", folder, "--kind", "money-proposal", "--out", out) == 0
    assert f"1个省级单位审核通过企业共{len(yearly)}家" in words_of(out)
    assert command("document", folder, "--kind", "plan", "--out", out) == 1
    assert "“工作实施方案”是一个省级单位的文书" in capsys.readouterr().err
    other = folder / "浙江.xlsx"
    other.write_bytes(played["select"].read_bytes())
    firms = sheet_of(other, "企业")
    changed(other, "企业", {(row, "省级单位"): "浙江" for row in firms.index})
    changed(other, "基本情况", {(4, "省级单位"): "浙江"})
    assert command("document", folder, "--kind", "list-notice", "--out", out) == 0
    assert "没有第一批拟由中央财政奖补支持的专精特新“小巨人”企业" in words_of(out)
    assert "江苏省、浙江省第一批" in words_of(out)
    changed(other, "基本情况", {(4, "批次"): 2})
    assert command("document", folder, "--kind", "list-notice", "--out", out) == 1
    assert "各省份工作簿须为同一批次，现有第1、2批" in capsys.readouterr().err


def test_a_workbook_is_played_as_far_as_it_is_filled_in(tmp_path):
    """A table of real firms: reviewed, selected, paid; the evaluation asks for its results, and no number is invented."""
    table = tmp_path / "企业.csv"
    more = {"所在城市": "甲市", "上年度营业收入（万元）": 9000}
    raw(*[more] * 4).to_csv(table, index=False, encoding="utf-8-sig")
    assert command("review", table, "--as-of", "2024-07-31", "--out", tmp_path / "簿.xlsx") == 0
    changed(tmp_path / "簿.xlsx", "基本情况", {(4, "名额（家）"): 3})
    run = play(tmp_path / "簿.xlsx", tmp_path / "各步")
    assert list(run.said) == ["review", "select", "amounts"]
    assert run.said["select"][0] == "审核通过4家，名额3家，入选3家。"
    assert "“目标完成率”列有3家空白" in run.stopped
    assert sorted(path.name for path in (tmp_path / "各步").iterdir()) == ["1审核.xlsx", "2遴选.xlsx", "3资金分配.xlsx"]
    assert sheet_table(run.book, "firms", ("rank", "granted"), by="rank").frame["名次"].tolist() == [1, 2, 3, 4]
    with pytest.raises(za.DataError, match="没有审核日"):
        play(table, tmp_path / "再")


@pytest.mark.slow
def test_the_notebook_shows_what_the_commands_write_of_an_officer_s_own_workbook(played, tmp_path):
    chosen = {"workbook": f"{played['new']}", "as_of": "2024-07-31", "out": f"{tmp_path / '各步'}"}
    run_notebook("firms", chosen, tmp_path / "企业.ipynb")
    pd.testing.assert_frame_equal(
        sheet_of(tmp_path / "各步" / "1审核.xlsx", "企业"), sheet_of(played["review"], "企业")
    )
    assert sorted(path.name for path in (tmp_path / "各步").iterdir())[-1] == "5结算.xlsx"
