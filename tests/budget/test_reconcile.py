"""Actual transfers against the ledger: every status, every cause, every problem of a table at once."""

import re
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest
from support.cohorts_by_hand import cohort

import zjtx_alloc as za
from zjtx_alloc.budget.ledger.reconcile import CAUSES
from zjtx_alloc.facts.payments import read_transfers

AWARD = za.load_award("caijian-2024-148")
HEAD = ["单位", "预算年度", "文号", "下达金额（万元）", "其中扣回（万元）"]


@pytest.fixture(scope="module")
def books():
    """Batch 1 (2024, 2027) and batch 2 (2025, 2028) in three units; 73 of another scheme in 天津."""
    index = pd.Index(["120000", "310000", "440300"], name="code")
    first = za.Cohort("1", pd.Series([19, 8, 5], index=index), 2024, 2027)
    second = za.Cohort("2", pd.Series([10, 0, 7], index=index), 2025, 2028)
    netted = pd.DataFrame(
        [("120000", 2024, "清算文件", 73)], columns=["code", "fiscal_year", "document", "recovered"]
    )  # fmt: skip
    # Expected: 天津 5627 and 3000, 上海 2400, 深圳 1500 and 2100.
    return za.ledger((first, second), AWARD, netted)


GOOD = {
    ("天津", 2024): [("天津市", 2024, "359号", 5627, 73)],
    ("上海", 2024): [("上海", "2024年", "359号", 2400, None)],
    ("深圳", 2024): [("深圳", 2024, "提前1号", 1000, None), ("深圳", 2024, "359号", 500, None)],
}


def rows(**changes):
    """The good rows of 2024 with those of some units replaced."""
    kept = {unit: found for (unit, _), found in GOOD.items()} | changes
    return pd.DataFrame([row for found in kept.values() for row in found], columns=HEAD)


def found(books, table):
    """Rows that do not match: (unit, year) -> (status, difference, cause)."""
    table = za.reconcile(books, table).reset_index()
    table = table[table["status"] != "matched"]
    keys = zip(table["short_name"], table["fiscal_year"], strict=True)
    return dict(zip(keys, zip(table["status"], table["difference"], table["cause"], strict=True), strict=True))


def test_documents_of_a_unit_and_year_count_together(books):
    table = za.reconcile(books, rows())
    assert table["status"].tolist() == ["matched"] * 3
    assert table["cause"].eq("").all()
    assert table.loc[("440300", 2024), ["expected", "actual", "difference"]].tolist() == [1500, 1500, 0]
    assert table.at[("440300", 2024), "documents"] == "提前1号、359号"


