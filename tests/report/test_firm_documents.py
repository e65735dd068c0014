"""The documents of the provinces' side: what each says, what it needs, and that it says so as a draft."""

import csv
import hashlib
import io
import re
import zipfile
from dataclasses import replace
from fractions import Fraction

import docx
import pandas as pd
import pytest
from support.firm_tables import DAY, firms, reviewed

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped, shipped_toml
from zjtx_alloc.base.units import NATION
from zjtx_alloc.firms.steps.evaluate import united
from zjtx_alloc.report.firm_documents.document import document, kinds, manuscript
from zjtx_alloc.report.firm_documents.dossier import Dossier
from zjtx_alloc.report.writers.docx import docx_file

AWARD = za.load_award("caijian-2024-148")
UNIT = "320000"


def dossier(**found):
    return Dossier(1, AWARD, UNIT, **found)


def sentences(kind, found):
    return "\n".join(str(block) for section in manuscript(kind, found).sections for block in section.blocks)


def cells(kind, found, title):
    """The texts of an annex by its title."""
    (grid,) = (annex.grid for annex in manuscript(kind, found).annexes if annex.grid.title == title)
    return [[cell.text for cell in row] for row in grid.rows]


@pytest.fixture(scope="module")
def review():
    """Three of 江苏, one of which has been supported before, and one of 浙江."""
    return reviewed({"推进计划方向": "开发新产品"}, {"上一轮是否获支持": "是"}, {}, {"省级单位": "浙江"})


@pytest.fixture(scope="module")
def evaluated():
    """Two of 江苏, one of which goes on, and one of 浙江."""
    listed = firms(
        {}, {"实际完成投资（万元）": 1500.5, "目标完成率（%）": 40, "已使用奖补资金（万元）": 0}, {"省级单位": "浙江"}
    )
    evaluation = za.firms.evaluate(listed, za.firms.load_rubric("example-evaluation"))
    return {"evaluation": evaluation, "goes_on": za.firms.continuing(evaluation, least="60")}


@pytest.fixture(scope="module")
def settled():
    listed = firms({}, {"实际完成投资（万元）": 1999}, {"目标完成率（%）": 99})
    nobody = pd.Series(dtype="int64")
    return za.firms.settle(listed, AWARD, nobody, pd.Series({0: 280, 1: 295, 2: 280}))


def grants(amounts):
    """Grants of these amounts by a rule of scores alone."""
    listed = firms(*({} for _ in amounts))
    table = pd.DataFrame(
        {"unit": UNIT, "score": 80.0, "planned_investment": 3000.0, "entitlement": 1.0, "amount": amounts}
    )
    return za.firms.Grants(listed, za.firms.GrantRule("1"), table.rename_axis("firm"))


def test_the_public_list_holds_the_firms_that_passed(review):
    everyone = Dossier(2, AWARD, review=review)
    name = review.firms.table["name"]
    assert [row[:3] for row in cells("list-notice", everyone, "拟支持专精特新“小巨人”企业名单")] == [
        ["序号", "省级单位", "企业名称"], ["1", "江苏", name[0]], ["2", "江苏", name[2]], ["3", "浙江", name[3]],
    ]  # fmt: skip
    assert "全国拟由中央财政奖补支持的第二批专精特新“小巨人”企业共3家" in sentences("list-notice", everyone)
    own = cells("list-notice", dossier(review=review), "拟支持专精特新“小巨人”企业名单")
    assert [row[:2] for row in own] == [["序号", "企业名称"], ["1", name[0]], ["2", name[2]]]


def test_a_word_file_holds_nothing_that_a_template_left_in_it(review):
    with zipfile.ZipFile(io.BytesIO(docx_file(manuscript("opinion", dossier(review=review))))) as package:
        parts = package.namelist()
        whole = b"".join(package.read(name) for name in parts)
    assert {name.partition("/")[0] for name in parts} == {"[Content_Types].xml", "_rels", "docProps", "word"}
    assert [name for name in parts if name.startswith("docProps/")] == ["docProps/core.xml"]
    for word in (b"python-docx", b"Macintosh", b"thumbnail", b"stylesWithEffects"):
        assert word not in whole


