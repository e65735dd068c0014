"""The estimates of factors: sums to the firm, drift by hand, only what should move moves, nothing of a later date enters."""

import runpy

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped, shipped_table
from zjtx_alloc.base.units import NATION, load_units, members_of
from zjtx_alloc.facts import nowcast as estimating
from zjtx_alloc.facts.evidence import covariates, observations
from zjtx_alloc.facts.evidence.drift import Growth, Lists
from zjtx_alloc.facts.evidence.observations import month_of
from zjtx_alloc.facts.nowcast import assumptions, nearest_counts, shipped_nowcasts

UNITS = load_units()
PROVINCES = UNITS.index[UNITS["kind"] == "province"]
ASKED = [("little_giants", "2024-12"), ("sme_count", "2023-12"), ("above_scale_firms", "2022-12")]


@pytest.fixture
def evidence(monkeypatch):
    """Change rows of observations.csv, or of facts.csv for provinces without a count; returns how many."""

    def forget():
        observations._all.cache_clear()
        covariates._covariates.cache_clear()

    def change(where, edit, file="observations.csv"):
        module = observations if file == "observations.csv" else covariates
        table = shipped_table(file, "unit").copy()
        rows = where(table.reset_index()).to_numpy()
        table.loc[rows, "value"] = [edit(value) for value in table.loc[rows, "value"]]
        monkeypatch.setattr(
            module, "shipped_table", lambda name, key: table if name == file else shipped_table(name, key)
        )
        forget()
        return rows.sum()

    forget()
    yield change
    monkeypatch.undo()
    forget()


def times(factor):
    return lambda value: str(round(float(value) * factor, 3))


@pytest.mark.parametrize(("indicator", "period"), ASKED)
def test_a_table_has_the_37_units_and_adds_up_to_the_firm(indicator, period):
    found = za.nowcast(indicator, period)
    table, provinces = found.table, found.provinces
    assert list(table.index) == list(UNITS.index)
    assert (table.index.name, list(table.columns[:4])) == ("code", ["value", "low", "high", "status"])
    assert set(table["status"]) <= {"known", "adjusted", "modelled"}
    assert table["value"].sum() == provinces["value"].sum() == found.total
    for province in PROVINCES:
        assert table.loc[list(members_of(province)), "value"].sum() == provinces.at[province, "value"]
    for estimates in (table, provinces):
        assert estimates["value"].between(estimates["low"], estimates["high"]).all()
        assert (estimates["low"] >= 0).all()
    assert (found.models["weight"].sum(), found.models["error"].gt(0).all()) == (pytest.approx(1), True)


@pytest.mark.parametrize(("indicator", "period"), ASKED[:1])
def test_the_same_question_has_the_same_answer(indicator, period):
    one, other = za.nowcast(indicator, period), za.nowcast(indicator, period)
    pd.testing.assert_frame_equal(one.table, other.table)


@pytest.mark.thorough
def test_the_committed_results_are_what_the_evidence_gives():
    """To be written again by ``make nowcast`` whenever the evidence or an assumption changes."""
    text = shipped_nowcasts().to_csv(index=False, lineterminator="\n")
    assert text.encode() == shipped("data", "nowcast.csv").read_bytes()


def test_known_counts_stand_as_they_were_printed():
    """江苏 2156, 广东 2076 with 深圳, and the others that are counted between list 6 and list 7, within six months."""
    found = za.nowcast("little_giants", "2024-12")
    known = found.provinces[found.provinces["status"] == "known"]
    assert known.loc[["110000", "140000", "320000", "370000", "410000"], "value"].tolist() == [
        1035, 132, 2156, 1163, 414,
    ]  # fmt: skip
    nearest = nearest_counts("little_giants", "2024-12")
    assert known["value"].equals(nearest[known.index].astype(int))
    assert found.unraked[known.index].equals(nearest[known.index])


# In force before list 6: 12183; after it 14695, of which 3012 new: 11683 of 12183 were kept. Of list 5: 12958 published.
KEPT = (14695 - 3012) / 12183


def test_a_count_is_brought_over_a_list_by_what_was_kept_and_named():
    """江苏 had 1474 before list 6, and 711 firms on it; what was printed later did not exist for a planner of 2024."""
    found = za.nowcast("little_giants", "2024-12", known_by="2024-12")
    assert found.unraked["320000"] == pytest.approx(1474 * KEPT + 711)
    assert found.unraked["320000"] == pytest.approx(2124.51, abs=0.005)
    assert found.provinces.at["320000", "status"] == "adjusted"


def test_a_count_is_brought_back_over_a_list_and_cumulative_ones_are_scaled():
    lists = Lists(None)
    jiangsu = [o for o in lists.cells if o.place == "320000"]
    after = next(o for o in jiangsu if (o.batch, o.value) == (6, 2156))
    assert lists.moved(after, month_of("2024-06")) == pytest.approx((2156 - 711) / KEPT)
    cumulative = next(o for o in jiangsu if (o.batch, o.value) == (5, 1505))
    assert cumulative.cumulative
    assert lists.moved(cumulative, month_of("2024-06")) == pytest.approx(1505 * 12183 / 12958)
    assert lists.distance(cumulative, month_of("2023-08")) == 1  # reviews were left out
    assert lists.moved(after, month_of("2024-12")) == 2156


