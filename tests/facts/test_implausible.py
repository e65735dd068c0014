"""Tables that can be read and cannot be right: exchanged columns, zeros of large units, headers nearly known."""

import pandas as pd
import pytest
from support.tables import GIANTS, SME, text

import zjtx_alloc as za
from zjtx_alloc.cli.main import main

REMEDY = "处理办法"


def like(panel, indicator, period, total):
    """A column of whole counts in the proportions of a shipped one, with about this total."""
    column = panel.values(indicator, period)
    return (column * (total / column.sum())).round().astype(int)


def problems(tmp_path, columns, header=None):
    """What ``check`` finds wrong with columns by header."""
    frame = pd.DataFrame(columns).rename_axis("单位").reset_index()
    (path := tmp_path / "因素表.csv").write_bytes(text([header or list(frame), *frame.to_numpy().tolist()]))
    try:
        za.check_table(path)
    except za.TableError as error:
        return error.problems.drop(columns=REMEDY).to_numpy().tolist(), error.problems[REMEDY].tolist()
    return [], []


@pytest.fixture
def columns(panel):
    """A table as it would come: 474,5xx firms above the line, 14,6xx little giants."""
    return {
        SME: like(panel, "sme_count", "2024-12", 474_540),
        GIANTS: like(panel, "little_giants", "2025-12", 14_600),
    }


def test_a_plausible_table_has_no_problem(columns, tmp_path):
    assert problems(tmp_path, columns) == ([], [])


def test_exchanged_columns_are_told_by_the_nations_total(columns, tmp_path):
    """474,5xx little giants are 27 times the nation; the other column would fit."""
    (found,), (remedy,) = problems(tmp_path, {SME: columns[GIANTS], GIANTS: columns[SME]})
    more, right = (f"{columns[name].sum():,}" for name in (SME, GIANTS))
    assert found == [
        1, "C “小巨人”企业数", more,
        f"合计是全国数17,589（2025-12）的27.0倍，而“B 规模以上工业中小企业数(家)”列合计{right}，两列像是互换了",
    ]  # fmt: skip
    assert remedy == "请核对两列的表头和数字，互换的请改正"


@pytest.mark.thorough
def test_columns_nearly_as_large_are_told_where_the_nation_is_known_for_both(panel, tmp_path):
    """146,691 firms with R&D and 52,878 of high technology: each is off by 2.8 times, and exchanged neither is."""
    research, technology = (panel.values(*key) for key in (("rd_active_firms", "2020"), ("hightech_firms", "2023")))
    right = {"有R&D活动企业数": research, "高技术制造业企业数": technology}
    right = {name: like(panel, *key, column.sum()) for (name, column), key in zip(
        right.items(), (("rd_active_firms", "2020"), ("hightech_firms", "2023")), strict=True)}  # fmt: skip
    assert problems(tmp_path, right) == ([], [])
    names = list(right)
    (found,), _ = problems(tmp_path, {names[0]: right[names[1]], names[1]: right[names[0]]})
    assert "两列像是互换了" in found[3]


def test_a_total_of_an_earlier_year_is_not_taken_for_an_exchange(panel, tmp_path):
    """1,832 little giants without a period are a tenth of 2025's, whatever stands beside them."""
    early = panel.values("little_giants", "2021-06").astype(int)
    beside = like(panel, "rd_active_firms", "2020", 14_600)
    assert problems(tmp_path, {SME: beside, GIANTS: early, "可推荐企业数": early}) == ([], [])


@pytest.mark.thorough
def test_eligible_firms_are_some_of_the_little_giants(columns, panel, tmp_path):
    eligible = like(panel, "little_giants", "2025-12", 10_000)
    assert problems(tmp_path, {SME: columns[SME], "可推荐企业数": eligible}) == ([], [])
    (found,), _ = problems(tmp_path, {SME: eligible, "可推荐企业数": columns[SME]})
    assert found[1] == "C 可推荐企业数"
    assert "两列像是互换了" in found[3]