def test_the_form_of_reviewers_is_a_table_of_word(review):
    written = docx.Document(io.BytesIO(docx_file(manuscript("opinion", dossier(review=review)))))
    form = written.tables[-1]
    assert [len(form.rows), len(form.columns)] == [9, 9]  # a head, two firms with four questions each
    assert form.cell(1, 1).text == form.cell(4, 1).text != form.cell(5, 1).text


def test_the_opinion_counts_and_leaves_the_merit_of_plans_to_reviewers(review):
    found = dossier(review=review)
    text = sentences("opinion", found)
    assert "江苏省推荐企业3家，以2024年7月31日为审核日，符合支持条件2家，不符合1家" in text
    assert "按条款）：三（二）1家。" in text
    (struck,) = cells("opinion", found, "不符合支持条件的企业和理由")[1:]
    assert struck[-1] == "上一轮（财建〔2021〕2号）已获支持〔三（二）〕"
    head, first, second, *rest = cells("opinion", found, "推进计划审核表")
    assert head[-5:] == ["审核要点", "意见", "依据", "结论", "审核人签名"]
    assert first == [
        "1",
        review.firms.table.at[0, "name"],
        "开发新产品",
        "3,000",
        "是否聚焦“三新”“一强”",
        "",
        "",
        "",
        "",
    ]
    assert second == ["是否合理可行", "", "", "", ""]  # the firm stands once beside its four questions
    assert len(rest) == 6


def test_the_proposal_of_money_by_hand():
    """3 firms: 1,800 in all, 900 at the start, of which at most 45 for 培育赋能; 2 firms: 1,200, 600, 30."""
    found = Dossier(1, AWARD, approved=pd.Series({UNIT: 3, "330000": 2}))
    rows = cells("money-proposal", found, "分单位资金安排建议表")
    assert rows[1:] == [
        ["江苏", "3", "1,800", "900", "855", "45"], ["浙江", "2", "1,200", "600", "570", "30"],
        ["合计", "5", "3,000", "1,500", "1,425", "75"],
    ]  # fmt: skip
    text = sentences("money-proposal", found)
    assert "2个省级单位审核通过企业共5家" in text
    assert "2024年下达1,500万元" in text
    assert "不超过5%即45万元" in sentences("empowerment-use", dossier(approved=found.approved))


def test_what_empowerment_was_spent_on_is_held_to_the_most(tmp_path):
    """Of two firms' 600 at most 30: 12.1 and 0.2 leave 17.7; 30.01 is 0.01 too much."""
    path = tmp_path / "赋能.csv"
    text = "日期,服务事项,服务单位,服务企业数（家）,支出（万元）\n2025-03-01,管理诊断,甲院,2,12.1\n2025-05-01,质量诊断,乙院,1,0.2\n合计,,,,12.3\n"
    path.write_text(text, encoding="utf-8-sig")
    approved = pd.Series({UNIT: 2, "330000": 9})
    found = dossier(approved=approved, uses=za.firms.load_uses(path))
    assert "累计数不得超过30万元。已登记支出12.3万元，结余17.7万元。" in sentences("empowerment-use", found)
    rows = cells("empowerment-use", found, "培育赋能资金使用登记表")
    assert rows[0] == ["序号", "日期", "服务事项", "服务单位", "服务企业数（家）", "支出", "累计支出", "凭证号"]
    assert rows[2] == ["2", "2025年5月1日", "质量诊断", "乙院", "1", "0.2", "12.3", ""]
    frame = pd.DataFrame(
        {"日期": [pd.Timestamp("2025-03-01")], "服务事项": ["诊断"], "服务企业数（家）": [2], "支出（万元）": [1]}
    )
    frame.to_excel(tmp_path / "赋能.xlsx", index=False)
    (entry,) = za.firms.load_uses(tmp_path / "赋能.xlsx").to_dict("records")
    assert [entry[name] for name in ("use_date", "use_firms", "use_money")] == ["2025-03-01", "2", 1]
    path.write_text("服务事项,支出（万元）\n管理诊断,30.01\n", encoding="utf-8-sig")
    over = dossier(approved=approved, uses=za.firms.load_uses(path))
    assert "超过上限0.01万元" in sentences("empowerment-use", over)
    empty = dossier(approved=approved)
    assert "尚未登记支出" in sentences("empowerment-use", empty)
    assert len(cells("empowerment-use", empty, "培育赋能资金使用登记表")) == 13