def test_where_a_places_list_is_not_known_it_grows_as_the_others_without_one():
    """New firms a firm in force: what is left of list 6 over those in force before it, without provinces whose list is known."""
    lists = Lists("2024-12")
    shown = lists._known_lists[6]
    rate = (3012 - sum(new for new, _ in shown.values())) / (12183 - sum(stock for _, stock in shown.values()))
    hainan = next(o for o in lists.cells if o.place == "460000" and o.batch == 5)
    assert "460000" not in shown
    assert lists.moved(hainan, month_of("2024-12")) == pytest.approx(hainan.value * (KEPT + rate))


def test_industrial_firms_move_with_the_nation_and_small_ones_are_98_percent():
    """449,000 in 2022-12 and 482,600 a year later; 浙江 56,362 in 2023-04 has eight months to go."""
    above, small = (za.nowcast(name, "2023-12") for name in ("above_scale_firms", "sme_count"))
    assert (above.total, small.total) == (482600, round(0.98 * 482600))
    assert above.unraked["330000"] == pytest.approx(56362 * (482600 / 449000) ** (8 / 12))
    assert above.provinces.loc["340000", ["value", "status"]].tolist() == [22711, "known"]
    assert small.provinces.loc["340000", ["value", "low", "high"]].tolist() == [
        round(0.98 * 22711), int(0.975 * 22711), int(0.985 * 22711) + 1,
    ]  # fmt: skip
    # A count of small firms stands as it is: 江苏 62,079 at the end of 2023.
    assert small.provinces.at["320000", "value"] == 62079
    growth = Growth(None, frozenset(), False, (0.98, 0.975, 0.985))
    assert growth.total(month_of("2023-06")) == pytest.approx((449000 * 482600) ** 0.5)


def moved(before, after):
    """Places whose estimate is another one."""
    return set(before.index[before["value"].ne(after["value"])])


def test_a_known_cell_that_changes_moves_itself_and_what_shares_the_rest(evidence):
    """河南, 414 after list 6, as 514: itself and estimates, down; no other known count, and no sum."""
    before = za.nowcast("little_giants", "2024-12")
    evidence(
        lambda rows: rows["unit"].eq("410000") & rows["indicator"].eq("little_giants") & rows["batch"].eq("6"),
        lambda value: str(int(value) + 100),
    )
    after = za.nowcast("little_giants", "2024-12")
    known = before.table["status"] == "known"
    assert after.table.at["410000", "value"] == 514
    assert moved(before.table[known], after.table[known]) == {"410000"}
    others = before.provinces["status"] != "known"
    assert after.provinces.loc[others, "value"].sum() == before.provinces.loc[others, "value"].sum() - 100
    assert len(moved(before.provinces, after.provinces)) > 5
    assert after.total == before.total == after.table["value"].sum()
    assert after.table["status"].equals(before.table["status"])


@pytest.mark.parametrize(
    ("indicator", "period", "province"), [("little_giants", "2024-12", "330000"), ("sme_count", "2023-12", "440000")]
)
def test_a_province_left_out_says_nothing_of_itself(indicator, period, province, evidence):
    """All its counts, its list's and its city's too, three times as large: the same estimate with the same range."""
    before = za.nowcast(indicator, period, without=[province])
    evidence(lambda rows: rows["unit"].isin(members_of(province)), times(3))
    after = za.nowcast(indicator, period, without=[province])
    pd.testing.assert_frame_equal(before.table, after.table)
    assert before.provinces.at[province, "status"] == "modelled"
    assert moved(before.provinces, za.nowcast(indicator, period).provinces) != set()


@pytest.mark.parametrize(("indicator", "period", "known_by"), [tuple(one.values()) for one in assumptions()["shipped"]])
def test_nothing_of_a_later_date_and_no_result_of_the_round_enters(indicator, period, known_by, evidence):
    """What is dated after a batch's call ten times as large, and every count of supported firms: nothing moves."""
    before = za.nowcast(indicator, period, known_by=known_by)
    evidence(
        lambda rows: (
            rows["ref_date"].map(month_of).gt(month_of(known_by)) | rows["indicator"].str.startswith("supported")
        ),
        times(10),
    )
    later = evidence(lambda rows: rows["period"].map(month_of).gt(month_of(known_by)), times(10), "facts.csv")
    assert later > 0 or known_by == "2025-12"
    after = za.nowcast(indicator, period, known_by=known_by)
    pd.testing.assert_frame_equal(before.table, after.table)
    evidence(lambda rows: rows["ref_date"].map(month_of).le(month_of(known_by)), times(1.1))
    assert moved(before.table, za.nowcast(indicator, period, known_by=known_by).table) != set()