CASES = {
    "a firm short": (rows(上海=[("上海", 2024, "359号", 2100, None)]), {("上海", 2024): ("short", -300, "digit/firms")}),
    "two firms over": (rows(上海=[("上海", 2024, "359号", 3000, None)]), {("上海", 2024): ("over", 600, "firms")}),
    "a known recovery not netted": (rows(天津=[("天津", 2024, "359号", 5700, None)]), {("天津", 2024): ("over", 73, "recovery")}),
    "a known recovery netted twice": (
        rows(天津=[("天津", 2024, "359号", 5554, None)]), {("天津", 2024): ("short", -73, "recovery")}
    ),
    "a netting the ledger does not know": (
        rows(上海=[("上海", 2024, "359号", 2389, 11)]), {("上海", 2024): ("short", -11, "recovery")}
    ),
    "under another's name": (
        rows(上海=[("深圳", 2024, "359号甲", 2400, None)]),
        {("上海", 2024): ("absent", pd.NA, "unit"), ("深圳", 2024): ("over", 2400, "unit")},
    ),
    "a year late": (
        rows(上海=[("上海", 2025, "359号", 2400, None)], 天=[("天津", 2025, "12号", 3000, None)], 深=[("深圳", 2025, "12号", 2100, None)]),
        {("上海", 2024): ("absent", pd.NA, "year"), ("上海", 2025): ("unknown", 2400, "year")},
    ),
    "a year early": (rows(早=[("深圳", 2024, "12号", 2100, None)]), {("深圳", 2024): ("over", 2100, "year/firms")}),
    "twice": (
        rows(上海=[("上海", 2024, "359号", 2400, None)] * 2), {("上海", 2024): ("over", 2400, "duplicate")}
    ),
    "no document": (rows(上海=[]), {("上海", 2024): ("absent", pd.NA, "absent")}),
    "no cause found": (rows(上海=[("上海", 2024, "359号", 2412, None)]), {("上海", 2024): ("over", 12, "unexplained")}),
    "three firms nobody expected": (
        rows(北京=[("北京", 2024, "359号", 900, None)]), {("北京", 2024): ("unknown", 900, "firms")}
    ),
    "in 元": (rows(上海=[("上海", 2024, "359号", 24_000_000, None)]), {("上海", 2024): ("over", 23_997_600, "measure")}),
    "of the first round": (
        rows(津=[("天津", 2024, "财建[2024]142号", 2001, None)]), {("天津", 2024): ("over", 2001, "older_round")}
    ),
    "two units exchanged": (
        rows(天津=[("上海", 2024, "359号", 5627, 73)], 上海=[("天津", 2024, "359号", 2400, None)]),
        {("天津", 2024): ("short", -3227, "exchanged"), ("上海", 2024): ("over", 3227, "exchanged")},
    ),
    "twice, and a firm": (
        rows(上海=[("上海", 2024, "359号", 2100, None)] * 2), {("上海", 2024): ("over", 1800, "duplicate+digit/duplicate+firms")}
    ),
    "twice, and something else": (
        rows(上海=[("上海", 2024, "359号", 2412, None)] * 2), {("上海", 2024): ("over", 2424, "duplicate+unexplained")}
    ),
    "under another's name, and netted": (
        rows(上海=[("深圳", 2024, "359号甲", 2389, 11)]),
        {("上海", 2024): ("absent", pd.NA, "recovery+unit"), ("深圳", 2024): ("over", 2389, "unit")},
    ),
    "a digit": (rows(上海=[("上海", 2024, "359号", 7400, None)]), {("上海", 2024): ("over", 5000, "digit")}),
    "nothing was due": (rows(北京=[("北京", 2024, "359号", 901, None)]), {("北京", 2024): ("unknown", 901, "unexplained")}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_difference_and_its_likely_cause(books, case):
    table, differences = CASES[case]
    assert found(books, table) == differences


def test_every_cause_of_a_unit_has_its_case():
    cases = {cause for _, differences in CASES.values() for *_, cause in differences.values()}
    assert {one for causes in cases for one in re.split("[+/]", causes)} == set(CAUSES) - {
        "city",
        "rate",
        "instalment",
        "common_year",
    }


def test_the_real_transfer_to_tianjin_is_one_firm_more_and_money_netted():
    # The model's 18 firms: 5,400; one firm more makes 5,700, of which the document nets 73: 5,627 (财建〔2024〕359号).
    books = za.ledger((cohort([18]),), AWARD)
    table = pd.DataFrame([("天津", 2024, "财建〔2024〕359号", 5627, 73)], columns=HEAD)
    row = za.reconcile(books, table).iloc[0]
    assert (row["difference"], row["cause"]) == (227, "recovery+digit/recovery+firms")
    assert row["explanation"] == (
        "下列任一均可解释：文件载明扣回73万元，台账未登记该笔扣回；财建〔2024〕359号的5627可能错一位数字，改为5327则相符；"
        "或文件载明扣回73万元，台账未登记该笔扣回；相当于1家企业的资金（每家300万元），请核对审核通过企业数"
    )


PAIRS = ["320000", "330000", "330200", "440000", "440300", "620000"]


@pytest.fixture(scope="module")
def provinces():
    """江苏 60 firms, 浙江 40, 宁波 17, 广东 50, 深圳 31, 甘肃 1 in 2024."""
    return za.ledger(
        (za.Cohort("1", pd.Series([60, 40, 17, 50, 31, 1], index=pd.Index(PAIRS, name="code")), 2024, 2027),), AWARD
    )


def right(**changes):
    kept = {"江苏": 18000, "浙江": 12000, "宁波": 5100, "广东": 15000, "深圳": 9300, "甘肃": 300} | changes
    return pd.DataFrame([(unit, 2024, "359号", money, None) for unit, money in kept.items() if money], columns=HEAD)


def test_an_amount_in_yuan_is_a_measure_and_no_number_of_firms(provinces):
    table = za.reconcile(provinces, right(甘肃=3_000_000))
    assert found(provinces, right(甘肃=3_000_000)) == {("甘肃", 2024): ("over", 2_999_700, "measure")}
    assert table["explanation"].iloc[-1] == "359号的3,000,000像是以元填写，应为300万元"
    # Nor is it one where nothing fits: 8,888 firms are no explanation.
    assert found(provinces, right(甘肃=300 + 8_888 * 300)) == {("甘肃", 2024): ("over", 8_888 * 300, "unexplained")}


def test_a_city_inside_its_province(provinces):
    table = right(广东=15_000 + 9_300, 深圳=None)
    assert found(provinces, table) == {
        ("广东", 2024): ("over", 9300, "city"),
        ("深圳", 2024): ("absent", pd.NA, "city"),
    }
    assert dict(zip(PAIRS, za.reconcile(provinces, table)["explanation"], strict=True)) == dict.fromkeys(PAIRS, "") | {
        "440000": "可能含深圳的9300万元，请分列核对", "440300": "可能含在广东的数中"
    }  # fmt: skip
    joint = right(广东=15_000 + 9_300 + 300, 深圳=None)
    assert found(provinces, joint)["广东", 2024] == ("over", 9600, "city+digit/city+firms")


def test_a_province_and_its_city_exchanged(provinces):
    table = right(浙江=5_100, 宁波=12_000)
    both = {("浙江", 2024): ("short", -6900, "exchanged"), ("宁波", 2024): ("over", 6900, "exchanged")}
    assert found(provinces, table) == both
    assert za.reconcile(provinces, table)["explanation"].iloc[1] == "与宁波互换后相符，两个单位可能填反"


@pytest.mark.parametrize(
    "document", ["财建〔2024〕142号", "财建[2024]142号", "关于下达资金的通知（财建〔2024〕142号）", "142号"]
)
def test_a_document_of_the_first_round_by_any_of_its_names(provinces, document):
    table = pd.concat([right(), pd.DataFrame([("江苏", 2024, document, 4001, None)], columns=HEAD)])
    assert found(provinces, table) == {("江苏", 2024): ("over", 4001, "older_round")}
    alone = pd.concat([right(江苏=None), pd.DataFrame([("江苏", 2024, document, 4001, None)], columns=HEAD)])
    assert found(provinces, alone) == {("江苏", 2024): ("short", -13_999, "older_round+absent")}
    said = f"{document.replace('（', '(').replace('）', ')')}是上一轮的下达文件，其4001万元（上一轮尾款）未计入台账"
    assert za.reconcile(provinces, table)["explanation"].iloc[0] == said


@pytest.mark.parametrize("document", ["42号", "财建〔2023〕142号", "财建〔2024〕1142号"])
def test_a_document_of_another_number_is_none_of_the_first_round(provinces, document):
    table = pd.concat([right(), pd.DataFrame([("江苏", 2024, document, 4001, None)], columns=HEAD)])
    assert found(provinces, table) == {("江苏", 2024): ("over", 4001, "unexplained")}


def test_tails_that_the_ledger_has_are_no_difference():
    tail = za.Cohort("尾款", pd.Series([20], index=pd.Index(["320000"], name="code")), 2024, 2024, payment=200)
    table = pd.DataFrame([("江苏", 2024, "财建〔2024〕142号", 3800, None)], columns=HEAD)
    row = za.reconcile(za.ledger((tail,), AWARD), table).iloc[0]
    assert (row["difference"], row["cause"]) == (-200, "firms")
    short = za.ledger((tail, za.Cohort("1", tail.approved, 2024, 2027)), AWARD)
    row = za.reconcile(short, table.assign(**{HEAD[3]: 6000})).iloc[0]
    assert (row["difference"], row["cause"], row["explanation"]) == (-4000, "absent", "未见尾款的4000万元")


def test_what_stays_open_is_said_with_its_amount(books):
    table = rows(上海=[("上海", 2024, "359号", 2412, None)] * 2)
    assert za.reconcile(books, table).loc[("310000", 2024), "explanation"] == (
        "同一文件重复登记：359号；其余12万元原因未查明，请核对文件"
    )


def test_a_pair_of_equal_differences_is_no_wrong_name_without_the_amount(books):
    # 上海 a firm short, 深圳 a firm over: no document of 300 lies under 深圳.
    table = rows(上海=[("上海", 2024, "359号", 2100, None)], 深圳=[("深圳", 2024, "359号", 1800, None)])
    assert found(books, table) == {
        ("上海", 2024): ("short", -300, "digit/firms"), ("深圳", 2024): ("over", 300, "digit/firms")
    }  # fmt: skip


def test_a_tails_money_a_firm_counts_firms_too(books):
    index = pd.Index(["310000"], name="code")
    tail = za.Cohort("尾款", pd.Series([4], index=index), 2025, 2025, payment=143)
    table = pd.DataFrame([("上海", 2025, "12号", 286, None)], columns=HEAD)
    row = za.reconcile(za.ledger((tail,), AWARD), table).iloc[0]
    assert (row["difference"], row["cause"]) == (-286, "firms")
    assert row["explanation"] == "相当于2家企业的资金（每家143万元），请核对审核通过企业数"


def test_a_firm_is_worth_what_its_batch_pays_in_that_year():
    # 400 at the start and 200 at the end: of 8 firms due at the end, one is not paid.
    index = pd.Index(["310000"], name="code")
    books = za.ledger((za.Cohort("1", pd.Series([8], index=index), 2024, 2027),), replace(AWARD, opening=400))
    row = za.reconcile(books, pd.DataFrame([("上海", 2027, "9号", 1400, None)], columns=HEAD)).iloc[0]
    assert (row["expected"], row["difference"], row["cause"]) == (1600, -200, "digit/firms")
    assert row["explanation"].endswith("；或相当于1家企业的资金（每家200万元），请核对审核通过企业数")


@pytest.mark.parametrize("form", ["xlsx", "csv", "gbk"])
def test_files_are_read_as_they_come(books, tmp_path, form):
    table = rows(天津=[("120000", 2024, "359号", "5,627", "73")])
    path = tmp_path / ("实际下达.xlsx" if form == "xlsx" else "实际下达.csv")
    if form == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(["2024年中小企业发展专项资金下达情况"])
        for row in [HEAD, *table.astype(object).where(table.notna(), None).to_numpy().tolist()]:
            book.active.append(row)
        book.active.append(["合计", None, None, 9527, 73])
        book.save(path)
    else:
        table.to_csv(path, index=False, encoding="gb18030" if form == "gbk" else "utf-8-sig")
    assert found(books, path) == {}


def sheet_of(path, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_amounts_are_converted_as_headers_and_titles_say(books, tmp_path):
    # 天津 5,627 万元 in 元, 千元 and 亿元; the title holds for what no header says.
    assert read(tmp_path, ["金额单位：元"], ["单位", "年度", "文号", "金额"], ["天津", 2024, "359号", 56_270_000]) == [
        5627
    ]
    assert read(tmp_path, ["单位", "年度", "文号", "金额（千元）"], ["天津", 2024, "359号", 56_270]) == [5627]
    assert read(tmp_path, ["单位：元"], ["单位", "年度", "文号", "金额（亿元）"], ["天津", 2024, "359号", 0.5627]) == [
        5627
    ]
    with pytest.raises(za.TableError, match="3｜D 金额｜56270001｜不是整数万元"):
        read(tmp_path, ["单位：元"], ["单位", "年度", "文号", "金额"], ["天津", 2024, "359号", 56_270_001])


def read(tmp_path, *rows):
    return read_transfers(sheet_of(tmp_path / "实际.xlsx", *rows))["amount"].tolist()


def test_a_header_may_take_two_rows(books, tmp_path):
    head = (
        ["序号", "地区", "预算年度", "下达情况（元）", None, None],
        [None, None, None, "文号", "下达金额", "其中：扣回"],
    )
    table = (
        ["2024年资金下达情况表"],
        *head,
        [1, "天津", 2024, "359号", 56_270_000, 730_000],
        ["合计", None, None, None, 56_270_000, 730_000],
        ["注：含提前下达"],
    )
    found = read_transfers(sheet_of(tmp_path / "实际.xlsx", *table))
    assert found[["code", "fiscal_year", "document", "amount", "netted"]].to_numpy().tolist() == [
        ["120000", 2024, "359号", 5627, 73]
    ]


def listed(tmp_path, *table):
    found = read_transfers(sheet_of(tmp_path / "实际.xlsx", *table))
    return found[["code", "fiscal_year", "document", "amount"]].to_numpy().tolist()


def test_what_only_the_title_names_holds_for_all_rows(tmp_path):
    title = ["2024年中小企业发展专项资金分配表（财建〔2024〕359号，2024年12月3日印发）"]
    found = listed(tmp_path, title, ["单位：元"], ["地区", "金额"], ["天津", 56_270_000], ["合计", 56_270_000])
    assert found == [["120000", 2024, "财建〔2024〕359号", 5627]]
    two = ["2024、2025年分配表（财建〔2024〕359号、财建〔2025〕9号）"]
    with pytest.raises(za.DataError, match="须在表题或年度列名中写明，如“2024年”“财建〔2024〕359号”"):
        listed(tmp_path, two, ["地区", "金额"], ["天津", 5627])


def test_years_may_stand_side_by_side(tmp_path):
    head = ["单位", "2024年（财建〔2024〕359号）", "2025年（财建〔2025〕9号）", "备注"]
    found = listed(tmp_path, ["单位：万元"], head, ["天津", 5627, None], ["北京", 10500, 300], ["合计", 16127, 300])
    assert found == [
        ["120000", 2024, "财建〔2024〕359号", 5627],
        ["110000", 2024, "财建〔2024〕359号", 10500],
        ["110000", 2025, "财建〔2025〕9号", 300],
    ]
    one = listed(tmp_path, ["财建〔2025〕9号"], ["单位", 2024, "2025年金额（元）"], ["天津", 100, 3_000_000])
    assert one == [["120000", 2024, "财建〔2025〕9号", 100], ["120000", 2025, "财建〔2025〕9号", 300]]
    with pytest.raises(za.TableError, match=r"C 2025年\(财建〔2025〕9号\)｜301｜与各行之和 300 不符"):
        listed(tmp_path, ["单位：万元"], head, ["天津", 5627, 300], ["合计", 5627, 301])


@pytest.mark.parametrize("taken", [-73, "-73", "△73", "(73)", "−73"])
def test_money_taken_back_in_a_row_of_its_own_is_netted(books, taken):
    table = rows(天津=[("天津", 2024, "359号", 5700, None), ("天津", 2024, "清算", taken, None)])
    assert found(books, table) == {}
    assert read_transfers(table).query("code == '120000'")[["amount", "netted"]].to_numpy().tolist() == [
        [5700, 0],
        [-73, 73],
    ]


def province(*given):
    return pd.DataFrame(
        [row for found in GOOD.values() for row in found if "深" not in row[0]] + list(given), columns=HEAD
    )


@pytest.mark.parametrize(
    "given",
    [
        [("广东", 2024, "359号", 4500, None), ("其中：深圳", 2024, "359号", 1500, None)],
        [("广东（含深圳）", 2024, "359号", 4500, None), ("其中：深圳", 2024, "359号", 1500, None)],
        [("广东省（含深圳市）", 2024, "359号", 4500, None), ("深圳", 2024, "359号", 1500, None)],
        [
            ("广东", 2024, "359号", 3000, None),
            ("深圳", 2024, "359号", 1500, None),
            ("广东省合计", 2024, "359号", 4500, None),
        ],
    ],
)
def test_a_province_with_its_city_inside_is_taken_apart(books, given):
    table = za.reconcile(books, province(*given))
    assert table.loc["440300", "actual"].item() == 1500
    assert table.loc["440000", ["actual", "status"]].to_numpy().tolist() == [[3000, "unknown"]]


def test_a_province_that_says_it_holds_its_city_is_given_what_the_city_is_due(books):
    # Nothing is due to 广东 here: of 1,613 the city has its 1,500, and 113 stay open with the province.
    table = za.reconcile(books, province(("广东（含深圳）", 2024, "359号", 1613, None)))
    assert table.loc["440300", ["actual", "status", "cause"]].to_numpy().tolist() == [[1500, "matched", ""]]
    assert table.loc["440000", ["actual", "difference", "cause"]].to_numpy().tolist() == [[113, 113, "unexplained"]]
    said = "广东一行含深圳：按应下达拆分，差额列在广东"
    assert table["explanation"].tolist()[-2:] == [f"{said}；原因未查明，请核对文件", said]


def test_a_separator_without_quotation_marks_does_not_make_two_amounts(books, tmp_path):
    (path := tmp_path / "实际.csv").write_text(f"{','.join(HEAD)}\n天津,2024,359号,5,700,0\n", encoding="utf-8")
    with pytest.raises(
        za.TableError, match="2｜｜天津,2024,359号,5,700,0｜有6格，多于表头的5格：内容中有未加引号的分隔符“,”"
    ):
        za.reconcile(books, path)


def test_every_problem_of_a_table_is_told_at_once(books):
    table = pd.DataFrame(
        [
            ("天津", 2024, "359号", 5627.5, None),
            ("天津", "去年", "", "约100", "-3"),
            ("火星", 2024, "359号", -1, None),
        ],
        columns=HEAD,
    )
    with pytest.raises(za.DataError) as error:
        za.reconcile(books, table)
    said = str(error.value)
    assert "有6处问题" in said
    for part in ("不是整数万元", "不是年度", "没有文号", "不是数字", "不是37个单位之一", "为负数", "D 下达金额(万元)"):
        assert part in said, part


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (rows().drop(columns="文号"), "没有找到实际下达表：需有一行表头，含“单位”“年度”“文号”“金额”各列"),
        (rows().rename(columns={HEAD[3]: "金额（家）"}), "家｜计量单位不符，应为万元"),
        (rows().assign(实际下达=1), r"1｜F 实际下达｜实际下达｜与 D 下达金额\(万元\) 列是同一指标"),  # the last of them was read
        (rows().rename(columns={HEAD[3]: "金额（千元）"}), "D 金额\\(千元\\)｜5627｜不是整数万元"),
        (rows(深=[("其中：深圳", 2025, "359号", 1500, None)]), "6｜A 单位｜其中：深圳｜上面没有广东的行｜请把广东同一文件、同一年度的一行写在本行之前"),
        (rows(粤=[("广东", 2024, "9号", 10, None), ("广东省合计", 2024, "9号", 11, None)]), "7｜D 下达金额.*｜11｜与各行之和 10 不符"),
        (rows().iloc[:0], "表头下没有数据"),
        (pd.concat([rows(), pd.DataFrame([("合计", None, None, 9528, None)], columns=HEAD)]), r"与各行之和 9527 不符"),
        (pd.concat([rows(), pd.DataFrame([("合计", None, None, 9527, 72)], columns=HEAD)]), r"E 其中扣回.*72.*｜与各行之和 73 不符"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_trusted_is_refused(books, table, said):
    with pytest.raises(za.DataError, match=said):
        za.reconcile(books, table)


def said_of(books, unit, *transfers):
    """The cause found for a unit's transfers and its explanation."""
    table = za.reconcile(books, pd.DataFrame([(unit, *row) for row in transfers], columns=HEAD)).reset_index()
    row = table[table["short_name"] == unit].iloc[0]
    return row["cause"], row["explanation"]


def test_an_explanation_names_what_it_rests_on(books):
    twice = [(2024, "359号", 1200, None), (2024, "甲号", 1200, None)]
    twice += [(2024, document, money, 11) for _, document, money, _ in twice]  # what is netted may differ
    assert said_of(books, "上海", *twice) == ("duplicate", "同一文件重复登记：359号、甲号")
    note = "可能漏扣、重扣或提前扣"
    assert said_of(books, "天津", (2024, "359号", 5700, None)) == (
        "recovery",
        f"等于清算文件收回的73万元，{note}",
    )
    stated = "文件载明扣回11万元，台账未登记该笔扣回"
    assert said_of(books, "上海", (2024, "359号", 2389, 11)) == ("recovery", stated)


def test_a_recovery_of_the_ledgers_own_is_told_with_its_year():
    # Of two firms one completes (300 due in 2027) and one has invested too little (its 300 come back): net 0.
    own = za.ledger((cohort([2], [(1, 0, 1)]),), AWARD)
    said = "下列任一均可解释：等于台账2027年应收回的300万元（按期末结果测算），可能漏扣或重扣；或相当于1家企业的资金（每家300万元），请核对审核通过企业数"
    assert said_of(own, "天津", (2027, "7号", 300, None)) == ("recovery/firms", said)


def test_a_recovery_to_come_explains_nothing_yet():
    # 900 are assumed to come back in 2027; the same 900 too many in 2024 are no such recovery.
    own = za.ledger((cohort([40], [(31, 6, 3)]),), AWARD)
    cause, said = said_of(own, "天津", (2024, "7号", 12_900, None))
    assert cause == "digit/firms"
    assert "收回" not in said


def test_what_matches_has_no_explanation(books):
    assert za.reconcile(books, rows())["explanation"].eq("").all()


def test_what_could_belong_to_several_units_is_given_to_none():
    # 上海 and 深圳 are both due 1,500 and have no document; 天津 has one of 1,500 beside its own.
    books = za.ledger((cohort([19, 5, 5]),), AWARD)
    table = pd.DataFrame([("天津", 2024, "359号", 5700, None), ("天津", 2024, "360号", 1500, None)], columns=HEAD)
    causes = za.reconcile(books, table)
    assert causes["cause"].tolist() == ["unit/firms", "unit/absent", "unit/absent"]
    assert causes["explanation"].iloc[0] == (
        "下列任一均可解释：360号的1500万元可能属于上海、深圳之一；或相当于5家企业的资金（每家300万元），请核对审核通过企业数"
    )


def test_a_table_of_one_unit_is_compared_by_itself():
    # 天津 has what 上海 is due; that 上海 is not in the table does not make it 上海's.
    books = za.ledger((cohort([19, 18, 5]),), AWARD)
    table = pd.DataFrame([("天津", 2024, "359号", 5400, None)], columns=HEAD)
    assert za.reconcile(books, table)["cause"].tolist() == ["digit/firms", "absent", "absent"]


def test_many_differences_that_fit_each_other_are_candidates_at_most():
    # Eight units, each a firm more or less than the ledger says, so that neighbours seem exchanged.
    units = za.load_panel().units.index[[0, 2, 3, 4, 10, 15, 20, 25]]
    books = za.ledger((za.Cohort("1", pd.Series([10, 11] * 4, index=units), 2024, 2027),), AWARD)
    rows = [(unit, 2024, "359号", 300 * firms, None) for unit, firms in zip(units, [11, 10] * 4, strict=True)]
    assert set(za.reconcile(books, pd.DataFrame(rows, columns=HEAD))["cause"]) == {"exchanged/digit/firms"}


@pytest.fixture(scope="module")
def nation():
    """The baseline's first batch, and the same with what the first round still pays."""
    panel = za.load_panel()
    first = za.cohorts(za.allocate(panel, za.load_scenario("2024-baseline")))
    return za.ledger(first, AWARD), za.ledger((*first, *za.tails(panel)), AWARD)


def expected(books, year=2024, named=None):
    """What the books expect in a year, as a table that names that year or another."""
    net = books.accounts["net"].xs(year, level="fiscal_year")
    return pd.DataFrame(
        [(code, named or year, "财建〔2024〕359号", money, None) for code, money in net[net > 0].items()], columns=HEAD
    )


CODES = {"四川": "510000", "湖北": "420000", "河南": "410000", "福建": "350000", "山东": "370000", "江苏": "320000"}
MONEY = HEAD[3]


def at(table, name):
    return table["单位"] == CODES[name]


def test_a_rate_withheld_from_all_is_one_cause_and_what_else_is_wrong_is_still_found(nation):
    table = expected(nation[0])
    table[MONEY] = table[MONEY] * 95 // 100
    assert set(za.reconcile(nation[0], table)["cause"]) == {"rate"}
    table.loc[at(table, "江苏"), MONEY] *= 10_000
    table = table[~at(table, "福建")]
    table = pd.concat([table, table[at(table, "河南")]])
    found = za.reconcile(nation[0], table).droplevel(1)
    named = {name: found.at[CODES[name], "cause"] for name in ("江苏", "福建", "河南", "四川")}
    assert named == {"江苏": "rate+measure", "福建": "absent", "河南": "rate+duplicate", "四川": "rate"}
    assert found.at["510000", "explanation"] == "各单位按同一比例少5%（36个单位如此），可能统一扣留"


def test_a_rate_withheld_in_a_region_is_said_of_the_region(nation):
    table = expected(nation[0])
    units = za.load_panel().units
    east = table["单位"].map(units["region"]).eq("东北")
    table.loc[east, MONEY] = table.loc[east, MONEY] * 9 // 10
    found = za.reconcile(nation[0], table)
    assert found["cause"].value_counts().to_dict() == {"": 33, "rate": 4}
    assert "东北地区按同一比例少10%（4个单位如此），可能统一扣留" in set(found["explanation"])


def test_a_table_of_another_year_and_an_instalment_in_another_year_are_common_causes(nation):
    other = za.reconcile(nation[0], expected(nation[0], 2024, named=2026))
    assert set(other["cause"]) == {"common_year"}
    early = za.ledger((cohort([5, 7, 9]), cohort([2, 3, 4], name="2", years=(2025, 2028))), AWARD)
    later = expected(early, 2025)
    moved = expected(early, 2024)
    moved[MONEY] += later[MONEY]
    moved = pd.concat([moved, later.assign(**{MONEY: 0})])
    assert set(za.reconcile(early, moved)["cause"]) == {"instalment"}


def test_two_units_exchanged_are_found_among_other_errors(nation):
    table = expected(nation[0])
    money = table.loc[at(table, "四川"), MONEY].item()
    table.loc[at(table, "四川"), MONEY] = table.loc[at(table, "湖北"), MONEY].item()
    table.loc[at(table, "湖北"), MONEY] = money
    for number, name in enumerate(["110000", "120000", "310000", "330000", "340000", "430000", "440000"]):
        table.loc[table["单位"] == name, MONEY] += 11 + number  # seven other differences
    found = za.reconcile(nation[0], table).droplevel(1)
    assert found.loc[["420000", "510000"], "cause"].tolist() == ["exchanged"] * 2


def test_a_row_twice_is_named_although_the_amounts_agree(nation):
    # A unit due as much for the first round as for the new batch: one row twice makes the sum right.
    tail = za.Cohort(
        "尾款", pd.Series([6, 3], index=pd.Index(["110000", "120000"], name="code")), 2024, 2024, payment=300
    )
    books = za.ledger((tail, za.Cohort("1", tail.approved, 2024, 2027)), AWARD)
    table = pd.DataFrame(
        [("北京", 2024, "359号", 1800, None)] * 2 + [("天津", 2024, "359号", 1800, None)], columns=HEAD
    )
    row = za.reconcile(books, table).iloc[0]
    assert (row["status"], row["difference"], row["cause"]) == ("doubtful", 0, "duplicate")
    assert row["explanation"] == "金额相符，但359号的1800万元登记了两次，请核对是否重复"
    # Where the first round is missing everywhere, that and the duplicate are both said.
    tails = nation[1]
    table = pd.concat([expected(nation[0]), expected(nation[0])[at(expected(nation[0]), "河南")]])
    assert za.reconcile(tails, table).loc[("410000", 2024), "cause"] == "instalment+duplicate"


def test_units_without_a_document_have_no_difference(nation):
    table = expected(nation[0])
    found = za.reconcile(nation[0], table[at(table, "四川") | at(table, "湖北")])
    assert found["status"].value_counts().to_dict() == {"absent": 35, "matched": 2}
    assert found["difference"].sum() == 0
    assert found["actual"].isna().sum() == found["difference"].isna().sum() == 35