def test_money_of_uses_in_yuan_is_converted_exactly(tmp_path):
    path = tmp_path / "赋能.csv"
    path.write_text("服务事项,支出（元）\n管理诊断,30000\n人才培养,15001\n", encoding="utf-8-sig")
    assert za.firms.load_uses(path)["use_money"].tolist() == [3.0, 1.5001]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("服务事项,支出（万元）\n管理诊断,约三万\n", "约三万"),
        ("服务事项,支出（家）\n管理诊断,30000\n", "万元"),
        ("事项,金额\n管理诊断,3\n", "须恰有一个工作表带“服务事项”“支出（万元）”两列"),
    ],
)
def test_a_table_of_uses_that_cannot_be_read_is_refused(tmp_path, text, error):
    path = tmp_path / "赋能.csv"
    path.write_text(text, encoding="utf-8-sig")
    with pytest.raises(za.DataError, match=error):
        za.firms.load_uses(path)


def test_the_public_amounts_add_up_and_a_simple_split_is_named():
    graded = dossier(grants=grants([300, 270, 285]))
    assert "合计855万元，每家270—300万元" in sentences("money-notice", graded)
    assert cells("money-notice", graded, "奖补资金分配表")[-1] == ["合计", "", "", "", "", "855"]
    assert "简单分配" not in sentences("money-notice", graded)
    assert "简单分配" in sentences("money-notice", dossier(grants=grants([285, 285])))


def test_shares_are_written_as_they_are():
    """2.5 % kept for 培育赋能 leaves 97.5 %; five eighths by score are 62.5 %."""
    half = replace(AWARD, empowerment_cap=Fraction("0.025"))
    assert "不超过2.5%即15万元" in sentences("empowerment-use", Dossier(1, half, UNIT, approved=pd.Series({UNIT: 2})))
    graded = replace(grants([300, 270]), rule=za.firms.GrantRule("0.625"))
    assert "得分占62.5%" in sentences("money-notice", dossier(grants=graded))


def test_the_yearly_report_by_hand(evaluated):
    text = sentences("yearly-report", dossier(**evaluated))
    assert "参加评价的企业2家，其中目标完成率达到100%的1家" in text
    assert "投资总额合计6,000万元，累计完成4,500.5万元；累计完成投资达2,000万元的1家" in text
    assert "到账奖补资金合计570万元，已使用285万元，未使用285万元" in text
    assert "继续支持1家，不再继续支持1家" in text
    assert (
        cells("yearly-report", dossier(**evaluated), "不再继续支持的企业")[1][1]
        == evaluated["evaluation"].firms.table.at[1, "name"]
    )


def test_the_nations_grades_and_a_sample_that_can_be_drawn_again(evaluated):
    found = Dossier(1, AWARD, **evaluated, share="0.5", seed=7)
    rows = cells("grade-summary", found, "分单位绩效评价等次汇总表")
    assert [[row[0], row[1], row[-1]] for row in rows[1:]] == [
        ["江苏", "2", "1"],
        ["浙江", "1", "1"],
        ["合计", "3", "2"],
    ]
    assert "按50%抽取（不足一家的部分进为一家），共抽取2家" in sentences("grade-summary", found)
    assert "种子为7" in sentences("grade-summary", found)
    drawn = [row[2] for row in cells("grade-summary", found, "抽查名单")[1:] if row[1] == "江苏"]
    own = cells("rectification", dossier(**evaluated, share="0.5", seed=7), "整改台账")[1:]
    assert [row[1] for row in own] == drawn  # what a unit draws is its part of the nation's sample


def test_a_sample_is_the_seeds_whatever_the_order():
    listed = firms(*({} for _ in range(10)))
    codes = listed.table["credit_code"]
    first = sorted(codes, key=lambda code: hashlib.sha256(f"3:{code}".encode()).hexdigest())[:3]
    drawn = za.firms.spot_check(listed, "0.21", 3)  # 2.1 firms: three
    assert set(drawn.table["credit_code"]) == set(first)
    turned = za.firms.spot_check(listed.only(listed.table.index[::-1]), "0.21", 3)
    assert set(turned.table["credit_code"]) == set(first)
    with pytest.raises(za.ScenarioError, match="抽查比例"):
        za.firms.spot_check(listed, "1.1", 3)


def test_what_comes_back_firm_by_firm(settled):
    found = dossier(settled=settled)
    assert "应收回资金的企业1家，合计295万元（投资未达标准1家）" in sentences("recovery", found)
    assert cells("recovery", found, "应收回资金的企业")[-1][-1] == "295"
    assert "没有期末结果列为“虚报、冒领”的企业" in sentences("recovery", found)


