"""A user's column takes the place of what stands in for it, by itself, and the first lines say so."""

import pytest
from support.tables import base, xlsx

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.notes.marks import allocation_summary
from zjtx_alloc.rules.own_columns import stand_ins_ended


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "因素表.xlsx"
    path.write_bytes(xlsx([row[:2] for row in base()]))  # 规模以上工业中小企业数 alone
    return path


def test_it_is_what_a_scenario_that_ends_the_stand_in_gives(own, baseline, write_scenario):
    mine = za.load_panel(own)
    ended = za.load_scenario(write_scenario('extends = "2024-baseline"\nend_stand_in = ["sme_count"]\n', "ended.toml"))
    allocation = za.allocate(mine, baseline)
    assert allocation.quota.equals(za.allocate(mine, ended).quota)
    assert not allocation.quota.equals(za.allocate(za.load_panel(), baseline).quota)
    assert "rd_active_firms" not in allocation.entitlement.contributions
    assert za.entitlement(mine, baseline).places.equals(allocation.entitlement.places)
    assert za.quota_problem(mine, baseline).entitlement.equals(allocation.problem.entitlement)
    # The share of the answer that rests on stand-ins is that of the other factor alone.
    assert allocation.entitlement.stand_in_share == pytest.approx(0.4, abs=0.01)
    assert stand_ins_ended(mine, allocation.scenario) is allocation.scenario


def test_ranges_of_the_weight_follow_the_name(own, baseline):
    found = za.weight_range(za.load_panel(own), baseline)
    assert found.allocation.scenario.uncertainty.weights["sme_count"].max == 0.6
    names = za.sweep(za.load_panel(own), baseline, draws=8).parameters.columns.get_level_values("name")
    assert "sme_count" in names


def test_every_command_says_so_first(own, capsys):
    with pytest.raises(SystemExit):
        main(["explain", "2024-baseline", "江苏", "--data", str(own)])
    output = capsys.readouterr()
    assert output.out.splitlines()[0] == "用户提供（因素表.xlsx），取代随附数据或代用指标：规模以上工业中小企业数。"
    allocation = za.allocate(za.load_panel(own), za.load_scenario("2024-baseline"))
    assert allocation_summary(allocation).split("\n")[1].endswith("或代用指标：规模以上工业中小企业数。")


def test_two_stand_ins_for_one_indicator_give_it_their_weights_together(own, baseline):
    both = {
        "rd_active_firms": {"period": "2020", "weight": 0.3, "stand_in_for": "sme_count"},
        "hightech_firms": {"period": "2023", "weight": 0.3, "stand_in_for": "sme_count"},
        "little_giants": {"period": "2021-06", "weight": 0.4},
    }
    two = za.Scenario.model_validate(
        {"name": "two", "title": "t", "batch": 1, "total": 100, "factors": both}
        | {"uncertainty": {"weights": {"rd_active_firms": {"min": 0.1, "max": 0.5}, "little_giants": {"min": 0.2, "max": 0.6}}}}
    )  # fmt: skip
    ended = stand_ins_ended(za.load_panel(own), two)
    assert {code: f.weight for code, f in ended.factors.items()} == {"sme_count": 0.6, "little_giants": 0.4}
    assert ended.uncertainty.weights == {}  # ranges of several say nothing about their sum
    assert za.allocate(za.load_panel(own), two).quota.sum() == 100


def test_a_composites_part_is_ended_as_a_factor_is(own):
    lines = {
        "parts": {
            "rd_active_firms": {
                "period": "2020",
                "direction": 1,
                "normalisation": {"kind": "share"},
                "weight": 0.5,
                "stand_in_for": "sme_count",
            },
            "little_giants": {"period": "2021-06", "direction": 1, "normalisation": {"kind": "share"}, "weight": 0.5},
        }
    }
    scenario = za.Scenario.model_validate(
        {"name": "c", "title": "t", "batch": 1, "total": 100, "factors": {"base": {"weight": 1.0}}}
        | {"composites": {"base": {"title": "基础", "aggregation": "arithmetic", **lines}}}
    )
    ended = stand_ins_ended(za.load_panel(own), scenario)
    assert set(ended.composites["base"].parts) == {"sme_count", "little_giants"}
    assert za.allocate(za.load_panel(own), scenario).entitlement.stand_in_share == 0
