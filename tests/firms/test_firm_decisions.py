"""An input, a decision, a result: what people change in a firm workbook is kept for a reason, or named with its row."""

import docx
import openpyxl
import pytest
from support.firm_tables import credit_code

from tests.firms.test_firm_workbook import changed, command, edited, played, sheet_of  # noqa: F401 - a fixture
from zjtx_alloc.firms.book import firm_forms

pytestmark = pytest.mark.thorough  # each command reads and writes a workbook


def refused(capsys, stage, path, out, *more):
    capsys.readouterr()
    assert command(stage, path, "--out", out, *more) == 1
    assert not out.exists()
    return capsys.readouterr().err


def test_every_column_says_what_it_is_and_a_decision_stands_between_its_proposal_and_its_reason():
    """One row of data a column says it all."""
    for form in firm_forms().values():
        names = list(form.fields)
        for name, field in form.fields.items():
            assert field.role in ("input", "decision", "result"), name
            if field.role == "decision" and name != "left":
                at = names.index(name)
                assert names[at - 1] == f"{name}_proposed"
                assert form.fields[f"{name}_proposed"].role == "result"
                reason = form.fields[f"{name}_reason"]
                assert (reason.role, reason.kind, names.index(f"{name}_reason") - at in (1, 2)) == (
                    "input",
                    "text",
                    True,
                )


def test_a_workbook_holds_no_formula(played):  # noqa: F811
    book = openpyxl.load_workbook(played["settle"])
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_a_score_typed_over_the_computed_one_is_named_and_computed_anew(played, tmp_path, capsys):  # noqa: F811
    firms = sheet_of(played["select"], "企业")
    row = firms.index[firms["遴选结论"].eq("入选")][0]
    path = edited(played["select"], tmp_path / "改.xlsx", "企业", {(row, "遴选得分"): 100})
    told = refused(capsys, "amounts", path, tmp_path / "副本.xlsx")
    expected = f"企业｜{row}｜AE 遴选得分｜100｜按表中数据应为“{firms.at[row, '遴选得分']:.10g}”"
    assert expected in told
    assert "改.xlsx 有1处问题" in told
    assert command("select", path, "--out", tmp_path / "再.xlsx") == 0
    assert f"已重新计算的结果1格：“企业”表第{row}行“AE 遴选得分”（原为100）" in capsys.readouterr().out
    assert sheet_of(tmp_path / "再.xlsx", "企业")["遴选得分"].equals(firms["遴选得分"])


def typed_in(path, to, cells):
    """A copy with one more firm below the others: the last one's facts under a code of its own, and what stands beside."""
    to.write_bytes(path.read_bytes())
    book = openpyxl.load_workbook(to)
    sheet = book["企业"]
    places = {cell.value: cell.column for cell in sheet[3]}
    last = max(row for row in range(4, sheet.max_row + 1) if sheet.cell(row, places["企业名称"]).value)
    good = next(row for row in range(4, last) if sheet.cell(row, places["审核结论"]).value == "通过")
    for header, place in places.items():
        if header == "审核建议":
            break
        sheet.cell(last + 1, place).value = sheet.cell(good, place).value
    facts = {"统一社会信用代码": credit_code(7), "企业名称": "江苏云帆远精密轴承有限公司（虚构）"}
    for header, value in (facts | cells).items():
        sheet.cell(last + 1, places[header]).value = value
    book.save(to)
    return to, last + 1