def test_the_summary_tables_add_up_what_is_known_of_every_firm():
    """3,000 and 2,500.5 are 5,500.5; research money is not known of the second, so that it has no sum."""
    listed = firms(
        {"产学研合作单位": "某大学", "产学研合作投入（万元）": 200},
        {"推进计划投资总额（万元）": 2500.5, "产学研合作单位": "无", "产学研合作投入（万元）": ""},
    )
    found = dossier(firms=listed)
    assert [row[-2:] for row in cells("summary-tables", found, "推进计划投资情况汇总表")[1:]] == [
        ["3,000", "200"], ["2,500.5", ""], ["5,500.5", ""],
    ]  # fmt: skip
    assert cells("summary-tables", found, "推进计划中产学研有关情况汇总表")[1][2:] == ["某大学", "200"]
    statistics = cells("summary-tables", found, "基本信息统计表")
    assert dict(zip(statistics[0], statistics[1], strict=True))["有效发明专利数（件）"] == "6"
    assert len(cells("summary-tables", found, "推荐企业名单汇总表")) == 3
    text = sentences("summary-tables", found)
    assert "推荐企业共2家" in text
    assert "原表未见" in text


def test_a_sheet_of_each_firm_has_four_parts_and_leaves_blank_what_nobody_knows():
    listed = firms({}, {})
    written = manuscript("firm-sheets", dossier(firms=listed))
    assert [f"{number}" for number, _ in written.numbered()] == ["1", "1"]  # one annex, a page each
    sheet = [[cell.text for cell in row] for row in written.annexes[1].grid.rows]
    assert sheet[1] == ["企业名称", listed.table.at[1, "name"]]
    heads = [row[0] for row in sheet if len(row) == 1]
    assert [head[:3] for head in heads] == ["（一）", "（二）", "（三）", "（四）"]
    known = dict(row for row in sheet if len(row) == 2)
    assert known["推进计划投资总额（万元）"] == "3,000"
    assert known["开发新产品绩效目标"] == "新增发明专利5件"
    assert known["近三年全职员工数（人）"] == known["主导产品名称"] == ""


def test_what_is_to_be_handed_in_says_copies_days_and_what_is_known_of_the_approval():
    unknown = sentences("submissions", dossier())
    assert "加盖公章纸质版和扫描PDF电子版各一式两份" in unknown
    assert "上报：【尚未填写】；备案：【尚未填写】；批复：【批复文号、日期】。" in unknown
    way = {
        "submitted": "2024-07-30",
        "filed": "2024-09-20",
        "approval_day": "2024-10-08",
        "approval_number": "工信厅（虚构）〔2024〕1号",
    }
    known = dossier(way=way)
    assert "上报：2024年7月30日；备案：2024年9月20日；批复：工信厅（虚构）〔2024〕1号，2024年10月8日。" in sentences(
        "submissions", known
    )
    assert "《实施方案》（工信厅（虚构）〔2024〕1号，2024年10月8日）" in sentences("measures", known)
    rows = cells("submissions", known, "报送事项和期限表")
    assert next(row for row in rows if row[1] == "上报实施方案")[2] == "2024年7月31日"


@pytest.mark.parametrize(("day", "due"), [("2025-03-01", "2025年4月30日"), ("2025-04-30", "2025年4月30日"), ("2025-05-01", "2026年4月30日")])  # fmt: skip
def test_the_yearly_report_says_when_it_is_due(day, due, evaluated):
    text = sentences("yearly-report", dossier(**evaluated, day=pd.Timestamp(day).date()))
    assert f"本报告于{due}前报送" in text


def test_evaluations_of_two_units_by_two_rubrics_are_one(evaluated):
    """A rubric of sixths beside one of tenths: scores are what they were, firms are numbered anew."""
    one = evaluated["evaluation"]
    other = za.firms.evaluate(firms(*[{}] * 5).only(pd.Index([4])), one.scores.rubric, {"优": "99", "差": "0"})
    both = united([one, other])
    assert both.scores.score.tolist() == [*one.scores.score, *other.scores.score]
    assert both.grade.tolist() == [*one.grade, *other.grade]
    assert both.firms.table.index.tolist() == [0, 1, 2, 3]


