"""A user's column takes the place of what stands in for it, by itself, and the first lines say so."""

import openpyxl
import pandas as pd
import pytest
from support.tables import base, xlsx

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.notes.marks import allocation_summary
from zjtx_alloc.report.tables.allocation import assumption_table
from zjtx_alloc.rules.own_columns import stand_ins_ended


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "因素表.xlsx"
    path.write_bytes(xlsx([row[:2] for row in base()]))  # 规模以上工业中小企业数 alone
    return path


@pytest.fixture
def scored(tmp_path):
    """培育绩效得分, from 60 to 96, in a table of its own."""
    path = tmp_path / "得分.xlsx"
    names = [row[0] for row in base()[1:]]
    rows = zip(names, range(60, 97), strict=True)
    path.write_bytes(xlsx([["单位", "培育绩效得分（分）"], *map(list, rows)]))
    return path


def allocated(capsys, data):
    """What ``zjtx allocate`` says of a table, and the quotas by unit that it writes."""
    out = data.with_suffix(".csv")
    with pytest.raises(SystemExit) as stop:
        main(["allocate", "2024-baseline", "--data", str(data), "--out", str(out)])
    said = capsys.readouterr()
    assert stop.value.code == 0, said.err
    return said.out, pd.read_csv(out, dtype={"code": str}, encoding="utf-8-sig").set_index("code")


@pytest.mark.thorough
@pytest.mark.parametrize(("column", "code"), [(1, "sme_count"), (2, "little_giants")])
def test_a_users_counts_take_the_place_of_an_estimate_by_themselves(column, code, tmp_path, capsys, baseline):
    """The share of the factor is that of the user's own column, and what is estimated is the other factor alone."""
    path = tmp_path / "因素表.xlsx"
    path.write_bytes(xlsx([[row[0], row[column]] for row in base()]))
    name = za.load_panel().name(code)
    said, table = allocated(capsys, path)
    assert said.splitlines()[0] == f"用户提供（因素表.xlsx），取代随附数据或代用指标：{name}。"
    allocation = za.allocate(za.load_panel(path), baseline)
    assert table["quota"].to_dict() == allocation.quota.to_dict()
    counts = pd.Series([row[column] for row in base()[1:]], allocation.quota.index, dtype=float)
    shares = allocation.entitlement.contributions[code] / (0.4 * 1039)
    assert shares.to_numpy() == pytest.approx((counts / counts.sum()).to_numpy())
    assert 0 < allocation.entitlement.estimated_share < 0.4
    assert allocation_summary(allocation).split("\n")[1].endswith(f"取代随附数据或代用指标：{name}。")
    assert not any(name in text for text in assumption_table(allocation).frame.iloc[:, 1] if "推算" in text)


def test_scores_of_performance_end_the_stand_in_of_first_round_firms(scored, capsys, baseline):
    said, table = allocated(capsys, scored)
    assert said.splitlines()[0] == "用户提供（得分.xlsx），取代随附数据或代用指标：中小企业培育绩效。"
    assert table["stand_in"].isna().all()
    allocation = za.allocate(za.load_panel(scored), baseline)
    assert list(allocation.entitlement.contributions)[:3] == ["sme_count", "little_giants", "performance"]
    assert allocation.entitlement.stand_in_share == 0
    # 60 of 2886 in all (60 + 96) × 37 / 2
    assert allocation.entitlement.contributions.at["110000", "performance"] == pytest.approx(0.2 * 1039 * 60 / 2886)
    assert list(allocation.scenario.uncertainty.weights) == list(allocation.scenario.factors)
    assert not any("代用" in text for text in assumption_table(allocation).frame.iloc[:, 1])


def test_the_template_has_the_columns_of_the_notice_and_reads_them_back(tmp_path):
    path = za.write_template(tmp_path / "空表.xlsx")
    book = openpyxl.load_workbook(path)
    sheet = book["因素表"]
    headers = {str(cell.value).replace("\n", ""): cell.column for cell in sheet[3]}
    names = ["规模以上工业中小企业数（家）", "有效期内“小巨人”企业数（家）", "中小企业培育绩效（分）"]
    for number in range(37):
        for name in names:
            sheet.cell(4 + number, headers[name], 60 + number)
    book.save(path)
    assert list(za.load_panel(path).supplied) == ["sme_count", "little_giants", "performance"]


def test_it_is_what_a_scenario_that_ends_the_stand_in_gives(own, stand_ins, write_scenario):
    mine, baseline = za.load_panel(own), stand_ins
    ended = za.load_scenario(
        write_scenario('extends = "2024-old-stand-ins"\nend_stand_in = ["sme_count"]\n', "ended.toml")
    )
    allocation = za.allocate(mine, baseline)
    assert allocation.quota.equals(za.allocate(mine, ended).quota)
    assert not allocation.quota.equals(za.allocate(za.load_panel(), baseline).quota)
    assert "rd_active_firms" not in allocation.entitlement.contributions
    assert za.entitlement(mine, baseline).places.equals(allocation.entitlement.places)
    assert za.quota_problem(mine, baseline).entitlement.equals(allocation.problem.entitlement)
    # The share of the answer that rests on stand-ins is that of the other factors alone.
    assert allocation.entitlement.stand_in_share == pytest.approx(0.6, abs=0.01)
    assert stand_ins_ended(mine, allocation.scenario) is allocation.scenario


@pytest.mark.thorough
def test_ranges_of_the_weight_follow_the_name(own, stand_ins):
    found = za.weight_range(za.load_panel(own), stand_ins)
    assert found.allocation.scenario.uncertainty.weights["sme_count"].max == 0.6
    names = za.sweep(za.load_panel(own), stand_ins, draws=8).parameters.columns.get_level_values("name")
    assert "sme_count" in names


def test_every_command_says_so_first(own, capsys, stand_ins):
    with pytest.raises(SystemExit):
        main(["explain", "2024-old-stand-ins", "江苏", "--data", str(own)])
    output = capsys.readouterr()
    assert output.out.splitlines()[0] == "用户提供（因素表.xlsx），取代随附数据或代用指标：规模以上工业中小企业数。"
    allocation = za.allocate(za.load_panel(own), stand_ins)
    assert allocation_summary(allocation).split("\n")[1].endswith("或代用指标：规模以上工业中小企业数。")


def test_two_stand_ins_for_one_indicator_give_it_their_weights_together(own):
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
