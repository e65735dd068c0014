"""Facts to a panel: 37 disjoint units, sources, splits, gaps, and every problem of a file at once."""

import csv
import re
from fractions import Fraction

import pytest

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.base.units import find_unit, load_units, members_of
from zjtx_alloc.facts.panel import FACT_COLUMNS

# little_giants 2025-12 of the six provinces that hold another unit, with that unit's (data/nowcast.csv), and the
# province's rd_active_firms 2020 (中国科技统计年鉴2021): everything a split needs.
SPLITS = {
    "辽宁": (1874, {"辽宁": 258, "大连": 100}),
    "浙江": (23846, {"浙江": 1698, "宁波": 469}),
    "福建": (5979, {"福建": 263, "厦门": 219}),
    "山东": (11604, {"山东": 866, "青岛": 433}),
    "广东": (23081, {"广东": 1210, "深圳": 1333}),
    "新疆": (185, {"新疆": 61, "兵团": 15}),
}
GUANGDONG, SHENZHEN = "440000", "440300"


def rows_of(name):
    with shipped("data", name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_units_are_31_provinces_5_cities_and_the_corps(panel):
    kinds = panel.units["kind"].value_counts().to_dict()
    assert kinds == {"province": 31, "city": 5, "corps": 1}


def test_a_unit_series_has_the_37_codes_in_the_official_order(panel):
    values = panel.values("rd_active_firms", "2020")
    assert list(values.index) == [row["code"] for row in rows_of("units.csv")]
    assert values.index.name == "code"
    assert all(isinstance(code, str) and len(code) == 6 for code in values.index)


def test_the_provinces_members_partition_the_units():
    units = load_units()
    members = [unit for province in units.index[units["kind"] == "province"] for unit in members_of(province)]
    assert sorted(members) == sorted(units.index)


@pytest.mark.parametrize("spelling", ["660000", "兵团", "新疆生产建设兵团", " 兵团 "])
def test_a_unit_is_found_by_code_short_name_and_full_name(spelling):
    assert find_unit(spelling) == "660000"


def test_every_source_of_a_fact_is_registered():
    known = {row["id"] for row in rows_of("sources.csv")}
    assert {row["source"] for row in rows_of("facts.csv")} - known == set()


def test_every_indicator_of_a_fact_is_registered():
    known = {row["code"] for row in rows_of("indicators.csv")}
    assert {row["indicator"] for row in rows_of("facts.csv")} - known == set()


@pytest.mark.parametrize("province", SPLITS)
def test_a_province_is_split_by_little_giants(panel, province):
    whole, giants = SPLITS[province]
    cells = panel.column("rd_active_firms", "2020")
    for unit, weight in giants.items():
        worked = Fraction(whole * weight, sum(giants.values()))
        assert cells.at[find_unit(unit), "value"] == pytest.approx(float(worked), rel=1e-14)
        assert cells.at[find_unit(unit), "estimated"]


def test_guangdong_by_hand(panel):
    # 23081 x 1210/2543 = 10982.308, and 23081 x 1333/2543 = 12098.692 for 深圳.
    values = panel.values("rd_active_firms", "2020")
    assert values[GUANGDONG] == pytest.approx(10982.308, abs=5e-4)
    assert values[SHENZHEN] == pytest.approx(12098.692, abs=5e-4)


def test_the_twelve_units_of_split_provinces_and_no_others_are_marked_estimated(panel):
    cells = panel.column("rd_active_firms", "2020")
    split = {find_unit(unit) for _, giants in SPLITS.values() for unit in giants}
    assert len(split) == 12
    assert set(cells.index[cells["estimated"]]) == split


def test_what_is_published_for_a_member_is_subtracted_not_estimated(write_facts):
    # Above-scale firms of 2020: 58504 with 深圳's 11255.
    path = write_facts(
        (GUANGDONG, "province", "above_scale_firms", "2020", "58504", "个"),
        (SHENZHEN, "unit", "above_scale_firms", "2020", "11255", "个"),
    )
    cells = za.load_panel(path).cells.loc[("above_scale_firms", "2020")]
    assert cells.loc[GUANGDONG, ["value", "estimated"]].tolist() == [58504 - 11255, False]
    assert cells.loc[SHENZHEN, ["value", "estimated"]].tolist() == [11255, False]


def test_a_province_of_one_unit_is_never_split(panel, write_facts):
    # 西藏 has no little_giants at all: a split by them would be 12 x 0/0.
    assert panel.values("little_giants", "2021-06")["540000"] == 0
    tibet = panel.column("rd_active_firms", "2020").loc["540000"]
    assert (tibet["value"], tibet["estimated"]) == (12, False)
    alone = za.load_panel(write_facts(("110000", "province", "gdp", "2020", "7", "亿元")))
    assert alone.cells.loc["gdp", "value"].to_dict() == {("2020", "110000"): 7}


def test_weights_that_sum_to_zero_are_an_error(write_facts):
    path = write_facts(
        (GUANGDONG, "province", "gdp", "2020", "7", "亿元"),
        (GUANGDONG, "unit", "little_giants", "2025-12", "0", "家"),
        (SHENZHEN, "unit", "little_giants", "2025-12", "0", "家"),
    )
    with pytest.raises(za.DataError, match=r"gdp 2020：省级合计无法拆分，.*little_giants:2025-12.*合计为0"):
        za.load_panel(path)


def test_a_member_without_a_weight_is_named(write_facts):
    path = write_facts(
        (GUANGDONG, "province", "gdp", "2020", "7", "亿元"),
        (GUANGDONG, "unit", "little_giants", "2025-12", "106", "家"),
    )
    with pytest.raises(za.DataError, match=r"缺少 深圳 的数据"):
        za.load_panel(path)


# Members above their province, below it though all are there, and one member above it alone.
@pytest.mark.parametrize(("members", "parts"), [((5, 3), "8"), ((5, 1), "6"), ((8,), "8")])
def test_members_that_disagree_with_their_province_are_an_error(write_facts, members, parts):
    own = [(u, "unit", "gdp", "2020", str(x), "亿元") for u, x in zip((GUANGDONG, SHENZHEN), members, strict=False)]
    path = write_facts((GUANGDONG, "province", "gdp", "2020", "7", "亿元"), *own)
    with pytest.raises(za.DataError, match=rf"省级合计 7(\.0)? 与各单位已公布数之和 {parts}(\.0)? 不符"):
        za.load_panel(path)


def test_decimals_that_add_up_on_paper_are_no_disagreement(write_facts):
    # In binary 0.1 + 0.2 is not 0.3.
    path = write_facts(
        (GUANGDONG, "province", "gdp", "2020", "0.3", "亿元"),
        (GUANGDONG, "unit", "gdp", "2020", "0.1", "亿元"),
        (SHENZHEN, "unit", "gdp", "2020", "0.2", "亿元"),
    )
    assert len(za.load_panel(path).cells.loc["gdp"]) == 2


# The published national figures. Counts add up exactly; sums of rounded money within the rounding,
# as data/sources.csv says; GDP by province is known to fall 0.8 % short of the national figure.
@pytest.mark.parametrize(
    ("indicator", "period", "nation", "within"),
    [
        ("little_giants", "2021-06", 1832, 1e-9),
        ("first_round_continued_r1_sum", "2024-04", 1188, 1e-9),
        ("first_round_continued_r1b1y3", "2024-04", 409, 1e-9),
        ("first_round_continued_r1b2y3", "2024-04", 381, 1e-9),
        ("first_round_continued_r1b3y2", "2024-04", 398, 1e-9),
        ("rd_active_firms", "2018", 104820, 1e-6),
        ("rd_active_firms", "2019", 129198, 1e-6),
        ("rd_active_firms", "2020", 146691, 1e-6),
        ("rd_institution_firms", "2020", 94072, 1e-6),
        ("hightech_firms", "2023", 52878, 1e-6),
        ("industrial_rd_spend", "2024", 22547.7, 0.05),
        ("local_budget_spend", "2022", 224981.29, 0.025),
        ("local_budget_spend", "2023", 236403.46, 0.025),
        ("gdp", "2023", 1294000, 0.008 * 1294000),
    ],
)
def test_the_units_sum_to_the_published_national_figure(panel, indicator, period, nation, within):
    fact = panel.facts.query("scope == 'nation' and indicator == @indicator and period == @period")
    assert list(fact["value"]) == [nation]
    assert panel.values(indicator, period).sum() == pytest.approx(nation, abs=within)


def test_a_gap_is_an_error_that_names_the_units(write_facts):
    lines = shipped("data", "facts.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    path = write_facts(name="gap.csv")
    path.write_text("".join(x for x in lines if not x.startswith("540000,西藏自治区,unit,little_")), encoding="utf-8")
    gap = za.load_panel(path)
    assert ("little_giants", "2021-06", "540000") not in gap.cells.index
    with pytest.raises(za.DataError, match=r"2021-06 缺少1个单位的数据：西藏；.*不按0处理"):
        gap.values("little_giants", "2021-06")


def test_an_absent_period_or_indicator_is_an_error_that_says_what_is_there(panel):
    with pytest.raises(za.DataError, match=r"没有数据期“1999”的数据；已有数据期：2021-06"):
        panel.values("little_giants", "1999")
    with pytest.raises(za.DataError, match=r"没有数据期“2024”的数据；已有数据期：无"):
        panel.values("eligible_pool", "2024")
    with pytest.raises(za.DataError, match=r"没有指标“litle_giants”；可用：.*little_giants"):
        panel.values("litle_giants", "2021-06")


def test_every_problem_of_a_file_is_told_at_once_by_spreadsheet_row(write_facts):
    beijing = ("110000", "unit", "gdp", "2020", "5", "亿元")
    path = write_facts(
        beijing,  # row 2; row 1 is the header
        ("110000", "city", "gdp", "2021", "5", "亿元"),
        ("11000", "unit", "gdp", "2020", "5", "亿元"),
        (SHENZHEN, "province", "gdp", "2020", "5", "亿元"),
        ("120000", "unit", "gpd", "2020", "5", "亿元"),
        ("120000", "unit", "gdp", "", "5", "亿元"),
        ("130000", "unit", "gdp", "2020", "", "亿元"),
        ("140000", "unit", "gdp", "2020", "-5", "万元"),
        ("150000", "unit", "gdp", "2020", "nan", "亿元"),
        beijing,
    )
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write("210000,辽宁省,unit,little_giants,2021-06,1,家,published,,\r\n")
    with pytest.raises(za.DataError) as caught:
        za.load_panel(path)
    message = str(caught.value)
    assert "facts.csv 有12处问题" in message
    assert re.findall(r"第(\d+)行 (\w+) 列“(.*)”：", message) == [
        ("2", "unit", "110000"),
        ("3", "scope", "city"),
        ("4", "unit", "11000"),
        ("5", "unit", SHENZHEN),
        ("6", "indicator", "gpd"),
        ("7", "period", ""),
        ("8", "value", ""),
        ("9", "measure", "万元"),
        ("9", "value", "-5"),
        ("10", "value", "nan"),
        ("11", "unit", "110000"),
        ("12", "source", ""),
    ]


def test_a_blank_line_does_not_shift_the_rows(write_facts):
    path = write_facts(("11000", "unit", "gdp", "2020", "5", "亿元"))
    header, fact = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{header}\n\n{fact}\n", encoding="utf-8")
    with pytest.raises(za.DataError, match=r"第3行 unit 列“11000”"):
        za.load_panel(path)


def test_a_file_of_facts_keeps_the_estimates_that_it_does_not_have(panel, write_facts):
    giants = ("110000", "unit", "little_giants", "2024-12", "7", "家")
    nation = ("000000", "nation", "sme_count", "2024-12", "500000", "家")
    cells = za.load_panel(write_facts(giants, nation)).cells["value"]
    assert cells["little_giants", "2024-12"].to_dict() == {"110000": 7}
    assert cells["sme_count", "2024-12"].equals(panel.values("sme_count", "2024-12").sort_index())
    assert set(cells.index.droplevel(2)) == {
        ("little_giants", "2024-06"), ("little_giants", "2024-12"), ("little_giants", "2025-12"),
        ("sme_count", "2023-12"), ("sme_count", "2024-12"),
    }  # fmt: skip


def test_ranges_of_a_file_are_read_unless_the_value_was_changed_beyond_them(panel, tmp_path):
    path = tmp_path / "facts.csv"
    panel.facts.to_csv(path, index=False, encoding="utf-8")
    assert za.load_panel(path).cells.equals(panel.cells)
    kept = panel.facts[panel.facts["indicator"] == "sme_count"].head(4).astype({"low": str, "high": str})
    kept["value"] = 100
    kept["low"], kept["high"] = ["101", "", "90", "100"], ["", "99", "120", "100"]
    kept.to_csv(path, index=False, encoding="utf-8")
    ends = za.load_panel(path).cells.loc[("sme_count", "2023-12"), ["low", "high"]]
    assert ends.fillna(-1).to_numpy().tolist() == [[-1, -1], [-1, -1], [90, 120], [100, 100]]
    kept["low"] = ["约90", "", "-1", "100"]
    kept.to_csv(path, index=False, encoding="utf-8")
    with pytest.raises(za.DataError) as caught:
        za.load_panel(path)
    assert re.findall(r"第(\d+)行 (\w+) 列“(.*)”：不是非负数；没有范围的请留空", str(caught.value)) == [
        ("2", "low", "约90"), ("4", "low", "-1"),
    ]  # fmt: skip


def test_a_file_without_facts_is_a_data_error(write_facts):
    with pytest.raises(za.DataError):
        za.load_panel(write_facts()).values("gdp", "2020")


def test_cells_beyond_the_header_are_a_data_error(write_facts):
    path = write_facts(("110000", "unit", "gdp", "2020", "5", "亿元"))
    header, fact = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{header}\n{fact},6\n", encoding="utf-8")
    with pytest.raises(za.DataError):
        za.load_panel(path)


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "facts.csv"
    path.write_text(",".join(c for c in FACT_COLUMNS if c != "measure") + "\n", encoding="utf-8")
    with pytest.raises(za.DataError, match=r"缺少列：measure；"):
        za.load_panel(path)


def test_a_file_in_another_encoding_or_place_says_the_remedy(tmp_path):
    path = tmp_path / "facts.csv"
    path.write_text(",".join(FACT_COLUMNS) + "\n110000,北京市,,,,,,,,\n", encoding="gbk")
    with pytest.raises(za.DataError, match=r"另存为 UTF-8"):
        za.load_panel(path)
    with pytest.raises(za.DataError, match=r"找不到数据文件 .*absent\.csv"):
        za.load_panel(tmp_path / "absent.csv")


def test_a_byte_order_mark_changes_nothing(panel, tmp_path):
    path = tmp_path / "facts.csv"
    path.write_text(shipped("data", "facts.csv").read_text(encoding="utf-8-sig"), encoding="utf-8-sig")
    assert za.load_panel(path).cells.equals(panel.cells)


def test_what_is_read_once_a_process_is_everyone_s_own():
    panel, award = za.load_panel(), za.load_award("caijian-2024-148")
    value, amount = panel.cells["value"].sum(), award.parameters.at["amount", "value"]
    for table in (panel.facts, panel.cells):
        table["value"] = 0.0
    panel.sources.loc[:, "publisher"] = award.parameters.loc[:, "value"] = "x"
    again = za.load_panel()
    assert again.cells["value"].sum() == value > 0
    assert again.facts["value"].gt(0).any()
    assert "x" not in set(again.sources["publisher"])
    assert za.load_award("caijian-2024-148").parameters.at["amount", "value"] == amount != "x"