def test_a_step_that_is_not_done_and_a_document_that_is_none_are_named():
    with pytest.raises(za.DataError, match="“年度总结报告”须先有年度评价、继续支持名单的结果"):
        manuscript("yearly-report", dossier())
    with pytest.raises(za.DataError, match="没有名为“公函”的文书；可用：plan（工作实施方案）、"):
        manuscript("公函", dossier())
    with pytest.raises(za.DataError, match="“实施管理办法”是一个省级单位的文书"):
        manuscript("measures", Dossier(1, AWARD))


def test_each_kind_is_a_draft_that_cites_a_clause_of_the_notice(review, evaluated, settled):
    with shipped("data", "policy", "clauses.csv").open(encoding="utf-8", newline="") as file:
        clauses = {row["clause"] for row in csv.DictReader(file)}
    found = dossier(review=review, firms=review.passed, grants=grants([300, 270]), settled=settled, **evaluated)
    for kind in kinds():
        written = manuscript(kind, found)
        assert written.title[-1] == "（初稿）"
        clause = shipped_toml("firm_documents.toml")["kinds"][kind]["clause"]
        assert clause in clauses
        assert f"财建〔2024〕148号{clause}生成，不是正式文件" in written.about


def test_a_document_is_a_file_and_made_up_firms_are_marked(tmp_path):
    listed = za.firms.made_up_firms(total=200)
    found = Dossier(1, AWARD, review=za.firms.review(listed, None, DAY))
    path = document("list-notice", found, tmp_path / "公示.docx")
    assert path.read_bytes() == document("list-notice", found, tmp_path / "再.docx").read_bytes()
    assert docx.Document(str(path)).sections[0].header.paragraphs[0].text == "虚构数据，仅供试用"


@pytest.mark.parametrize("nobody", [True, False])
def test_no_document_counts_to_0_or_has_a_day_in_figures_alone_or_another_s_title(nobody, review, evaluated, settled):
    """All documents of a province: with firms of every kind, and with nobody struck, leaving, owing or passing."""
    only, clean = firms({}), reviewed({})
    of_all = dict(review=review, firms=review.passed, grants=grants([300, 270]), settled=settled, **evaluated)
    found = za.firms.evaluate(only, za.firms.load_rubric("example-evaluation"))
    none = {
        "review": clean, "firms": only, "grants": grants([300]), "evaluation": found, "goes_on": only, "day": DAY,
        "settled": za.firms.settle(only, AWARD, pd.Series(dtype="int64"), pd.Series({0: 285})),
    }  # fmt: skip
    own = dossier(**(none if nobody else of_all))
    held = [own, replace(own, unit=NATION, units=(UNIT,))]
    if nobody:
        bad = reviewed({"上一轮是否获支持": "是", "证书有效期止": "2024-07-01"})
        held.append(dossier(review=bad, firms=only))
        poor = firms({"目标完成率（%）": 3, "实际完成投资（万元）": 5})
        worst = za.firms.evaluate(poor, za.firms.load_rubric("example-evaluation"))
        held.append(dossier(evaluation=worst, goes_on=poor.only(poor.table.index[:0]), approved=pd.Series({UNIT: 0})))
    written = 0
    for one in held:
        for kind in kinds():
            try:
                paper = manuscript(kind, one)
            except za.DataError:  # a step that this one does not hold, or a unit's document
                continue
            written += 1
            blocks = [str(block) for section in paper.sections for block in section.blocks]
            tables = [cell.text for annex in paper.annexes for row in annex.grid.rows for cell in row]
            assert not [text for text in blocks if re.search(r"(?<!\d)0 ?家|[‹›|]", text)], kind
            assert not [text for text in (*blocks, *tables) if re.search(r"\d{4}-\d\d-\d\d", text)], kind
            assert "全国" not in "".join(paper.title), kind
    assert written > 15


def test_a_paper_of_some_units_names_them_and_only_one_of_all_is_the_nations(review):
    for units, scope in (
        ((UNIT,), "江苏省"),
        ((UNIT, "330000"), "江苏省、浙江省"),
        ((UNIT, "330000", "110000", "120000"), "江苏省等4个省级单位"),
        ((), "全国"),
    ):
        title = manuscript("list-notice", Dossier(1, AWARD, review=review, units=units)).title
        assert title[0] == f"{scope}第一批拟支持专精特新“小巨人”企业"