@pytest.mark.parametrize("passes", [True, False])
def test_a_firm_typed_in_after_the_review_is_named_and_neither_paid_nor_listed(played, tmp_path, capsys, passes):  # noqa: F811
    facts = {} if passes else {"上一轮是否获支持": "是"}
    for stage, of, cells in (
        ("select", "review", {"审核结论": "通过"}),
        ("amounts", "select", {"审核结论": "通过", "遴选结论": "入选"}),
        ("evaluate", "amounts", {"审核结论": "通过", "遴选结论": "入选", "批复结论": "批准", "期初已拨（万元）": 285}),
    ):
        path, row = typed_in(played[of], tmp_path / f"{stage}.xlsx", facts | cells)
        told = refused(capsys, stage, path, tmp_path / "副本.xlsx")
        assert f"企业｜{row}｜Z 审核建议｜空白｜“审核”以后加入，没有这一步的结果｜请重新运行“审核”" in told
        assert ("程序建议为“剔除”" in told) is not passes
    out = tmp_path / "公示.docx"
    assert f"企业｜{row}｜" in refused(capsys, "document", path, out, "--kind", "list-notice")
    folder = tmp_path / "各省"
    folder.mkdir()
    path.rename(folder / "江苏.xlsx")
    assert f"企业｜{row}｜" in refused(
        capsys, "collect", folder, tmp_path / "汇总.xlsx", "--programme", tmp_path / "无.xlsx"
    )


def test_a_decision_otherwise_than_proposed_needs_a_reason_and_with_one_stays(played, tmp_path, capsys):  # noqa: F811
    yearly = sheet_of(played["evaluate"], "年度评价")
    row = yearly.index[yearly["继续支持"].eq("是")][0]
    path = edited(played["evaluate"], tmp_path / "改.xlsx", "年度评价", {(row, "继续支持"): "否"})
    for stage in ("settle", "evaluate"):  # which had written over it without a word
        told = refused(capsys, stage, path, tmp_path / "副本.xlsx")
        assert (
            f"年度评价｜{row}｜J 继续支持｜否｜程序建议为“是”，决定不同而没有理由｜请在“去留改动理由”写明理由" in told
        )
    changed(path, "年度评价", {(row, "去留改动理由"): "主动退出"})
    again = tmp_path / "再.xlsx"
    assert command("evaluate", path, "--out", again, "--as-of", "2024-07-31") == 0
    assert f"“年度评价”表第{row}行“继续支持”为否（建议是；主动退出）" in capsys.readouterr().out
    found = sheet_of(again, "年度评价").loc[row]
    assert found[["去留建议", "继续支持", "退出年度"]].tolist() == ["是", "否", 2025]
    assert command("settle", again, "--out", tmp_path / "结算.xlsx") == 0
    ends = sheet_of(tmp_path / "结算.xlsx", "结算").set_index("统一社会信用代码")["期末结果"]
    assert ends[found["统一社会信用代码"]] == "不再继续支持"
    changed(path, "年度评价", {(row, "继续支持"): "是", (row, "退出年度"): 2026, (row, "去留改动理由"): None})
    assert f"年度评价｜{row}｜K 退出年度｜2026｜程序建议为“空白”" in refused(
        capsys, "settle", path, tmp_path / "无.xlsx"
    )


def test_who_is_struck_or_kept_for_a_reason_is_so_in_the_documents(played, tmp_path, capsys):  # noqa: F811
    """The list that is made public is that of the firms recommended, whoever decided."""
    firms = sheet_of(played["review"], "企业")
    kept, struck = (firms.index[firms["审核结论"].eq(verdict)][0] for verdict in ("剔除", "通过"))
    words = {(kept, "审核结论"): "通过", (struck, "审核结论"): "剔除"}
    path = edited(played["review"], tmp_path / "改.xlsx", "企业", words)
    assert "有2处问题" in refused(capsys, "select", path, tmp_path / "副本.xlsx")
    changed(path, "企业", {(kept, "审核改动理由"): "证书已换发", (struck, "审核改动理由"): "正在核查"})
    changed(path, "基本情况", {(4, "名额（家）"): 40})
    out, paper = tmp_path / "遴选.xlsx", tmp_path / "文书.docx"
    assert command("select", path, "--out", out, "--as-of", "2024-07-31") == 0
    chosen = sheet_of(out, "企业").query("遴选结论 == '入选'")
    assert (kept in chosen.index, struck in chosen.index) == (True, False)
    assert command("document", out, "--kind", "list-notice", "--out", paper) == 0
    cells = [cell.text for table in docx.Document(paper).tables for row in table.rows for cell in row.cells]
    assert set(chosen["企业名称"]) <= set(cells)
    assert command("document", path, "--kind", "opinion", "--out", tmp_path / "意见.docx") == 0
    cells = [
        cell.text for table in docx.Document(tmp_path / "意见.docx").tables for row in table.rows for cell in row.cells
    ]
    assert "正在核查〔本单位决定〕" in cells
    assert not any("证书已换发" in cell for cell in cells)


