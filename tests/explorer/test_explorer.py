"""The explorer without a browser: moves of its state, what it shows, and what a page can ask of the workbench."""

import io
import re
from html.parser import HTMLParser

import openpyxl
import pytest
from hypothesis import given, strategies as st
from support.programme_edits import cell_of

import zjtx_alloc as za
from zjtx_alloc.explorer import notebook
from zjtx_alloc.explorer.controls import controls
from zjtx_alloc.explorer.files import LEAVING, Case
from zjtx_alloc.explorer.notebook import WhatIf, ask, choice, slider, without_sliders
from zjtx_alloc.explorer.state import (
    SHARES,
    act,
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
from zjtx_alloc.explorer.view import TABS, table_html
from zjtx_alloc.explorer.workbench import Workbench
from zjtx_alloc.report.documents.programme_workbook import write_programme
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


CITIES = ["210200", "330200", "350200", "370200", "440300"]


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


def test_a_weight_that_is_held_stays_and_leaves_the_rest_to_the_others():
    weights = {"a": 0.2, "b": 0.1, "c": 0.3, "d": 0.4}
    # 700 thousandths but for c: 500 for a, 200 for 1 : 4.
    assert moved(weights, "a", 0.5, ["c"]) == {"a": 0.5, "b": 0.04, "c": 0.3, "d": 0.16}
    assert moved(weights, "a", 0.9, ["c"]) == {"a": 0.7, "b": 0.0, "c": 0.3, "d": 0.0}
    assert moved(weights, "a", 0.9, ["b", "c", "d"]) == weights, "nothing else is free"


@given(st.lists(st.integers(0, 100), min_size=3, max_size=6), st.data(), st.floats(0, 1))
def test_whatever_is_held_weights_leave_a_whole(parts, data, to):
    cuts = [round(1000 * part / max(sum(parts), 1)) for part in parts[1:]]
    weights = {str(n): cut / 1000 for n, cut in enumerate([1000 - sum(cuts), *cuts])}
    held = data.draw(st.sets(st.sampled_from(sorted(weights)[1:])))
    after = moved(weights, "0", to, held)
    assert sum(round(weight * 1000) for weight in after.values()) == 1000
    assert {name: after[name] for name in held} == {name: weights[name] for name in held}


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
        "base", "floor", "cap", "region_coefficient", "floor.units", "groups.广东和<深圳>", "rules.西部", "fixed.330000",
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


MOVES = [
    (("limit", "cap", "广东省", "60"), lambda s: s.cap == {"440000": 60}),
    (("bound_all", "cap", "default", "60"), lambda s: s.cap == {"default": 60}),
    (("bound_all", "base", "default", "2"), lambda s: (s.base, s.by_formula) == ({"default": 2}, 1039 - 2 * 37)),
    (("limit", "base", "西藏", "3"), lambda s: (s.base, s.by_formula) == ({"540000": 3}, 1036)),
    (("redistribution", "equal"), lambda s: s.redistribution == "equal"),
    (("entry", "region_coefficient", "西部", "1.3"), lambda s: s.region_coefficient["西部"] == 1.3),
    (("fixed", "浙江", "70", "会议确定"), lambda s: s.fixed["330000"].quota == 70),
    (("rule", "西部合计", "西部", ["200", ""], ""), lambda s: (s.groups["西部合计"].region, s.groups["西部合计"].floor) == ("西部", 200)),
    (("rule", "两市", "北京、上海", ["", "80"], ""), lambda s: (s.groups["两市"].units, s.groups["两市"].cap) == (["110000", "310000"], 80)),
    (("rule", "西部", "西部", ["12.5", ""], "%"), lambda s: s.rules["西部"].min_share == 0.125),
    (("rule", "加权", "广东×1.5、江苏", ["100", ""], ""), lambda s: s.rules["加权"].coefficients == {"440000": 1.5, "320000": 1.0}),
    (("change", "2025-baseline", "10", "raw"), lambda s: (s.change.previous, s.change.max_relative, s.change.raw) == ("2025-baseline", 0.1, True)),
    (("title", " 西部优先 "), lambda s: s.title == "西部优先（试算）"),
    (("carry", True), lambda s: s.carry_rounding),
    (("unused", "unit"), lambda s: s.approval.unused == "unit"),
    (("rate", "92.5"), lambda s: s.approval.exact * 1000 == 925),
    (("factor", "", "rd_active_firms 2023"), lambda s: s.factors["rd_active_firms"].weight == 0.1),
    (("without_factor", "", "sme_count"), lambda s: {c: f.weight for c, f in s.factors.items()} == {"little_giants": 0.667, "first_round_continued_r1_sum": 0.333}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("move", "holds"), MOVES, ids=lambda part: "-".join(map(str, part)) if isinstance(part, tuple) else ""
)
def test_everything_of_a_scenario_can_be_changed_from_a_page(move, holds, baseline, tmp_path):
    changed = in_force(act(start(baseline), move[0], move[1:]))
    assert holds(changed)
    assert za.load_scenario(za.save_scenario(changed, tmp_path / "x.toml")).resolved() == changed.resolved()


def test_what_was_added_can_be_changed_and_taken_away(baseline):
    state = start(baseline)
    for move in (
        ("rule", "西部合计", "西部", ["200", ""], ""),
        ("fixed", "浙江", "70", "会议"),
        ("limit", "cap", "广东", "60"),
    ):
        state = act(state, move[0], move[1:])
    state = act(state, "bound", ["groups", "西部合计", "floor", "210"])
    assert in_force(state).groups["西部合计"].floor == 210
    for table, key in (("groups", "西部合计"), ("fixed", "330000"), ("cap", "440000")):
        state = act(state, "remove", [table, key])
    assert in_force(state) == baseline


def test_bases_of_kinds_are_shown_and_changed_and_go_off_as_one(panel, write_scenario):
    text = RULES + '[base]\ndefault = 1\n"计划单列市" = 2\n"西藏" = 3\n'
    state = start(za.load_scenario(write_scenario(text)))
    shown = controls(state, panel)["limits"]
    assert [name in shown for name in ("计划单列市基数", "西藏基数", "个别单位的基数")] == [True] * 3
    state = act(state, "limit", ["base", "计划单列市", "4"])
    assert in_force(state).bases() == dict.fromkeys(panel.units.index, 1) | dict.fromkeys(CITIES, 4) | {"540000": 3}
    assert in_force(act(state, "switch", ["base.units", False])).base == {"default": 1}
    assert in_force(act(state, "switch", ["base", False])).bases()["110000"] == 0
    assert in_force(act(state, "limit", ["base", "计划单列市", ""])).base == {"default": 1, "540000": 3}


@pytest.mark.parametrize(
    ("move", "told"),
    [
        (("limit", "cap", "火星", "1"), "没有名为“火星”的单位"),
        (("limit", "cap", "北京", "1.5"), "“1.5”不是家数：请写不小于0的整数"),
        (("bound_all", "floor", "default", "-5"), "“-5”不是家数：请写不小于0的整数"),
        (("limit", "base", "省份", "1"), "没有名为“省份”的单位"),
        (("total", "0"), "名额总量为0：请写1以上的整数"),
        (("total", "1e400"), "“1e400”不在0至1000000之间：请改写"),
        (("total", "一千"), "“一千”不是数：请写数字"),
        (("entry", "region_coefficient", "西部", "0"), "“0”不在0.000001至1000000之间：请改写"),
        (("rate", "150"), "“150”不在0至100之间：请改写"),
        (("change", "2025-baseline", "-5", ""), "“-5”不在0至100000之间：请改写"),
        (("rule", "西部", "西部", ["120", ""], "%"), "“120”不在0至100之间：请改写"),
        (("limit", "floor", "西藏", ""), "“”不是家数：请写不小于0的整数"),
        (("fixed", "浙江", "70", " "), "人工调整须写明理由"),
        (("rule", "", "西部", ["1", ""], ""), "请写明分组或规则的名称"),
        (("rule", "西部合计", "西部", ["", ""], ""), "“西部合计”没有上下限"),
        (("rule", "西部合计", "", ["1", ""], ""), "没有写明成员"),
        (("rule", "下限", "西部", ["1", ""], ""), "下限"),
    ],
)
def test_what_is_impossible_is_refused_and_changes_nothing(move, told, bench):
    before = bench.state
    answer = bench.do(move[0], move[1:])
    assert (answer["refused"], bench.state) == (True, before)
    assert told in answer["parts"]["notice"]


@pytest.fixture
def bench(panel, baseline, tmp_path):
    return Workbench(Case(baseline), tmp_path)


def test_bases_beyond_the_total_are_said_above_the_last_result(bench):
    answer = bench.do("bound_all", ["base", "default", "29"])
    assert answer["stale"]
    assert "[base] 的基数合计 1073 大于名额总量 1039；请减少基数或增加总量" in answer["parts"]["message"]
    assert not bench.do("bound_all", ["base", "default", "2"])["stale"]


def test_the_table_has_the_librarys_numbers_in_any_order(panel, allocation, baseline):
    other = za.allocate(panel, in_force(with_weight(start(baseline), "", "little_giants", 0.9)))
    *rows, total = Rows(table_html(other, allocation, "440000")).rows[1:]
    assert [int(row["quota"]) for row in rows] == list(other.quota)
    assert [int(row["baseline"]) for row in rows] == list(allocation.quota)
    assert [row["step"] for row in rows] == [signed(int(step)) for step in other.quota - allocation.quota]
    assert [row["entitlement"] for row in rows] == [f"{places:.2f}" for places in other.entitlement.places]
    assert (total["quota"], total["step"]) == ("1,039", "0")
    for order, sign in (("-step", -1), ("quota", 1)):
        *rows, last = Rows(table_html(other, allocation, "440000", order)).rows[1:]
        shown = [int(row[order.strip("-")].replace("−", "-")) for row in rows]
        assert shown == sorted(shown, key=lambda number: sign * number)
        assert last == total


def test_the_pictures_show_every_unit_and_who_gains(bench, panel, allocation, baseline):
    parts = bench.do("weight", ["", "little_giants", "90"])["parts"]
    other = za.allocate(panel, in_force(with_weight(start(baseline), "", "little_giants", 0.9)))
    steps, names = other.quota - allocation.quota, panel.units["short_name"]
    told = re.findall(r">([^<>]+ [+−]\d+)<", parts["view"])
    assert sorted(told) == sorted(f"{names[code]} {signed(int(step))}" for code, step in steps.items() if step)
    assert "相同" in bench.do("reset", [])["parts"]["view"]
    for shown in (
        parts["map"],
        bench.do("tab", ["bars"])["parts"]["view"],
        bench.do("tab", ["table"])["parts"]["view"],
    ):
        assert sorted(map(int, re.findall(r'data-unit="(\d+)"', shown))) == list(range(37))


def test_a_region_has_the_sum_of_its_units_and_money_that_of_the_ledger(bench, panel, allocation):
    shown = bench.do("tab", ["regions"])["parts"]["view"]
    for region, places in allocation.quota.groupby(panel.units["region"]).sum().items():
        assert re.search(rf">{region}<.*?>{places}<", shown)
    money = za.forecast_budget(za.cohorts(allocation), za.load_award("caijian-2024-148")).by_year()["net"]
    shown = bench.do("tab", ["money"])["parts"]["view"]
    assert [f"{amount:,}" in shown for amount in money if amount] == [True] * sum(money != 0)


def test_the_range_is_marked_once_something_was_changed(bench, allocation):
    assert "改动以前" not in bench.do("tab", ["range"])["parts"]["view"]
    least, most = za.weight_range(allocation.panel, allocation.scenario).table.loc["110000", ["quota_min", "quota_max"]]
    assert re.search(rf">北京<.*?>{least}<.*?>{most}<", bench.parts()["view"])
    assert "改动以前" in bench.do("total", ["1100"])["parts"]["view"]
    assert "改动以前" not in bench.do("tab", ["range"])["parts"]["view"]


@pytest.mark.thorough
def test_every_tab_and_control_is_called_by_a_name(bench, write_scenario):
    bench.upload("规则.toml", write_scenario(RULES).read_bytes())
    for tab in TABS:
        seen = "".join(bench.do("tab", [tab])["parts"].values())
        words = re.sub(r"<[^>]*>", " ", seen)
        assert not re.search(r"(?<![\d.])\d{6}\b", words), "a code of a unit"
        assert not re.search(r"little_giants|default|2024-baseline", words)
    assert "浙江　70" in bench.parts()["fixed"]


@pytest.mark.thorough
def test_what_users_write_is_escaped(panel, write_scenario, tmp_path):
    text = 'extends = "2024-baseline"\ntitle = "<script>x</script>"\n[rules."<b>"]\nunits = ["北京"]\nmin = 50\n'
    bench = Workbench(Case(za.load_scenario(write_scenario(text))), tmp_path)
    bench.do("save", ["<i>"])
    for tab in TABS:
        bench.do("tab", [tab])
        told = bench.page()
        assert "<script>x" not in told
        assert "<b>" not in told
        assert "<i>" not in told
        assert "&lt;script&gt;" in told
        assert "&lt;b&gt;" in told


def test_rules_that_clash_are_explained_and_loosened_by_a_button(bench, panel, baseline):
    with pytest.raises(za.InfeasibleError) as clash:
        za.allocate(panel, in_force(with_entry(start(baseline), "floor", "default", 30)))
    before = bench.parts()["map"]
    answer = bench.do("bound_all", ["floor", "default", "30"])
    assert str(clash.value.diagnosis) in answer["parts"]["message"]
    assert (answer["stale"], answer["parts"]["map"]) == (True, before)
    assert "先放宽或撤销" in bench.do("save", [""])["parts"]["notice"]
    answer = bench.do("relieve", [])
    assert (answer["stale"], answer["parts"]["message"]) == (False, "")
    assert bench.allocation.quota.sum() == 1039
    # 71 of 1110 places are too many, at most two a unit: in their order 35 units give up two, then one gives up one.
    floors = bench.allocation.scenario.floor
    assert (floors["default"], sorted(floors.values())) == (28, [28, 29, 30])
    bench.do("undo", [])
    assert bench.do("undo", [])["stale"] is False
    assert bench.state.scenario.floor["default"] == 1
    bench.do("bound_all", ["floor", "default", "29"])
    bench.do("relieve", [])
    floors = bench.allocation.scenario.floor
    # 37 at 29 are 1073 places, 34 too many: 34 units come down to 28, and are not listed one by one.
    assert (floors["default"], len(floors), sorted(set(floors.values()))) == (28, 4, [28, 29])


def test_a_scenario_whose_rules_clash_is_opened_and_can_be_loosened(bench, write_scenario):
    text = 'extends = "2024-baseline"\n[floor]\ndefault = 29\n'
    assert bench.upload("冲突.toml", write_scenario(text).read_bytes())["stale"]
    assert bench.state.scenario.floor["default"] == 29
    assert not bench.do("relieve", [])["stale"]


@pytest.mark.thorough
def test_what_is_switched_off_is_not_taken_for_a_bound_when_others_are_loosened(bench, panel):
    for name in panel.units["short_name"]:
        bench.do("limit", ["cap", name, "20"])
    assert bench.failure is not None, "37 at 20 are 740 places"
    bench.do("relieve", [])
    caps = bench.allocation.scenario.cap
    assert (len(caps), bench.allocation.quota.sum(), sum(caps.values())) == (37, 1039, 1039)


@pytest.mark.parametrize(
    "moves",
    [
        [("rule", "西部合计", "西部", ["900", ""], ""), ("rule", "东部合计", "东部", ["300", ""], "")],
        [("rule", "西部", "西部", ["90", ""], "%"), ("rule", "两市", "广东、江苏", ["20", ""], "%")],
        [("fixed", "广东", "900", "甲"), ("fixed", "江苏", "300", "乙")],
        [("limit", "floor", "广东", "900"), ("limit", "cap", "广东", "800")],
        [("change", "2026-baseline", "1", ""), ("limit", "floor", "广东", "500"), ("limit", "floor", "江苏", "500")],
    ],
    ids=["groups", "shares", "decided", "single", "change"],
)  # fmt: skip
def test_the_cheapest_way_out_is_one_whatever_clashes(bench, moves):
    for move in moves:
        bench.do(move[0], move[1:])
    for _ in range(3):  # where a limit on change goes as a whole, the rest is seen only then
        if bench.failure is not None:
            assert not bench.do("relieve", [])["refused"]
    assert bench.failure is None
    assert bench.allocation.quota.sum() == 1039


def test_saved_opened_compared_and_never_written_over(bench, panel, tmp_path):
    bench.do("weight", ["", "little_giants", "70"])
    tried = bench.allocation.quota
    assert f"已保存：{tmp_path / '试算.toml'}" in bench.do("save", ["../试算.toml"])["parts"]["notice"]
    assert list(za.allocate(panel, za.load_scenario(tmp_path / "试算.toml")).quota) == list(tried)
    assert "已存在" in bench.do("save", ["试算"])["parts"]["notice"]
    bench.do("reset", [])
    assert not bench.allocation.quota.equals(tried)
    bench.do("reference", ["试算"])
    assert bench.baseline.quota.equals(tried)
    bench.do("open", ["试算"])
    assert bench.allocation.quota.equals(tried)
    bench.do("total", ["1100"])
    bench.do("save", [""])
    assert (tmp_path / "方案1.toml").exists()
    shown = bench.do("tab", ["cases"])["parts"]["view"]
    assert all(name in shown for name in ("2024年第一批基准情景", "试算", "方案1"))
    assert ">方案1" not in bench.do("pick", ["方案1", False])["parts"]["view"].partition("<table")[2]
    assert "没有.toml" in bench.do("open", ["没有.toml"])["parts"]["notice"]


@pytest.mark.thorough
def test_a_workbook_is_opened_with_its_facts_and_all_its_batches(bench, baseline, tmp_path):
    path = write_programme(tmp_path / "测算.xlsx", baseline)
    book = openpyxl.load_workbook(path)
    cell_of(book["因素"], {"代码": "320000"}, "规模以上工业中小企业数").value = 90000
    book.save(buffer := io.BytesIO())
    answer = bench.upload("我的.xlsx", buffer.getvalue())
    assert not answer["refused"], bench.notice
    assert bench.panel.has_own
    assert "改为用户提供：江苏单位与随附数不同" in answer["parts"]["notice"]
    assert bench.allocation.quota["320000"] > bench.baseline.quota["320000"]
    assert [name for name in bench.waiting if name in answer["parts"]["file"]] == [
        "我的-第1批",
        "我的-第2批",
        "我的-第3批",
    ]
    with pytest.raises(za.ScenarioError, match=r"情景引用了别的文件（我的-第2批.toml、我的-第3批.toml），不能单独带走"):
        bench.leave("scenario")
    assert "这个文件不含因素数据" in bench.do("save", [""])["parts"]["notice"]
    shown = bench.do("open", ["我的-第2批"])["parts"]["batch"]
    assert bench.allocation.scenario.batch == 2
    assert '<option value="我的-第1批.toml">我的-第1批</option>' in shown, "the batch before it"
    before = bench.allocation.quota
    assert not bench.do("change", ["我的-第1批.toml", "1", ""])["stale"], bench.failure
    assert not bench.allocation.quota.equals(before)
    bench.do("undo", [])
    bench.do("undo", [])
    bench.do("undo", [])
    assert (bench.allocation.scenario.batch, bench.panel.has_own) == (1, False), "what was open before"
    assert "不能打开" in bench.upload("x.exe", b"MZ")["parts"]["notice"]
    assert bench.upload("x.xlsx", b"PK")["refused"]


@pytest.mark.thorough
def test_what_one_leaves_with_bears_the_id_of_the_run_that_the_command_makes(bench, panel, tmp_path, plain_pages):
    bench.do("weight", ["", "little_giants", "50"])
    bench.do("save", ["甲"])
    bench.do("open", ["甲"])
    whole = za.run(tmp_path / "甲.toml", tmp_path, pages=("allocation",))
    number = whole.folder.joinpath("run.json").read_text(encoding="utf-8")
    for kind, (ending, _) in LEAVING.items():
        name, content = bench.leave(kind)
        assert name.endswith(ending)
        (made,) = re.findall(r"[0-9a-f]{12}", name if kind != "scenario" else content.decode().partition("\n")[0])
        assert f'"id": "{made}"' in number, kind
        if kind in ("workbook", "scenario"):
            assert bench.upload(name, content)["parts"]["notice"], "what is taken away can be brought back"
            assert bench.allocation.quota.equals(whole.allocation.quota)
            bench.do("open", ["甲"])
        if kind in ("workbook", "proposal", "proposal_pdf"):
            assert content == (whole.folder / f"report{ending}").read_bytes(), kind
        if kind == "overview":
            assert made in content.decode()
            assert 'href="report' not in content.decode()
    name, content = bench.leave("comparison")
    compared = za.run_comparison(["2024-baseline", tmp_path / "甲.toml"], tmp_path)
    assert content == (compared.folder / "compare.xlsx").read_bytes()
    assert re.findall(r"[0-9a-f]{12}", name)[0] in (compared.folder / "run.json").read_text(encoding="utf-8")


def test_where_rules_cross_the_numbers_do_not_wait_for_the_reasons(bench):
    answer = bench.do("rule", ["加权", "广东×1.5、江苏", ["250", ""], ""])
    assert answer["more"]
    assert "正在计算" in answer["parts"]["why"]
    answer = bench.do("explain", [])
    assert not answer["more"]
    assert "北京的名额为" in answer["parts"]["why"]
    assert bench.do("unit", ["440000"])["more"]
    assert not bench.do("undo", [])["more"], "no rule crosses now"


def test_only_what_differs_is_drawn_again(bench, monkeypatch):
    drawn = []
    for name in ("map_html", "why_html", "changes_html", "table_html"):
        monkeypatch.setattr(f"zjtx_alloc.explorer.view.{name}", lambda *_, name=name: drawn.append(name) or "")
    for name, arguments, expected in (
        ("weight", ["", "little_giants", "50"], ["map_html", "why_html", "changes_html"]),
        ("unit", ["440000"], ["map_html", "why_html"]),
        ("tab", ["table"], ["table_html"]),
        ("hold", ["", "little_giants", True], []),
    ):
        drawn.clear()
        bench.do(name, arguments)
        assert drawn == expected, name


def test_questions_of_the_notebook_are_answered_in_words(panel, baseline, allocation):
    what_if = WhatIf()
    west = what_if.region_floor("西部", 200).data
    assert "西部+49" in west, "151 of them are the west's in the baseline"
    capped = za.allocate(panel, baseline.model_copy(update={"cap": {"default": 60}})).quota - allocation.quota
    losers = capped[capped < 0].sort_values()
    words = "、".join(f"{panel.units.at[code, 'short_name']}{signed(step)}" for code, step in losers.items())
    assert f"减少：{words}。" in what_if.cap(60).data
    assert dict(what_if.factors)["有R&D活动的规模以上工业企业数"] == "rd_active_firms 2023"
    assert what_if.weight("rd_active_firms 2023", 0.6).data != what_if.weight("rd_active_firms 2023", 0.0).data
    assert "全部单位上限之和 740" in what_if.cap(20).data
    assert "减少：—。" in what_if.total(1100).data
    assert "西藏+2" in what_if.floor(3).data


def test_without_ipywidgets_the_notebook_says_how_to_get_it_and_answers_once(monkeypatch):
    assert without_sliders() is None
    assert slider("上限", 60, 20, 150, 5).value == 60
    monkeypatch.setattr(notebook, "ipywidgets", None)
    assert "pip install ipywidgets" in without_sliders().data
    asked = {"region": choice("地区", ["东部", "西部"], "西部"), "weight": slider("权重", 0.6, 0.0, 1.0, 0.05)}
    assert ask(lambda **values: values, **asked) == {"region": "西部", "weight": 0.6}


@pytest.mark.thorough
def test_what_is_held_or_taken_back_computes_and_dates_nothing_anew(bench):
    bench.do("tab", ["range"])
    shown = bench.allocation
    assert "改动以前" not in bench.do("hold", ["", "little_giants", True])["parts"]["view"]
    assert bench.allocation is shown
    assert "改动以前" not in bench.do("title", ["甲"])["parts"]["view"]
    bench.do("total", ["1100"])
    assert "改动以前" not in bench.do("undo", [])["parts"]["view"], "the range is of this very scenario"
    bench.do("bound_all", ["floor", "default", "30"])
    assert not bench.do("undo", [])["stale"]


@pytest.mark.thorough
def test_what_was_said_of_a_file_stays_while_reasons_are_worked_out(bench):
    bench.do("rule", ["加权", "广东×1.5、江苏", ["250", ""], ""])
    bench.do("save", ["甲"])
    assert bench.do("open", ["甲"])["more"]
    assert "已打开" in bench.do("explain", [])["parts"]["notice"]
    refused = bench.do("total", ["x"])
    looked = bench.do("look", [])
    assert (refused["refused"], looked["refused"]) == (True, False)
    assert looked["parts"]["notice"] == refused["parts"]["notice"]


@pytest.mark.thorough
def test_bounds_switched_off_are_left_out_when_others_are_loosened(bench):
    bench.do("limit", ["floor", "西藏", "30"])
    bench.do("switch", ["floor.units", False])
    assert bench.do("bound_all", ["floor", "default", "29"])["stale"]
    answer = bench.do("relieve", [])
    assert (answer["refused"], answer["stale"]) == (False, False), bench.notice
    assert bench.allocation.quota["540000"] < 30


@pytest.mark.thorough
def test_a_name_is_of_one_thing_in_every_list(bench, tmp_path, write_scenario):
    for name in ("2025-baseline", "2024年第一批基准情景", "2025年第二批基准情景", "现情景"):
        assert "请换一个名称" in bench.do("save", [name])["parts"]["notice"], name
    bench.upload("2025-baseline.toml", b'extends = "2024-baseline"\ntotal = 1100\n')
    bench.do("open", ["2025-baseline"])
    assert bench.state.scenario.batch == 2, "what the list calls by its title"
    bench.do("open", ["2025-baseline（文件）"])
    assert bench.state.scenario.total == 1100
    bench.do("save", ["试算"])
    assert bench.parts()["file"].count('<option value="试算') == 1, "not as a case and as a file"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("甲\0.toml", "不能作文件夹名"),
        ("长" * 300 + ".toml", "不能作文件夹名"),
        ("\ud800.toml", "不能作文件夹名"),
        ("甲.toml", "找不到情景文件 别处.toml"),
    ],
)
def test_an_upload_is_refused_in_words_without_a_path_of_this_machine(bench, name, told):
    answer = bench.upload(name, 'extends = "别处.toml"'.encode())
    assert answer["refused"]
    assert told in bench.notice


