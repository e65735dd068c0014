"""One quota of a batch: what is known of it, running totals and unused places, each by hand, and the laws they keep."""

import pytest

import zjtx_alloc as za
from zjtx_alloc.allocation.allocate_programme import _with_pools, allocate_batch, counted
from zjtx_alloc.report.table import allocation_csv
from zjtx_alloc.report.tables.allocation import replan_table
from zjtx_alloc.rules.scenario_files import put_together

FACTORS = {"gdp": {"period": "2020", "weight": 1.0}}
TIANJIN, JIANGSU = "120000", "320000"


def scenario(batch, **changes):
    given = {"name": f"b{batch}", "title": "t", "batch": batch, "total": 10, "factors": FACTORS}
    return za.Scenario.model_validate(given | changes)


def allocated(panel, *scenarios):
    return counted([za.allocate(panel, one) for one in scenarios])


@pytest.fixture
def thirds(toy_panel):
    """Three units that are due a third each: 10 places are 4, 3, 3 in every batch on its own."""
    return toy_panel(gdp=[1, 1, 1])


def places(allocation):
    return allocation.quota.tolist()


def test_running_totals_by_hand(thirds):
    # Due in all 10/3, 20/3, 10: after two batches no unit may have 8, after three each has 10.
    alone = allocated(thirds, scenario(1), scenario(2), scenario(3))
    assert [places(a) for a in alone] == [[4, 3, 3]] * 3
    carried = allocated(thirds, scenario(1), scenario(2, carry_rounding=True), scenario(3, carry_rounding=True))
    assert places(carried[0]) == [4, 3, 3]
    assert [sum(unit) for unit in zip(*map(places, carried), strict=True)] == [10, 10, 10]
    assert carried[1].counted.ways == ("rounding",)


def test_all_batches_that_carry_are_the_plan(thirds):
    batches = [scenario(n, carry_rounding=True) for n in (1, 2, 3)]
    found = allocated(thirds, *batches)
    plan = za.plan(batches, thirds)
    assert [places(a) for a in found] == [plan.quota[n].tolist() for n in (1, 2, 3)]


def test_the_first_batch_alone_has_nothing_to_carry(thirds):
    assert places(allocated(thirds, scenario(1, carry_rounding=True), scenario(2))[0]) == [4, 3, 3]


def known(panel, granted=None, approved=None):
    codes = list(panel.units.index)
    named = {"granted": granted, "approved": approved}
    return {name: dict(zip(codes, numbers, strict=True)) for name, numbers in named.items() if numbers}


@pytest.mark.parametrize(
    ("unused", "second", "ways"),
    [
        ("lapse", [4, 3, 3], ()),  # failed reviews change nothing
        ("unit", [6, 3, 3], ("unit",)),  # the first unit's two unused places come back to it, and the total grows
        ("pool", [5, 3, 2], ("rounding",)),  # of 8 approved and 10 places each is due 6: they have 1, 3, 4
    ],
)
def test_unused_places_by_hand(thirds, unused, second, ways):
    first = scenario(1, known=known(thirds, [3, 3, 4], [1, 3, 4]), approval={"rate": "1.00", "unused": unused})
    found = allocated(thirds, first, scenario(2))
    assert places(found[0]) == [3, 3, 4]
    assert places(found[1]) == second
    assert found[1].counted.ways == ways
    assert found[1].total == sum(second)


@pytest.mark.parametrize(
    ("unused", "why"),
    [
        ("lapse", ["", "", ""]),
        ("unit", ["上批未用的2家由本单位补回", "", ""]),
        # Of 8 approved each is due 8/3 = 2.67; the units had 1, 3 and 4.
        ("pool", ["此前累计比应得少1.7家，补足", "", "此前累计比应得多1.3家，扣减"]),
    ],
)
def test_why_a_quota_is_not_the_batchs_own(thirds, unused, why):
    first = scenario(1, known=known(thirds, [3, 3, 4], [1, 3, 4]), approval={"rate": "1.00", "unused": unused})
    one, two = allocated(thirds, first, scenario(2))
    assert one.counted.why.tolist() == [
        "下达名额已知（单独测算4家）",
        "",
        "下达名额已知（单独测算3家）",
    ]
    assert two.counted.why.tolist() == why
    table = replan_table(two)
    shown = table.frame[["上批名额", "上批审核通过", "本批单独测算", "名额", "增减", "原因"]].values.tolist()
    alone, approved = [4, 3, 3], [1, 3, 4]
    assert shown == [
        [before, passed, own, now, now - own, reason]
        for before, passed, own, now, reason in zip([3, 3, 4], approved, alone, places(two), why, strict=True)
        if now != own
    ]
    assert ("就是本批单独测算的名额" in table.notes[0]) is (unused == "lapse")


