"""The explorer without a browser: moves of its state, its pictures, and its controls as the kernel sees them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.explorer import widgets
from zjtx_alloc.explorer.state import (
    SHARES,
    in_force,
    moved,
    simplices,
    start,
    switched,
    switches,
    with_criterion,
    with_entry,
    with_total,
    with_weight,
)
from zjtx_alloc.explorer.view import failure_html, table_html, view, why_html
from zjtx_alloc.explorer.widgets import Explorer
from zjtx_alloc.report.figures.svg import map_svg
from zjtx_alloc.report.table import signed
from zjtx_alloc.report.tables.sweep import sweep_summary

RULES = """
extends = "2024-baseline"
[floor]
"西藏" = 3
[groups."广东和<深圳>"]
units = ["广东", "深圳"]
floor = 100
[rules."西部"]
region = "西部"
min_share = 0.2
[fixed."浙江"]
quota = 70
reason = "会议确定"
"""
POOLS = """
title = "分两部分"
batch = 1
total = 1039
[pools."甲"]
share = 0.7
factors.little_giants = { period = "2021-06", weight = 1.0 }
[pools."乙"]
share = 0.3
factors.rd_active_firms = { period = "2020", weight = 0.5 }
factors.little_giants = { period = "2021-06", weight = 0.5 }
"""


class Rows(HTMLParser):
    """The cells of a table, by column, a dictionary a row."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.column = [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append({})
        self.column = dict(attrs).get("data-column")

    def handle_data(self, data):
        if self.column:
            self.rows[-1][self.column] = data


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 1), min_size=2, max_size=6),
    st.data(),
    st.floats(0, 1),
)
def test_a_moved_weight_leaves_a_whole(weights, data, to):
    name = data.draw(st.sampled_from(sorted(weights)))
    after = moved(weights, name, to)
    thousandths = {other: round(weight * 1000) for other, weight in after.items()}
    assert list(after) == list(weights)
    assert all(weight == thousandths[other] / 1000 for other, weight in after.items())
    assert sum(thousandths.values()) == 1000
    assert thousandths[name] == round(to * 1000)


