"""Scenarios side by side, in the package and on the command line."""

import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.results import money_by_year
from zjtx_alloc.report.tables.compare import (
    comparison_text,
    distance_table,
    region_table,
    setting_table,
    unit_table,
    year_table,
)
from zjtx_alloc.report.writers.xlsx import write_workbook

COMPOSITE = Path(__file__).parents[2] / "docs" / "composite.toml"

EQUAL = 'extends = "2024-baseline"\n[factors.little_giants]\nweight = 0.8\n[factors.sme_count]\nweight = 0.0\n'


def test_a_comparison_worked_by_hand(toy_panel):
    # 12 places: 6 3 3 and 4 4 4; of 24, scaled, 12 6 6 against 8 8 8.
    panel = toy_panel(gdp=[2, 1, 1], population=[1, 1, 1])

    def scenario(name, code, total=12):
        factors = {code: {"period": "2020", "weight": 1.0}}
        return za.Scenario(name=name, title=name, batch=1, total=total, factors=factors)

    found = za.compare([scenario("a", "gdp"), scenario("b", "population"), scenario("c", "population", 24)], panel)
    assert found.quota.to_numpy().tolist() == [[6, 4, 8], [3, 4, 8], [3, 4, 8]]
    assert found.gains.to_numpy().tolist() == [[-2, -4], [1, 2], [1, 2]]
    assert found.regions.to_dict() == {"a": {"东部": 12}, "b": {"东部": 12}, "c": {"东部": 24}}
    assert "以此为准" not in comparison_text(found)
    carried = za.compare(
        [scenario("a", "gdp"), scenario("b", "gdp").model_copy(update={"carry_rounding": True})], panel
    )
    assert "；b有已知结果、取整结转或未用名额补回，以此为准的名额见其名额分配表。" in comparison_text(carried)
    assert (found.distance.to_numpy() * 6).round(12).tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]


def test_scenarios_and_allocations_may_be_mixed(allocation, write_scenario):
    other = za.load_scenario(write_scenario(EQUAL, "other.toml"))
    assert za.compare([allocation, other]).quota.columns.tolist() == ["2024-baseline", "other"]
    for items in ([], [allocation], [allocation, allocation]):
        with pytest.raises(za.ScenarioError, match="至少两个名称不同的情景"):
            za.compare(items)


@pytest.mark.thorough
@pytest.mark.usefixtures("plain_pages")  # the page of a comparison is test_verify's
def test_the_command_prints_tables_and_who_gains(capsys, write_scenario, tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(
            [
                "compare",
                "2024-baseline",
                str(write_scenario(EQUAL, "other.toml")),
                "2025-baseline",
                "--out",
                str(tmp_path),
            ]
        )
    lines = capsys.readouterr().out.splitlines()
    assert stop.value.code == 0
    assert lines[0] == "各单位名额"
    assert lines[-1] == str(tmp_path / "compare")
    assert [line.split()[:3] for line in lines if line.split()[:1] == ["合计"]] == [["合计", "1,039", "1,039"]]
    assert any(line.startswith("other 与 2024-baseline 相比：") and "北京+" in line for line in lines)
    assert "增减为与 2024-baseline 按总量折算后的名额之差。" in "".join(lines)


RICH = """extends = "2024-baseline"
criterion = "hamilton"
total_status = "official"
allow_estimates = false
[approval]
rate = "0.95"
unused = "unit"
[grade]
default = "优"
[grade_coefficient]
"优" = 1.0
[floor]
"西藏" = 2
[rules."长江"]
units = ["上海", "江苏"]
min_share = 0.05
max = 1000000
[rules."两省"]
coefficients = { "浙江" = 1, "福建" = 2.5 }
max_share = 0.9
min = 3
[groups."西部合计"]
region = "西部"
floor = 100
[fixed."新疆"]
quota = 7
reason = "会商"
[multipliers."倍数"]
default = 1.5
[factors.little_giants]
multiplier = "倍数"
[change]
previous = "2025-baseline"
max_relative = 0.5
raw = true
"""


def test_settings_are_told_in_chinese_keys_and_values(panel, baseline, allocation, write_scenario):
    rich, composed = (za.load_scenario(path) for path in (write_scenario(RICH, "甲.toml"), COMPOSITE))
    as_compared = [replace(allocation, scenario=scenario) for scenario in (baseline, rich, composed)]
    table = setting_table(za.Comparison(tuple(as_compared), pd.DataFrame())).frame.set_index("设置")
    told = " ".join([*table.index, *table["甲"], *table["composite"]])
    for name in ("R&D", "2025-baseline"):
        told = told.replace(name, "")
    assert set(re.findall("[A-Za-z_]{2,}", told)) == set()
    assert table.loc["取整准则"].tolist() == ["韦伯斯特法", "汉密尔顿法（最大余数、最小二乘）", "韦伯斯特法"]
    assert table.loc["审核·通过率"].tolist() == ["1.00", "0.95", "1.00"], "a default is told, not a dash"
    assert table.loc["审核·未用名额"].tolist() == ["作废", "本单位补回", "作废"]
    assert table.loc["规则·长江·单位", "甲"] == "上海、江苏"
    assert table.loc["规则·长江·合计最多", "甲"] == "1000000"
    assert table.loc["综合指数·培育绩效·合成方法"].tolist() == ["—", "—", "几何平均"]


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["情景", "单位", "地区", "年度", "设置"])
def test_a_scenario_may_be_called_as_a_header_is(name, panel, baseline, write_scenario):
    found = za.compare([baseline, za.load_scenario(write_scenario(EQUAL, f"{name}.toml"))], panel)
    made = [table(found) for table in (unit_table, region_table, distance_table, setting_table)]
    for table in (*made, year_table(found, money_by_year(found))):
        assert f"“{name}”" in table.frame.columns
        assert not table.frame.columns.duplicated().any()
    assert f"{name} 与 2024-baseline 相比" in comparison_text(found)


def test_notes_under_a_narrow_table_are_not_squeezed_into_it(panel, allocation, baseline, tmp_path):
    found = za.compare([allocation, baseline.model_copy(update={"name": "other"})], panel)
    path = write_workbook(tmp_path / "compare.xlsx", [region_table(found)], "对比")
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert sheet.max_column > 3
    assert max(row.height for row in sheet.row_dimensions.values() if row.height) < 60


def test_a_stand_in_stands_beside_what_took_its_place(panel):
    found = za.compare([za.load_scenario(name) for name in ("2024-old-stand-ins", "2024-baseline")], panel)
    table = setting_table(found).frame.set_index("设置")
    assert table.loc["因素·规模以上工业中小企业数·采用的数据"].tolist() == [
        "有R&D活动的规模以上工业企业数",
        "规模以上工业中小企业数",
    ]
    assert table.loc["因素·规模以上工业中小企业数·数据期"].tolist() == ["2020", "2023-12"]
    assert table.loc["因素·有效期内“小巨人”企业数·代用对象"].tolist() == ["有效期内“小巨人”企业数", "—"]
    assert not any("权重" in setting for setting in table.index)  # the same in both