def test_limits_on_change_go_from_the_quota_that_counts(thirds, tmp_path):
    """The second batch has 4, 3, 3 on its own and 6, 3, 3 with the places that come back: the third may not fall below 5."""
    first = scenario(1, known=known(thirds, [3, 3, 4], [1, 3, 4]), approval={"rate": "1.00", "unused": "unit"})
    limits = {"previous": "b2.toml", "max_relative": 0.1, "raw": True}
    others = {"b1.toml": first, "b2.toml": scenario(2)}
    third = scenario(3, change=limits, budget_with=list(others))
    put_together(others | {"b3.toml": third}, tmp_path)
    found = za.allocate_programme(thirds, third)
    assert [places(one) for one in found[1:]] == [[6, 3, 3], [5, 3, 2]]
    assert places(allocate_batch(thirds, third)) == [5, 3, 2]
    assert found[2].bounds[["floor", "cap"]].values.tolist() == [[5, 7], [2, 4], [2, 4]]
    assert places(found[2].under(third.model_copy(update={"total": 12}))) == [5, 4, 3]
    assert za.plan([*others.values(), third], thirds).table["counts"].tolist() == [3, 3, 4, 6, 3, 3, 5, 3, 2]


def test_a_known_batch_is_known_beyond_any_bound_of_the_model(thirds):
    first = scenario(1, cap={"default": 4}, known=known(thirds, [6, 2, 2], [6, 1, 2]))
    one, two = allocated(thirds, first, scenario(2, carry_rounding=True))
    assert places(one) == [6, 2, 2]
    assert one.approved.tolist() == [6, 1, 2]
    assert sorted(a + b for a, b in zip([6, 2, 2], places(two), strict=True)) == [6, 7, 7]  # beside 20/3
    (cohort, _) = za.cohorts(one, two)
    assert cohort.approved.tolist() == [6, 1, 2]
    assert one.table()["binds"].tolist()[0] == "下达名额"


def test_tianjins_19_beside_the_models_18_enters_allocates_and_pays(panel, baseline):
    model = za.allocate(panel, baseline).quota
    granted = model.to_dict() | {TIANJIN: int(model[TIANJIN]) + 1}
    first = baseline.model_copy(update={"known": _known(granted, granted)})
    programme = za.allocate_programme(panel, first)
    assert programme[0].quota.to_dict() == granted
    books = za.forecast_budget(za.cohorts(*programme), za.load_award(first.award))
    assert books.cohorts[0].approved[TIANJIN] == granted[TIANJIN]
    only = baseline.model_copy(update={"known": _known({}, {TIANJIN: int(model[TIANJIN]) + 1})})
    assert allocate_batch(panel, only).quota[TIANJIN] == model[TIANJIN] + 1
    assert "审核通过" in allocation_csv(allocate_batch(panel, only))


def _known(granted, approved):
    return scenario(1, known={"granted": granted, "approved": approved}).known


def test_more_approved_than_granted_is_refused():
    with pytest.raises(ValueError, match="审核通过企业数多于下达名额：天津"):
        _known({TIANJIN: 18}, {TIANJIN: 19})


def test_the_former_word_is_read_and_said(write_scenario):
    path = write_scenario('extends = "2024-baseline"\n[approval]\nrate = "0.9"\ncarry_unused = true\n')
    with pytest.warns(FutureWarning, match='carry_unused 已改为 approval.unused = "unit"'):
        assert za.load_scenario(path).approval.unused == "unit"


def test_an_explanation_says_which_number_counts(thirds):
    found = allocated(thirds, scenario(1), scenario(2, carry_rounding=True))
    moved = found[1].quota.ne(found[1].solution.quota)
    code = moved[moved].index[0]
    why = za.explain(found[1], code)
    assert (why.quota, why.alone) == (found[1].quota[code], found[1].solution.quota[code])
    assert f"经取整结转为{why.quota}家，以{why.quota}家为准" in why.text
    assert found[1].table().at[code, "binds"] == "取整结转"


def test_counting_again_changes_nothing_and_a_part_keeps_its_numbers(thirds):
    found = allocated(thirds, scenario(1), scenario(2, carry_rounding=True))
    assert [places(a) for a in counted(found)] == [places(a) for a in found]
    assert places(counted(found[1:])[0]) == places(found[1])


def test_a_later_batch_is_capped_by_what_is_left_where_it_is_known(panel, baseline):
    model = za.allocate(panel, baseline)
    first = baseline.model_copy(update={"eligible_pool": {JIANGSU: 100}, "known": _known({}, {JIANGSU: 90})})
    assert za.allocate(panel, first).quota[JIANGSU] == 100 < model.quota[JIANGSU]
    assert za.allocate(panel, first).table().at[JIANGSU, "binds"] == "可推荐企业数"
    second = za.load_scenario("2025-baseline")
    for new, cap in (({JIANGSU: 30}, 40), ({}, None)):  # 100 − 90 + 30; nothing is said of what is new: no cap
        later = second.model_copy(update={"certified": new})
        found = _with(panel, first, later)
        assert found.scenario.eligible_pool.get(JIANGSU) == cap
        assert (int(found.quota[JIANGSU]) == 40) is (cap is not None)


def _with(panel, first, later):
    return za.allocate(panel, _with_pools([first, later], first, panel)[1])