def covariate(name, years):
    facts = shipped_table("facts.csv", "unit").reset_index()
    rows = facts[facts["indicator"].eq(name) & facts["scope"].eq("province") & facts["period"].isin(years)]
    return rows["value"].astype(float).groupby(rows["unit"]).sum()


def test_the_error_of_each_model_is_that_of_fits_without_the_province():
    """By brute force: each province in turn left out of a weighted fit of logarithms, and predicted by it."""
    found = za.nowcast("little_giants", "2024-06", known_by="2024-06")
    known = found.unraked[found.provinces["status"] != "modelled"]
    columns = {
        "hightech_certified": covariate("hightech_certified", ["2021", "2022", "2023"]),
        "rd_active_firms": covariate("rd_active_firms", ["2023"]),
        "gdp": covariate("gdp", ["2023"]),
    }
    weights = (1 / (0.35**2 + 1 / known)).to_numpy()
    errors = []
    for names in assumptions()["models"]["candidates"]:
        table = np.log(pd.DataFrame({name: columns[name] for name in names})).assign(one=1.0).loc[known.index]
        squares = []
        for place in range(len(known)):
            others = np.arange(len(known)) != place
            root = np.sqrt(weights[others])
            line = np.linalg.lstsq(table[others].mul(root, axis=0), np.log(known)[others] * root, rcond=None)[0]
            squares.append((np.log(known.iloc[place]) - table.iloc[place] @ line) ** 2)
        errors.append(float(np.sqrt((weights * squares).sum() / weights.sum())))
    assert found.models["error"].tolist() == pytest.approx(errors)
    assert found.models["weight"].tolist() == pytest.approx(np.array(errors) ** -4.0 / (np.array(errors) ** -4.0).sum())


@pytest.mark.parametrize("freedom", [1, 2, 7, 24])
def test_students_quantiles_are_scipys(freedom):
    for coverage in (0.5, 0.9, 0.99):
        assert covariates._quantile(freedom, coverage) == pytest.approx(t.ppf((1 + coverage) / 2, freedom), rel=1e-12)


def test_a_city_and_its_province_share_what_is_published_of_both():
    """深圳 14,188 of 广东's 71,996: what is left is 广东's own, and as known as both."""
    table = za.nowcast("above_scale_firms", "2023-12").table
    assert table.loc[["440000", "440300"], "value"].tolist() == [71996 - 14188, 14188]
    assert table.loc[["440000", "440300"], "status"].tolist() == ["known", "known"]
    assert table.at["440000", "basis"].startswith("全省：2023-12规上工业企业71,996家")


def test_what_cannot_be_estimated_is_named(evidence):
    with pytest.raises(
        za.DataError, match="没有“gdp”的推算；可推算的指标：little_giants、sme_count、above_scale_firms"
    ):
        za.nowcast("gdp", "2024")
    with pytest.raises(za.DataError, match="2019-12的全国总数未知，不能推算各地家数；请换一个有全国数的日期"):
        za.nowcast("little_giants", "2019")
    with pytest.raises(za.DataError, match="2025-12的全国总数未知"):
        za.nowcast("sme_count", "2025-12")
    evidence(lambda rows: rows["unit"].eq("110000") & rows["indicator"].eq("little_giants"), times(10))
    with pytest.raises(za.DataError, match=r"已知各地之和与全国总数不符（余-[\d,]+家），请检查 data/observations\.csv"):
        za.nowcast("little_giants", "2024-12")


@pytest.mark.thorough
def test_left_out_provinces_are_nearer_than_the_stand_ins_and_within_their_ranges():
    """The figures of benchmarks/facts.py against what was asked of them."""
    accuracy = runpy.run_path(str(shipped("data", "nowcast.toml").parent.parent / "benchmarks" / "facts.py"))[
        "accuracy"
    ]
    giants, firms = accuracy("little_giants"), accuracy("sme_count")
    assert (giants["left out, raked"] <= giants["stand-in"] / 2).all()
    assert (firms["left out, raked"] < firms["stand-in"]).all()
    pooled = pd.concat([giants, firms])[["provinces", "inside"]].sum()
    assert 0.75 <= pooled["inside"] / pooled["provinces"] <= 0.98
    assert (giants["inside"] / giants["provinces"]).between(0.75, 0.98).all()


def test_the_panel_holds_the_committed_estimates_and_never_as_published(panel):
    for one in assumptions()["shipped"]:
        cells = panel.column(one["indicator"], one["period"])
        table = za.nowcast(**one).table
        assert cells["value"].tolist() == table["value"].tolist()
        assert cells["estimated"].tolist() == table["status"].ne("known").tolist()
        assert cells["status"].tolist() == table["status"].tolist()
        assert (cells["low"].tolist(), cells["high"].tolist()) == (table["low"].tolist(), table["high"].tolist())
        assert set(cells["source"]) <= {"observations", "nowcast"}
    assert NATION not in panel.cells.index.get_level_values("code")
    assert set(estimating.INDICATORS) >= {one["indicator"] for one in assumptions()["shipped"]}
