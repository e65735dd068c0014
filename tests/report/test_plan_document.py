"""The implementation plan: its sections, tables, figures, and the same bytes for the same firms."""

import docx
import pytest
from support.firm_tables import DAY, firms, raw

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.firm_documents.document import document as write_document
from zjtx_alloc.report.firm_documents.dossier import Dossier

AWARD = za.load_award("caijian-2024-148")


def write_plan(listed, unit, batch, path):
    return write_document("plan", Dossier(batch, AWARD, unit, firms=listed), path)


def test_the_plan_says_what_its_table_says(tmp_path):
    listed = firms({"推进计划投资总额（万元）": 2500.5}, {"推进计划方向": "打造新动能、开发新产品"})
    path = write_plan(listed, "320000", 2, tmp_path / "方案.docx")
    document = docx.Document(str(path))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert text.startswith(
        "江苏省第二批支持专精特新“小巨人”企业\n工作实施方案\n（初稿）\n说明：本稿为初稿，依据财建〔2024〕148号三（三）生成"
    )
    for fact in ("企业2家", "合计5,500.5万元", "应安排奖补资金1,200万元", "打造新动能1家、开发新产品2家", "95%以上"):
        assert fact in text
    assert [table.rows[1].cells[1].text for table in document.tables] == [listed.table.at[0, "name"]] * 5
    assert [len(table.rows) for table in document.tables] == [3, 3, 3, 4, 4]  # two with totals
    assert [cell.text for cell in document.tables[3].rows[-1].cells] == ["合计", "", "", "5,500.5", ""]
    portrait, landscape = document.sections
    assert [round(side.mm) for side in (portrait.top_margin, portrait.bottom_margin, portrait.left_margin,
                                        portrait.right_margin)] == [37, 35, 28, 26]  # fmt: skip
    assert landscape.page_width > landscape.page_height
    body = next(run for p in document.paragraphs for run in p.runs if "聚焦" in run.text)
    assert (body.font.name, body.font.size.pt) == ("仿宋_GB2312", 16)


def test_a_table_that_nobody_reviewed_is_not_said_to_meet_the_conditions(tmp_path):
    """Outside of 【】, which a person writes, the plan says what the table says, and nothing more."""
    listed = firms({}, {"上市情况": "上交所、境外", "上一轮是否获支持": "是"}, {"证书有效期止": "2022-01-01"})
    document = docx.Document(str(write_plan(listed, "320000", 1, tmp_path / "方案.docx")))
    (text,) = (paragraph.text for paragraph in document.paragraphs if "合规情况" in paragraph.text)
    said, _, left = text.partition("【")
    assert said == (
        "（三）合规情况。企业表所填上市情况：未上市2家、上交所1家、境外1家；上一轮是否获支持：否2家、是1家。"
    )
    assert left.startswith("以上为企业表所填，未经审核；请先运行 zjtx firms review")
    assert not any("均为有效期内" in p.text.partition("【")[0] for p in document.paragraphs)


def test_a_plan_of_firms_that_passed_says_on_which_day_they_did(tmp_path):
    listed = firms({}, {})
    review = za.firms.review(listed, None, DAY)
    found = Dossier(1, AWARD, "320000", firms=listed, review=review)
    text = "\n".join(
        p.text for p in docx.Document(str(write_document("plan", found, tmp_path / "方案.docx"))).paragraphs
    )
    assert "（三）合规情况。以2024年7月31日为审核日，按企业表所填和所附名单逐家核对支持条件（三（一）、" in text
    assert "未经审核" not in text


def test_the_same_firms_give_the_same_bytes_and_made_up_ones_are_marked(tmp_path):
    listed = za.firms.made_up_firms(total=400)
    listed = listed.only(listed.table.index[listed.table["unit"] == "320000"])
    one, two = (write_plan(listed, "320000", 1, tmp_path / name).read_bytes() for name in ("a.docx", "b.docx"))
    assert one == two
    header = docx.Document(str(tmp_path / "a.docx")).sections[0].header.paragraphs[0].text
    assert header == "虚构数据，仅供试用"


def test_firms_of_another_unit_are_not_its_own(tmp_path):
    with pytest.raises(za.DataError, match="至少有一家"):
        write_plan(firms({}), "330000", 1, tmp_path / "方案.docx")


def test_the_command_writes_the_plan(tmp_path, capsys):
    table, out = tmp_path / "企业.csv", tmp_path / "方案.docx"
    raw({}).drop(columns="省级单位").to_csv(table, index=False, encoding="utf-8-sig")
    with pytest.raises(SystemExit) as done:
        main(["plan-document", str(table), "--unit", "江苏", "--out", str(out)])
    assert done.value.code == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert out.stat().st_size > 10_000