@pytest.mark.thorough
def test_a_total_far_above_the_nations_is_told_also_where_no_column_fits(columns, panel, tmp_path):
    (found,), (remedy,) = problems(tmp_path, {GIANTS: columns[SME]})
    assert found == [1, "B “小巨人”企业数", f"{columns[SME].sum():,}", "合计是全国数17,589（2025-12）的27.0倍"]
    assert remedy == "请核对数字和计量单位（家），是否填成了别的指标"
    (found,), _ = problems(tmp_path, {GIANTS: columns[SME], SME: 0 * columns[SME]})  # which nothing fits, nor does it
    assert found[3] == "合计是全国数17,589（2025-12）的27.0倍"
    assert problems(tmp_path, {GIANTS: like(panel, "little_giants", "2025-12", 40_000)}) == ([], [])


@pytest.mark.thorough
def test_a_total_is_compared_with_the_nations_of_its_own_date(columns, tmp_path):
    """Published of October 2024; of other dates what the estimates add up to, the newest for none."""
    for header, nation in {
        "“小巨人”企业数（2024年10月）": "14,600（2024-10）",
        "“小巨人”企业数（2024年6月）": "12,183（2024-06）",
        "规模以上工业中小企业数（2023年12月）": "472,948（2023-12）",
        "规模以上工业中小企业数": "501,760（2024-12）",
    }.items():
        (found,), _ = problems(tmp_path, {header: 40 * columns[SME]})
        assert f"合计是全国数{nation}的" in found[3], header


def test_a_zero_where_the_shipped_figures_have_many_is_told_with_its_row(columns, tmp_path):
    """辽宁 has 258 of the 17,589 little giants of 2025: of 14,3xx some 210. 西藏, with few, may be 0."""
    giants = columns[GIANTS].copy()
    giants["210000"] = giants["540000"] = 0
    (found,), (remedy,) = problems(tmp_path, columns | {GIANTS: giants})
    expected = giants.sum() * 258 / 17589
    assert found == [7, "C “小巨人”企业数", "0", f"辽宁为0，按随附数据的比例约有{expected:,.0f}家"]
    assert remedy == "没有数据的请补齐，不要填0；核实确为0的，不必改，可直接用于 report 等命令"


def test_the_command_says_so_and_leaves_with_1(columns, tmp_path, capsys):
    problems(tmp_path, {SME: columns[GIANTS], GIANTS: columns[SME]})
    with pytest.raises(SystemExit) as done:
        main(["check", str(tmp_path / "因素表.csv")])
    assert done.value.code == 1
    assert "有1处问题" in capsys.readouterr().err


NEARLY = {
    "规上中小企业": "规模以上工业中小企业数", "规上工业中小企业总数": "规模以上工业中小企业数",
    "小巨人": "有效期内“小巨人”企业数", "小巨人数量（家）": "有效期内“小巨人”企业数",
    "“小巨人”企业数（有效）": "有效期内“小巨人”企业数", "现有小巨人企业数": "有效期内“小巨人”企业数",
    "国家级小巨人家数": "有效期内“小巨人”企业数", "可推荐数": "可推荐企业数", "可推荐小巨人": "可推荐企业数",
    "规上工业企业": "规模以上工业企业数", "上轮继续支持数": "上一轮绩效评价后继续支持企业数",
    "研发活动企业数": "有R&D活动的规模以上工业企业数", "GDP总量（亿元）": "地区生产总值",
}  # fmt: skip


@pytest.mark.parametrize("header", NEARLY)
def test_a_header_nearly_right_is_told_with_the_name_it_means(header, columns, tmp_path):
    (found,), _ = problems(tmp_path, {header: columns[SME]})
    assert found[3] == f"与“{NEARLY[header]}”相近但不相同，不会读取"


def test_headers_of_other_things_beside_a_known_column_are_passed_over(columns, tmp_path):
    others = [
        "上年小巨人企业数", "小巨人企业数占比", "规上工业中小企业数增速", "规上工业增加值", "规上服务业企业数",
        "省级专精特新中小企业数", "高新技术企业数", "人均GDP", "备注", "城镇常住人口",
    ]  # fmt: skip
    beside = dict.fromkeys(others, columns[SME])
    assert problems(tmp_path, {"可推荐企业数": columns[GIANTS]} | beside) == ([], [])