@pytest.mark.parametrize(
    "case",
    [
        ("amounts", "select", "基本情况", {(4, "名额（家）"): 20}, "｜AG 遴选建议｜入选｜按表中数据应为“未入选”"),
        ("amounts", "select", "遴选标准", {(5, "得分"): 81}, "｜AE 遴选得分｜"),
        ("evaluate", "amounts", "资金分配", {(4, "得分占比"): 0.1}, "｜AL 期初应拨（万元）｜"),
        ("settle", "evaluate", "资金分配", {(4, "得分占比"): 0.1}, "｜AL 期初应拨（万元）｜"),  # what was paid is past
        ("settle", "evaluate", "年度评价", {(4, "目标完成率（%）"): 2}, "年度评价｜4｜G 评价得分｜"),
        ("settle", "evaluate", "企业", {(4, "企业名称"): "别名（虚构）", (4, "上一轮是否获支持"): "是"}, "企业｜4｜"),
        ("document", "settle", "结算", {(4, "期末应拨（万元）"): 999}, "结算｜4｜H 期末应拨（万元）｜999｜"),
    ],
)  # fmt: skip
def test_a_stage_older_than_its_inputs_is_named_with_its_rows(played, tmp_path, capsys, case):  # noqa: F811
    stage, of, title, cells, told = case
    path = edited(played[of], tmp_path / "改.xlsx", title, cells)
    more = ("--kind", "recovery") if stage == "document" else ()
    assert told in refused(capsys, stage, path, tmp_path / "副本.docx" if more else tmp_path / "副本.xlsx", *more)


def test_a_firm_that_is_taken_out_after_the_review_is_seen_in_the_log(played, tmp_path, capsys):  # noqa: F811
    firms = sheet_of(played["review"], "企业")
    row = firms.index[firms["审核结论"].eq("剔除")][-1]
    path = edited(played["review"], tmp_path / "少.xlsx", "企业", {(row, header): None for header in firms if header})
    assert "办理情况｜4｜C 结果｜审核36家：通过" in refused(capsys, "select", path, tmp_path / "副本.xlsx")


def test_rows_may_be_sorted(played, tmp_path):  # noqa: F811
    """What a firm's row says goes with it."""
    path = tmp_path / "序.xlsx"
    book = openpyxl.load_workbook(played["evaluate"])
    for title in ("企业", "年度评价", "结算"):
        sheet = book[title]
        rows = [row for row in range(4, sheet.max_row + 1) if sheet.cell(row, 1).value]
        held = [[cell.value for cell in sheet[row]] for row in rows]
        for row, values in zip(rows, reversed(held), strict=True):
            for place, value in enumerate(values, start=1):
                sheet.cell(row, place).value = value
    book.save(path)
    assert command("settle", path, "--out", tmp_path / "结算.xlsx", "--as-of", "2024-07-31") == 0
    expected, found = (
        sheet_of(p, "结算").set_index("统一社会信用代码") for p in (played["settle"], tmp_path / "结算.xlsx")
    )
    assert found.reindex(expected.index)["期末应拨（万元）"].equals(expected["期末应拨（万元）"])


def test_results_of_a_stage_that_the_log_does_not_name_are_refused(played, tmp_path, capsys):  # noqa: F811
    """Without its entry nobody could compute the stage again as of its day."""
    path = edited(played["select"], tmp_path / "改.xlsx", "办理情况", {(5, h): None for h in ("环节", "日期", "结果")})
    told = refused(capsys, "amounts", path, tmp_path / "副本.xlsx")
    assert "改.xlsx 有“遴选”的结果，“办理情况”表却没有这一步；请重新运行“遴选”" in told