@pytest.mark.thorough
def test_a_file_may_shout_its_ending(bench, tmp_path):
    (tmp_path / "甲.TOML").write_text('extends = "2024-baseline"\ntotal = 1100\n', encoding="utf-8")
    assert not bench.do("open", ["甲.TOML"])["refused"], bench.notice
    assert not bench.upload("乙.TOML", b'extends = "2024-baseline"\n')["refused"], bench.notice


def test_the_limit_on_change_is_shown_as_it_is(bench):
    shown = bench.do("change", ["2025-baseline", "10", "raw"])["parts"]["batch"]
    assert '<option value="raw" selected>' in shown


def test_cases_side_by_side_begin_with_what_is_compared_with(bench):
    bench.do("total", ["1100"])
    bench.do("save", ["甲"])
    bench.do("reference", ["甲"])
    heads = re.findall(r"<th[^>]*>([^<]*)", bench.do("tab", ["cases"])["parts"]["view"].partition("<tbody")[0])
    assert [head for head in heads if head in ("甲", "2024年第一批基准情景")] == ["甲", "2024年第一批基准情景"]


@pytest.mark.thorough
def test_a_scenario_file_taken_away_is_the_same_run_again(bench):
    bench.do("total", ["1100"])
    name, content = bench.leave("scenario")
    number = re.findall(r"[0-9a-f]{12}", bench.leave("overview")[0])
    assert name == "2024-baseline.toml"
    assert number[0] in content.decode()
    bench.upload(name, content)
    assert re.findall(r"[0-9a-f]{12}", bench.leave("overview")[0]) == number


