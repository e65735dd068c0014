"""Scenarios side by side, in the package and on the command line."""

import pytest

import zjtx_alloc as za
from zjtx_alloc.cli import main

EQUAL = 'extends = "2024-baseline"\n[factors.little_giants]\nweight = 0.8\n[factors.rd_active_firms]\nweight = 0.0\n'


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
    assert (found.distance.to_numpy() * 6).round(12).tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]


def test_scenarios_and_allocations_may_be_mixed(allocation, write_scenario):
    other = za.load_scenario(write_scenario(EQUAL, "other.toml"))
    assert za.compare([allocation, other]).quota.columns.tolist() == ["2024-baseline", "other"]
    for items in ([], [allocation], [allocation, allocation]):
        with pytest.raises(za.ScenarioError, match="至少两个名称不同的情景"):
            za.compare(items)


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
    assert lines[0] == "情景对比：各单位名额"
    assert lines[-1] == str(tmp_path / "compare")
    assert [line.split()[:3] for line in lines if line.split()[:1] == ["合计"]] == [["合计", "1,039", "1,039"]]
    assert any(line.startswith("other 与 2024-baseline 相比：") and "江苏−" in line for line in lines)
    assert "增减为与 2024-baseline 按总量折算后的名额之差。" in "".join(lines)