def test_the_others_keep_their_proportions():
    # 400 thousandths for 1 : 3 : 4, and 3 : 3 : 3 of 1000 with the odd one to the first.
    assert moved({"a": 0.2, "b": 0.1, "c": 0.3, "d": 0.4}, "a", 0.6) == {"a": 0.6, "b": 0.05, "c": 0.15, "d": 0.2}
    assert moved({"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}, "a", 0.0) == {"a": 0.0, "b": 0.334, "c": 0.333, "d": 0.333}
    assert moved({"a": 1.0}, "a", 0.3) == {"a": 1.0}


@pytest.mark.parametrize("text", ["", RULES, POOLS], ids=["baseline", "rules", "pools"])
def test_what_is_shown_untouched_is_the_scenario_itself(text, baseline, write_scenario):
    scenario = za.load_scenario(write_scenario(text)) if text else baseline
    assert in_force(start(scenario)) == scenario


def test_a_trial_does_not_bear_the_title_of_what_it_was_made_from(baseline):
    state = start(baseline)
    moved_ = with_weight(state, "", "little_giants", 0.5)
    tried = in_force(moved_)
    assert tried.title == "2024年第一批基准情景（试算）"
    assert in_force(with_entry(start(tried), "floor", "default", 2)).title == tried.title, "marked once"
    assert in_force(with_total(with_total(state, 1100), 1039)).title.endswith("（试算）"), (
        "its total is an assumption now"
    )
    assert in_force(switched(switched(state, "floor", False), "floor", True)).title == baseline.title


def test_a_state_survives_its_file(write_scenario, tmp_path):
    state = start(za.load_scenario(write_scenario(RULES)))
    state = with_weight(state, "", "little_giants", 0.55)
    state = with_entry(with_criterion(with_total(state, 1200), "hamilton"), "region_coefficient", "西部", 1.2)
    state = switched(switched(with_entry(state, "cap", "default", 90), "cap", True), "groups.广东和<深圳>", False)
    force = in_force(state)
    back = za.load_scenario(za.save_scenario(force, tmp_path / "trial.toml"))
    assert back == force
    assert in_force(start(back)) == force
    assert (back.total, back.total_status, back.criterion) == (1200, "assumed", "hamilton")
    assert "total" not in back.assumptions
    assert (back.cap, back.groups, back.region_coefficient["西部"]) == ({"default": 90}, {}, 1.2)
    assert simplices(back)[""] == {"sme_count": 0.3, "little_giants": 0.55, "first_round_continued_r1_sum": 0.15}


def test_a_trial_has_the_ranges_of_a_file_that_extends_what_it_was_made_from(panel, baseline, write_scenario, tmp_path):
    state = with_total(with_weight(start(baseline), "", "little_giants", 0.7), 1241)
    trial = in_force(with_entry(state, "region_coefficient", "西部", 1.2))
    lines = 'extends = "2024-baseline"\ntotal = 1241\n[region_coefficient]\n"西部" = 1.2\n[factors]\n'
    lines += "".join(f"{code}.weight = {weight}\n" for code, weight in simplices(trial)[""].items())
    by_hand = za.load_scenario(write_scenario(lines))
    assert (trial.uncertainty, trial.assumptions) == (by_hand.uncertainty, by_hand.assumptions)
    assert trial.assumptions["uncertainty.total"] == (
        "名额总量已改变，沿用的范围是为原来的名额总量写的，不再适用；没有另写范围，模拟中名额总量不变动"
    )
    assert (trial.uncertainty.total, trial.uncertainty.region_coefficient) == (None, {})
    saved = za.load_scenario(za.save_scenario(trial, tmp_path / "trial.toml"))
    found = za.sweep(panel, saved, draws=8)
    assert (found.quotas.sum(axis=1) == 1241).all()
    said = sweep_summary(found)
    assert [trial.assumptions[name] + "。" in said for name in trial.assumptions if "." in name] == [True] * 5
    back = with_entry(with_total(with_weight(state, "", "little_giants", 0.4), 1039), "region_coefficient", "西部", 1.1)
    assert in_force(back).uncertainty == baseline.uncertainty, "however far the sliders went in between"


def test_every_rule_goes_off_and_comes_back(panel, write_scenario):
    whole = start(za.load_scenario(write_scenario(RULES)))
    assert list(switches(whole.scenario)) == [
        "floor", "cap", "region_coefficient", "floor.units", "groups.广东和<深圳>", "rules.西部", "fixed.330000",
    ]  # fmt: skip
    bare = whole
    for name in switches(whole.scenario):
        bare = switched(bare, name, False)
    scenario = in_force(bare)
    assert [scenario.floor, scenario.cap, scenario.groups, scenario.rules, scenario.fixed] == [{}] * 5
    assert scenario.region_coefficient == {}
    assert za.allocate(panel, in_force(whole)).quota["330000"] == 70
    assert switched(switched(whole, "fixed.330000", False), "fixed.330000", True) == whole


def test_pools_have_simplices_of_their_own(write_scenario):
    state = start(za.load_scenario(write_scenario(POOLS)))
    state = with_weight(with_weight(state, SHARES, "甲", 0.9), "乙", "little_giants", 0.2)
    assert simplices(in_force(state)) == {
        SHARES: {"甲": 0.9, "乙": 0.1},
        "甲": {"little_giants": 1.0},
        "乙": {"rd_active_firms": 0.8, "little_giants": 0.2},
    }


def test_what_is_no_scenario_is_refused(write_scenario):
    named = POOLS.replace("share = 0.7", 'share = 0.7\ncoefficients = ["region_coefficient"]')
    named += '[region_coefficient]\n"东部" = 1.0\n"中部" = 1.0\n"西部" = 1.0\n"东北" = 1.0\n'
    state = start(za.load_scenario(write_scenario(named)))
    with pytest.raises(za.ScenarioError, match="region_coefficient"):
        in_force(switched(state, "region_coefficient", False))


def test_the_table_has_the_librarys_numbers(panel, allocation, baseline):
    other = za.allocate(panel, in_force(with_weight(start(baseline), "", "little_giants", 0.9)))
    *rows, total = Rows(table_html(other, allocation, "440000")).rows[1:]
    assert [int(row["quota"]) for row in rows] == list(other.quota)
    assert [int(row["baseline"]) for row in rows] == list(allocation.quota)
    assert [row["step"] for row in rows] == [signed(int(step)) for step in other.quota - allocation.quota]
    assert [row["entitlement"] for row in rows] == [f"{places:.2f}" for places in other.entitlement.places]
    assert (total["quota"], total["step"]) == ("1,039", "0")


def test_the_pictures_show_every_unit_and_who_gains(panel, allocation, baseline):
    other = za.allocate(panel, in_force(with_weight(start(baseline), "", "little_giants", 0.9)))
    steps, names = other.quota - allocation.quota, panel.units["short_name"]
    shown = view(other, allocation, "440000")
    for part in (shown["map"], shown["bars"], shown["table"]):
        assert sorted(map(int, re.findall(r'data-unit="(\d+)"', part))) == list(range(37))
    told = re.findall(r">([^<>]+ [+−]\d+)<", shown["changes"])
    assert sorted(told) == sorted(f"{names[code]} {signed(int(step))}" for code, step in steps.items() if step)
    assert signed(-3) == "−3"
    assert "相同" in view(allocation, allocation, "440000")["changes"]


def test_what_users_write_is_escaped(panel, write_scenario):
    text = 'extends = "2024-baseline"\ntitle = "<script>x</script>"\n[rules."<b>"]\nunits = ["北京"]\nmin = 50\n'
    shown = za.allocate(panel, za.load_scenario(write_scenario(text)))
    parts = view(shown, shown, "110000").values()
    told = "".join([*parts, why_html(shown, "110000"), map_svg(shown, shown.quota * 0, "110000")])
    assert "<script>" not in told
    assert "<b>" not in told
    assert "&lt;script&gt;" in told
    assert "&lt;b&gt;" in told


def test_rules_that_clash_are_explained(panel, baseline):
    with pytest.raises(za.InfeasibleError) as clash:
        za.allocate(panel, in_force(with_entry(start(baseline), "floor", "default", 30)))
    told = failure_html(clash.value)
    assert str(clash.value.diagnosis) in told
    assert "大于名额总量 1039" in told


@pytest.fixture
def explorer(panel, baseline, tmp_path):
    return Explorer(panel, baseline, tmp_path)


def test_a_slider_moves_the_others_and_the_allocation(explorer, panel, baseline):
    explorer.sliders["", "little_giants"].value = 0.7
    assert [slider.value for slider in explorer.sliders.values()] == [0.2, 0.7, 0.1]
    expected = za.allocate(panel, in_force(with_weight(start(baseline), "", "little_giants", 0.7)))
    assert explorer.allocation.quota.equals(expected.quota)
    rows = Rows(explorer.outputs["table"].value).rows[1:-1]
    assert [int(row["quota"]) for row in rows] == list(expected.quota)


def test_only_what_changed_is_sent(explorer):
    sent = []
    for name, output in explorer.outputs.items():
        output.observe(lambda change, name=name: sent.append(name), names="value")
    explorer.state = with_entry(explorer.state, "floor", "default", 0)  # holds nobody but 西藏, whose table row says so
    explorer.unit.value = "440000"
    assert sent == ["map", "bars", "table", "why"]
    sent.clear()
    explorer._draw()
    assert sent == []


def test_a_clash_keeps_the_last_result_and_says_so(explorer, baseline):
    before = explorer.outputs["table"].value
    floor = next(one for one in explorer.controls.children if "zjtx-floor" in one._dom_classes)
    floor.value = 30
    assert "大于名额总量 1039" in explorer.outputs["message"].value
    assert (explorer.outputs["table"].value, "zjtx-stale" in explorer.outputs["table"]._dom_classes) == (before, True)
    floor.value = 1
    assert (explorer.outputs["message"].value, explorer.allocation.quota.sum()) == ("", baseline.total)
    assert "zjtx-stale" not in explorer.outputs["table"]._dom_classes


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("floor", -5, "floor.default = -5：应不小于 0"), ("cap", -1, "cap.default = -1：应不小于 0"), ("total", 0, "total = 0：应不小于 1")],
)  # fmt: skip
def test_what_is_impossible_is_refused_not_bent(explorer, name, value, told):
    if name == "cap":
        explorer._move(switched, "cap", True)
    box = next(one for one in explorer.controls.children if f"zjtx-{name}" in one._dom_classes)
    box.value = value
    assert told in explorer.outputs["message"].value
    assert box.value == value