def test_a_weight_that_cannot_move_says_why(bench):
    for name in list(bench.state.scenario.factors):
        bench.do("hold", ["", name, True])
    answer = bench.do("weight", ["", "little_giants", "70"])
    assert (answer["refused"], bench.state.scenario.factors["little_giants"].weight) == (True, 0.4)
    assert "没有可让出权重的其他因素" in bench.notice
    assert not bench.do("weight", ["", "little_giants", "40"])["refused"]
    assert bench.do("factor", ["", "rd_active_firms 2023"])["refused"]
    bench.do("without_factor", ["", "sme_count"])
    bench.do("without_factor", ["", "first_round_continued_r1_sum"])
    assert "最后一个因素不能去掉" in bench.do("without_factor", ["", "little_giants"])["parts"]["notice"]


def test_questions_of_the_notebook_are_answered_where_there_are_pools_or_a_mistake(write_scenario):
    text = POOLS + '[groups."西部合计"]\nregion = "西部"\nfloor = 100\n'
    what_if = WhatIf(str(write_scenario(text)))
    assert "增加：" in what_if.weight("rd_active_firms 2023", 0.6).data
    assert "已有名为“西部合计”的分组或规则" in what_if.region_floor("西部", 200).data


@pytest.mark.thorough
def test_what_goes_as_a_whole_when_rules_are_loosened_is_said(bench):
    for move in (("change", "2026-baseline", "1", ""), ("limit", "floor", "广东", "500")):
        bench.do(move[0], move[1:])
    assert "变动幅度已整体停用" in bench.do("relieve", [])["parts"]["notice"]
    bench.do("reset", [])
    bench.do("bound_all", ["floor", "default", "30"])
    assert "变动幅度" not in bench.do("relieve", [])["parts"]["notice"]


def test_a_field_says_whose_it_is_to_who_hears_the_page(bench):
    bench.do("rule", ["西部合计", "西部", ["200", ""], ""])
    parts = bench.parts()
    assert 'aria-label="西部合计：不少于（家）"' in parts["rules"]
    assert 'aria-label="启用：西部合计"' in parts["rules"]
    assert 'aria-label="区域调节系数：西部"' in parts["bounds"]
