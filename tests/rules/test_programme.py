"""A programme in one workbook: what is written is what is read, and what a user changes is what counts."""

import datetime
from pathlib import Path

import openpyxl
import pytest
from support.programme_edits import add, cell_of, column_of, edited, header_of

import zjtx_alloc as za
from zjtx_alloc.report.documents.programme_workbook import write_programme

TIANJIN, JIANGSU = "120000", "320000"
SME, GIANTS, KEPT = "规模以上工业中小企业数", "有效期内“小巨人”企业数", "上一轮绩效评价后继续支持企业数"
BASELINES = ("2024-baseline", "2025-baseline", "2026-baseline")
SHEETS = [
    "说明",
    "因素",
    "批次",
    "权重",
    "系数",
    "单位规则",
    "组合规则",
    "审核结果",
    "期末结果",
    "实际下达",
    "预算",
    "其他设置",
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The workbook of the baseline, as it is written."""
    return write_programme(tmp_path_factory.mktemp("programme") / "测算.xlsx", za.load_scenario("2024-baseline"))


@pytest.fixture
def changed(plain, tmp_path):
    """Change a copy and read it."""

    def read(change):
        return za.load_programme(edited(plain, change, tmp_path / "测算.xlsx"))

    return read


def content(scenario):
    """A scenario without what it and its companions are called."""
    return {k: v for k, v in scenario.resolved().items() if k != "budget_with"}


def test_the_sheets_and_what_stands_in_them(plain):
    book = openpyxl.load_workbook(plain)
    assert book.sheetnames == SHEETS
    batches = [[c.value for c in row[:3]] for row in book["批次"].iter_rows(min_row=4, max_row=6)]
    assert batches == [
        [1, "2024年第一批基准情景", 1039],
        [2, "2025年第二批基准情景", 1241],
        [3, "2026年第三批基准情景", 1241],
    ]
    weights = book["权重"]
    assert cell_of(weights, {"因素": SME}, "权重").value == 0.4
    assert cell_of(weights, {"因素": SME}, "最大").value == 0.6
    assert cell_of(book["系数"], {"地区": "西部"}, "系数").value == 1.1
    assert cell_of(book["单位规则"], {"代码": "其他单位"}, "下限").value == 1
    codes = [row[0].value for row in book["因素"].iter_rows(min_row=4, max_row=40)]
    assert codes == list(za.load_panel().units.index)
    assert (
        cell_of(book["因素"], {"代码": "110000"}, "有效期内“小巨人”企业数").value
        == za.load_panel().values("little_giants", "2024-06")["110000"]
    )
    assert [book["预算"].cell(n, 1).value for n in range(4, 10)] == [2024, 2025, 2026, 2027, 2028, 2029]
    approvals = book["审核结果"]
    assert sum(approvals.cell(n, 1).value == 1 for n in range(1, approvals.max_row + 1)) == 37


def test_every_sheet_prints_its_headers_stay_in_sight_and_choices_are_lists(plain):
    book = openpyxl.load_workbook(plain)
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes, sheet.title
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.print_title_rows
    kinds = {rule.type for rule in book["批次"].data_validations.dataValidation}
    assert {"list", "whole"} <= kinds
    lists = [rule.formula1 for rule in book["权重"].data_validations.dataValidation if rule.type == "list"]
    assert any(one.startswith(f'"{SME},{GIANTS},{KEPT},') for one in lists)  # each once, whatever its periods
    estimated = cell_of(book["因素"], {"代码": "330200"}, SME).fill.start_color.rgb
    stand_in = cell_of(book["因素"], {"代码": "110000"}, KEPT).fill.start_color.rgb
    assert (estimated, stand_in) == ("FFFCE4D6", "FFE4DFEC")


def test_read_back_it_is_the_scenarios(plain):
    programme = za.load_programme(plain)
    assert [b.number for b in programme.batches] == [1, 2, 3]
    for batch, name in zip(programme.batches, BASELINES, strict=True):
        assert content(batch.scenario) == content(za.load_scenario(name))
        assert batch.approved is batch.outcomes is batch.granted is batch.pool is None
    first = programme.current
    assert (first.number, first.scenario.name) == (1, "测算-第1批")
    assert first.scenario.budget_with == ["测算-第2批.toml", "测算-第3批.toml"]
    assert programme.panel.supplied == {}
    assert (programme.transfers, programme.ceilings, programme.as_of) == (None, {}, None)
    own = za.allocate_programme(programme.panel, first.scenario)
    shipped = za.allocate_programme(za.load_panel(), za.load_scenario("2024-baseline"))
    assert [a.quota.tolist() for a in own] == [a.quota.tolist() for a in shipped]


def test_what_is_known_of_a_batch_and_of_the_money(changed):
    def change(book):
        sheet = book["审核结果"]
        for code, number in zip(za.load_panel().units.index, range(37), strict=True):
            cell_of(sheet, {"批次": 1, "代码": code}, "下达名额").value = 20 + number
            cell_of(sheet, {"批次": 1, "代码": code}, "审核通过").value = 10 + number
        cell_of(sheet, {"批次": 2, "代码": "120000"}, "下达名额").value = 19
        add(book["期末结果"], {"批次": 1, "代码": "110000", "年度": 2027, "完成": 7, "未达2000万元": 2})
        add(
            book["实际下达"],
            {"代码": "110000", "年度": "2024年", "文号": "财建〔2024〕359号", "金额": 5400, "其中扣回": 300},
        )
        for document, money in (("财建〔2024〕359号", -73), ("清算文件", "△11")):
            add(book["实际下达"], {"代码": "110000", "年度": 2024, "文号": document, "金额": money})
        cell_of(book["预算"], {"年度": 2027}, "限额").value = 200000
        cell_of(book["预算"], {"年度": 2024}, "测算基准日").value = datetime.datetime(2026, 11, 30)
        add(book["单位规则"], {"批次": 2, "代码": "320000", "可推荐企业数": 100})

    programme = changed(change)
    first, second, third = programme.batches
    assert first.approved.tolist() == list(range(10, 47))
    assert first.granted["110000"] == 20
    assert second.granted.to_dict() == {"120000": 19}
    assert second.approved is None
    assert (first.state, second.state) == ("approved", "open")  # two outcomes do not settle a batch
    row = first.outcomes.loc[("110000", 2027)]
    assert row.dropna().to_dict() == {"completed": 7, "under_invested": 2}
    assert programme.transfers.drop(columns=["code", "fiscal_year"]).to_numpy().tolist() == [
        ["财建〔2024〕359号", 5400, 300],
        ["财建〔2024〕359号", -73, 73],  # taken back in rows of their own
        ["清算文件", -11, 11],
    ]
    assert set(programme.transfers["code"]) == {"110000"}
    assert set(programme.transfers["fiscal_year"]) == {2024}
    assert (programme.ceilings, programme.as_of) == ({2027: 200000}, datetime.date(2026, 11, 30))
    assert programme.current is second  # the first is approved
    assert (first.pool, second.pool.to_dict(), third.pool) == (None, {"320000": 100}, None)
    quota = za.allocate(programme.panel, second.scenario).quota
    assert quota["320000"] == 100
    notes = programme.notes_on(third)
    assert (
        "第2批的可推荐企业数约束该批；第3批没有自己的可推荐企业数时，以上批数减审核通过、加新认定为限，两项不全的单位不受限。"
        in notes
    )
    assert any(note.startswith("第1批已知：下达名额1,406家、审核通过1,036家、期末结果1行") for note in notes)
    assert "第1批下达名额合计1,406家，与名额总量1,039家不同。" in notes


def test_a_filled_column_ends_its_stand_in_and_takes_the_period_of_its_header(changed):
    def change(book):
        sheet = book["因素"]
        place = column_of(sheet, "中小企业培育绩效")
        sheet.cell(header_of(sheet)[0], place).value = "中小企业培育绩效（分，2023年末）"
        for number in range(4, 41):
            sheet.cell(number, place, 50 + number)

    programme = changed(change)
    assert programme.panel.supplied == {"performance": "2023"}
    found = za.allocate(programme.panel, programme.current.scenario)
    assert list(found.scenario.factors) == ["sme_count", "little_giants", "performance"]
    assert programme.panel.values("performance", "")["110000"] == 54
    assert programme.notes_on(programme.current)[0].startswith("因素“中小企业培育绩效”改为用户提供（数据期 2023）：")


@pytest.mark.thorough
def test_one_changed_cell_makes_its_province_the_users_and_leaves_the_marks_of_the_others(changed):
    programme = changed(lambda book: setattr(cell_of(book["因素"], {"代码": "320000"}, SME), "value", 60000))
    column = programme.panel.column("sme_count", "2023-12")
    shipped = za.load_panel().column("sme_count", "2023-12")
    assert column.at["320000", "value"] == 60000
    assert column.at["320000", "status"] == "user_period"
    others = column.index != "320000"
    assert column[others].equals(shipped[others])
    assert programme.panel.supplied == {}
    assert programme.panel.supplied_periods == {("sme_count", "2023-12")}
    assert programme.notes == (
        "因素“规模以上工业中小企业数”改为用户提供：江苏单位与随附数不同，其余仍为随附数；表头的数据期仍是 2023-12，"
        "若已是新数，请改表头；用于第1批。",
    )
    old, new = (za.allocate_programme(p, programme.current.scenario) for p in (za.load_panel(), programme.panel))
    assert [a.quota.equals(b.quota) for a, b in zip(old, new, strict=True)] == [False, True, True]


@pytest.mark.thorough
def test_each_period_that_a_batch_reads_has_a_column(changed):
    """A changed column is of the batches that read its period; 权重 may name another, which then reads that column."""

    def raised(sheet, word, header=None):
        place = column_of(sheet, word)
        sheet.cell(3, place).value = header or sheet.cell(3, place).value
        for number in range(4, 41):
            sheet.cell(number, place).value += number

    second = changed(lambda book: raised(book["因素"], f"{GIANTS}\n（家，2024-12"))
    assert second.panel.supplied_periods == {("little_giants", "2024-12")}

    def replaced(book):
        raised(book["因素"], f"{GIANTS}\n（家，2024-12", f"{GIANTS}（家，2024-09）")
        cell_of(book["权重"], {"批次": 2, "因素": GIANTS}, "数据期").value = "2024-09"

    third = changed(replaced)
    assert third.panel.supplied_periods == {("little_giants", "2024-09")}
    first, other = (za.allocate(one.panel, one.batch(2).scenario).quota for one in (second, third))
    assert first.equals(other)
    assert not first.equals(za.allocate(za.load_panel(), second.batch(2).scenario).quota)
    # Two batches still read the columns beside it: without a row in 权重 it is not known who reads 2024-09.
    with pytest.raises(za.TableError) as caught:
        changed(lambda book: raised(book["因素"], f"{GIANTS}\n（家，2024-12", f"{GIANTS}（家，2024-09）"))
    assert "没有批次用这一数据期，而表中只有部分批次所用的列（2024-06、2025-12），不知用于哪些批次" in str(caught.value)


@pytest.mark.thorough
def test_a_column_that_no_batch_reads_is_said(changed):
    def change(book):
        sheet = book["因素"]
        place = sheet.max_column + 1
        sheet.cell(3, place, "有效期内“小巨人”企业数（家，2024-01）")
        for number in range(4, 41):
            sheet.cell(number, place, number)

    programme = changed(change)
    assert not programme.panel.has_own
    (note,) = programme.notes
    assert note.endswith("没有批次用这一数据期，改过的数没有用。要用，请在“权重”表把该批这一因素的数据期改为 2024-01。")


@pytest.mark.thorough
def test_a_column_that_is_only_compared_changes_nothing(changed):
    def change(book):
        sheet = book["因素"]
        place = sheet.max_column + 1
        sheet.cell(3, place, "仅供对照 有效期内“小巨人”企业数（家）")
        for number in range(4, 41):
            sheet.cell(number, place, 2 * sheet.cell(number, column_of(sheet, "有效期内“小巨人”企业数")).value)

    programme = changed(change)
    assert programme.panel.supplied == {}
    (note,) = programme.notes
    assert "仅供对照，不参加计算；已填37个单位，合计为随附数（2024-06）的2.00倍。" in note


@pytest.mark.thorough
def test_an_inherited_range_moves_with_its_weight_and_the_note_says_so(changed):
    def change(book):
        cell_of(book["权重"], {"因素": SME}, "权重").value = "70%"
        cell_of(book["权重"], {"因素": GIANTS}, "权重").value = 0.1

    programme = changed(change)
    span = programme.current.scenario.uncertainty.weights["sme_count"]
    assert (span.min, span.max) == (0.5, 0.9)
    assert any("变动范围随之由0.2—0.6移至0.5—0.9" in note for note in programme.notes_on(programme.current))


@pytest.mark.thorough
def test_rules_that_a_planner_writes(changed):
    def change(book):
        units, groups = book["单位规则"], book["组合规则"]
        cell_of(units, {"代码": "440000"}, "上限").value = 60
        cell_of(units, {"代码": "540000"}, "人工调整名额").value = 2
        cell_of(units, {"代码": "540000"}, "理由").value = "会商确定"
        add(units, {"批次": 2, "代码": "440000", "上限": 80})
        add(groups, {"名称": "西部", "地区": "西部", "下限": 190})
        add(groups, {"名称": "沿江", "单位": "上海、江苏，浙江省", "最低占比": "20%", "批次": "第1批"})
        add(groups, {"名称": "差", "单位": "江苏×2、浙江×-1", "上限": 300})
        cell_of(book["批次"], {"批次": 1}, "未用名额").value = "本单位补回"
        cell_of(book["批次"], {"批次": 1}, "审核通过率").value = "95%"

    first, second, third = (batch.scenario for batch in changed(change).batches)
    assert first.cap == third.cap == {"440000": 60}
    assert second.cap == {"440000": 80}
    assert (first.fixed["540000"].quota, first.fixed["540000"].reason) == (2, "会商确定")
    assert first.groups["西部"].floor == second.groups["西部"].floor == 190
    assert (first.rules["沿江"].units, first.rules["沿江"].min_share) == (["310000", "320000", "330000"], 0.2)
    assert "沿江" not in second.rules
    assert first.rules["差"].coefficients == {"320000": 2, "330000": -1}
    assert (first.approval.rate, first.approval.unused) == ("0.95", "unit")


def test_any_sheet_may_be_left_out(changed):
    def change(book):
        for title in SHEETS:
            if title != "单位规则":
                del book[title]

    programme = changed(change)
    for batch, name in zip(programme.batches, BASELINES, strict=True):
        assert content(batch.scenario) == content(za.load_scenario(name))
    bases = "2024-baseline、2025-baseline、2026-baseline"
    assert programme.notes == (
        "无“因素”表：各因素用随附数据。",
        "无“批次”表：按随附的三批测算。",
        f"无“权重”表：因素和权重沿用情景 {bases}。",
        f"无“系数”表：地区和等次系数沿用情景 {bases}。",
        "无“组合规则”表：本次测算无组合规则。",
        "无“审核结果”表：各批均按尚未审核测算。",
        "无“期末结果”表：期末结果均按假设。",
        "无“实际下达”表：不与实际下达核对。",
        "无“预算”表：没有年度限额等预算要求。",
        f"无“其他设置”表：其他设置沿用情景 {bases}。",
    )


@pytest.mark.thorough
def test_titles_two_rows_of_headers_full_width_and_totals_are_read(changed):
    def change(book):
        sheet = book["审核结果"]
        for code in za.load_panel().units.index:
            cell_of(sheet, {"批次": 1, "代码": code}, "审核通过").value = "１，０００"
        last = sheet.max_row + 1
        sheet.cell(last, 2, "合计")
        sheet.cell(last, column_of(sheet, "审核通过"), 37000)
        units = book["单位规则"]
        units.insert_rows(1)
        units.cell(1, 1, "某部门测算")
        sheet.insert_rows(4)
        for word in ("下达名额", "推荐", "审核通过", "新认定"):
            place = column_of(sheet, word)
            sheet.cell(4, place, sheet.cell(3, place).value)
            sheet.cell(3, place, "审核情况")

    programme = changed(change)
    assert programme.batches[0].approved.sum() == 37000
    assert programme.batches[0].scenario.floor == {"default": 1}


def test_headers_and_notes_are_the_golden_ones(plain):
    """What others rely on: the sheets, the words that headers begin with, what is said above each."""
    lines = []
    for sheet in openpyxl.load_workbook(plain).worksheets[2:]:
        number, headings = header_of(sheet)
        lines += [f"# {sheet.title}", str(sheet.cell(number - 1, 1).value), "｜".join(headings).replace("\n", ""), ""]
    golden = Path(__file__).parents[1] / "support" / "programme_headers.txt"
    assert "\n".join(lines) == golden.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.needs_office
def test_a_planner_does_it_all_in_an_office_program(plain, tmp_path, recalculated, panel):
    """End a stand-in, other weights and a coefficient, a cap, a decision, a group, the first batch's quotas and approvals."""
    shipped = za.allocate(panel, za.load_scenario("2024-baseline")).quota
    approved = (shipped - 1).clip(lower=0)

    def change(book):
        factors = book["因素"]
        for number in range(37):
            factors.cell(4 + number, column_of(factors, "中小企业培育绩效")).value = 60 + number
        cell_of(book["权重"], {"批次": 2, "因素": SME}, "权重").value = 0.5
        cell_of(book["权重"], {"批次": 2, "因素": GIANTS}, "权重").value = 0.3
        cell_of(book["系数"], {"地区": "西部"}, "系数").value = 1.15
        cell_of(book["单位规则"], {"代码": "440000"}, "上限").value = 40
        cell_of(book["单位规则"], {"代码": "540000"}, "人工调整名额").value = 2
        cell_of(book["单位规则"], {"代码": "540000"}, "理由").value = "会商确定"
        add(book["组合规则"], {"名称": "西部", "地区": "西部", "下限": 300})
        for code in panel.units.index:
            cell_of(book["审核结果"], {"批次": 1, "代码": code}, "下达名额").value = int(shipped[code])
            cell_of(book["审核结果"], {"批次": 1, "代码": code}, "审核通过").value = int(approved[code])

    (saved,) = recalculated(edited(plain, change, tmp_path / "测算.xlsx"))
    programme = za.load_programme(saved)
    second = programme.current
    assert second.number == 2
    assert programme.batches[0].approved.tolist() == approved.tolist()
    assert programme.batches[0].granted.tolist() == shipped.tolist()
    assert programme.panel.supplied == {"performance": "用户提供"}
    tables = za.load_scenario("2025-baseline").resolved()
    tables["factors"] = {
        "sme_count": {"period": "2024-12", "weight": 0.5}, "little_giants": {"period": "2024-12", "weight": 0.3},
        "performance": {"period": "2024-04", "weight": 0.2},
    }  # fmt: skip
    tables["region_coefficient"]["西部"] = 1.15
    tables |= {"cap": {"440000": 40}, "fixed": {"540000": {"quota": 2, "reason": "会商确定"}}}
    tables |= {"groups": {"西部": {"region": "西部", "floor": 300}}, "uncertainty": {}}
    by_hand = za.allocate(programme.panel, za.Scenario.model_validate({"name": "手算"} | tables)).quota
    assert za.allocate(programme.panel, second.scenario).quota.equals(by_hand)
    assert by_hand["440000"] == 40
    assert by_hand[panel.units["region"] == "西部"].sum() == 300
    states = openpyxl.load_workbook(saved, data_only=True)["说明"].iter_rows(values_only=True)
    assert [row[2] for row in states if row[0] == "批次" and str(row[1]).startswith("第")] == ["已批复", "测算", "测算"]
    assert [batch.state for batch in programme.batches] == ["approved", "open", "open"]
    back = openpyxl.load_workbook(saved)
    assert back.sheetnames == SHEETS
    assert len(back["批次"].data_validations.dataValidation) >= 5


@pytest.mark.thorough
def test_tianjins_19_beside_the_models_18_enters_allocates_pays_and_reconciles(changed):
    """What was granted is a fact: the model's 18, the documents' 5627 with 73 netted, and the rounding of another unit stand beside it."""
    model = za.allocate(za.load_panel(), za.load_scenario("2024-baseline")).quota
    granted = model.to_dict() | {TIANJIN: 19, JIANGSU: int(model[JIANGSU]) - 1}
    assert model[TIANJIN] == 18

    def change(book):
        for code, places in granted.items():
            cell_of(book["审核结果"], {"批次": 1, "代码": code}, "下达名额").value = int(places)
            cell_of(book["审核结果"], {"批次": 1, "代码": code}, "审核通过").value = int(places)
        for code, money in {TIANJIN: 5627, JIANGSU: 300 * granted[JIANGSU]}.items():
            netted = 73 if code == TIANJIN else None
            row = {"代码": code, "年度": 2024, "文号": "财建〔2024〕359号", "金额": money, "其中扣回": netted}
            add(book["实际下达"], row)

    programme = changed(change)
    first = programme.batch(1)
    assert first.granted[TIANJIN] == first.scenario.known.approved[TIANJIN] == 19
    batches = za.allocate_programme(programme.panel, first.scenario)
    assert batches[0].quota.to_dict() == granted
    assert batches[0].counted.why[TIANJIN] == "下达名额已知（单独测算18家）"
    books = za.forecast_budget(za.cohorts(*batches), za.load_award(first.scenario.award))
    table = books.ledger.table.set_index(["code", "fiscal_year"])
    assert table.loc[(TIANJIN, 2024), ["commitment", "due"]].tolist() == [19 * 600, 19 * 300]
    found = za.reconcile(books.ledger, programme.transfers)
    assert found.loc[(JIANGSU, 2024), "status"] == "matched"
    row = found.loc[(TIANJIN, 2024)]
    assert (row["expected"], row["actual"], row["difference"]) == (5700, 5627, -73)
    assert "扣回73万元" in row["explanation"]