def test_a_decided_unit_is_called_by_its_name(panel, write_scenario):
    state = start(za.load_scenario(write_scenario(RULES)))
    assert switches(state.scenario)["fixed.330000"] == "人工调整：浙江"


def test_saved_loaded_and_never_written_over(explorer, tmp_path):
    explorer.sliders["", "little_giants"].value = 0.7
    tried = explorer.allocation.quota
    explorer.save_as.value = "../试算.toml"
    assert explorer._save() == f"已保存：{tmp_path / '试算.toml'}"
    explorer._attempt(explorer._save)
    assert "已存在" in explorer.outputs["notice"].value
    explorer.load_from.value = "2024-baseline"
    explorer._load()
    assert not explorer.allocation.quota.equals(tried)
    explorer.load_from.value = "试算.toml"
    explorer._load()
    assert explorer.allocation.quota.equals(tried)
    assert [slider.value for slider in explorer.sliders.values()] == [0.2, 0.7, 0.1]
    explorer.load_from.value = "没有.toml"
    explorer._attempt(explorer._load)
    assert "没有.toml" in explorer.outputs["notice"].value


def test_the_font_of_the_page_has_every_character_that_its_pictures_show(panel, allocation):
    pictures = "".join(view(allocation, allocation, "440000").values())
    texts = "".join(shipped("data", name).read_text(encoding="utf-8") for name in widgets._TEXTS)
    assert {sign for sign in pictures if not sign.isascii()} <= set(texts)


def test_nothing_of_the_page_comes_from_elsewhere():
    folder = Path(za.__file__).parent.parent / "data"
    assert "http" not in (folder / "explorer.css").read_text(encoding="utf-8")
