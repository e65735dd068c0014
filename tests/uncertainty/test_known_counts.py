"""Known counts of the new round beside allocations: read from the observations, both readings, ranges, extremes."""

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.report.tables.backtest import known_table, look_back, looked_back


@pytest.fixture(scope="module")
def known(results):
    return results.known


def test_each_count_of_the_observations_stands_beside_its_batch(known):
    assert known[["scenario", "short_name", "observed", "status"]].to_numpy().tolist() == [
        ["2024-baseline", "天津", 19, "inferred"],
        ["2024-baseline", "山东", 80, "published"],
        ["2024-baseline", "山东含青岛", 80, "published"],
        ["2025-baseline", "内蒙古", 10, "published"],
    ]
    assert known["source"].str.startswith("http").all()


def test_a_reading_with_the_city_sums_both(known, results):
    both, places = ["370000", "370200"], results.allocation.entitlement.places
    _, alone, with_city, _ = known.to_dict("records")
    assert alone["quota"] == results.allocation.quota["370000"]
    assert with_city["quota"] == results.allocation.quota[both].sum()
    assert with_city["entitlement"] == pytest.approx(places[both].sum())


def test_what_one_factor_alone_gives_is_its_scenario(known, panel, baseline):
    factors = {"little_giants": baseline.factors["little_giants"].model_copy(update={"weight": 1.0})}
    only = za.entitlement(panel, baseline.model_copy(update={"factors": factors})).places
    assert known.at[0, "little_giants"] == pytest.approx(only["120000"])
    assert known.at[2, "little_giants"] == pytest.approx(only[["370000", "370200"]].sum())


def test_what_the_old_stand_ins_give_is_their_scenario_at_the_same_total(known, panel):
    old = za.load_scenario("2024-old-stand-ins")
    assert known.at[0, "former"] == za.allocate(panel, old).quota["120000"]
    scaled = za.allocate(panel, old.model_copy(update={"total": 1241}))
    assert known.at[3, "former"] == scaled.quota["150000"]


@pytest.mark.thorough
def test_the_range_is_that_of_the_sweeps_first_draws(known, panel, baseline):
    """The sweep rounds each draw's entitlements to quotas: the same to a place."""
    swept = za.sweep(panel, baseline, draws=1000)
    for row, code in ((0, "120000"), (1, "370000")):
        quotas = swept.quotas[:, panel.units.index.get_loc(code)]
        assert known.at[row, "low"] == pytest.approx(np.quantile(quotas, 0.05), abs=1)
        assert known.at[row, "high"] == pytest.approx(np.quantile(quotas, 0.95), abs=1)


def test_without_doubt_there_is_no_range_and_without_counts_no_row(panel, baseline):
    sure = baseline.model_copy(update={"uncertainty": type(baseline.uncertainty)(facts={"ranges": False})})
    found = za.known_counts([za.allocate(panel, sure)])
    assert found[["low", "high"]].isna().all(axis=None)
    assert "（" not in look_back(found)[0].split("测算")[1].split("，")[0]
    nothing = za.known_counts([za.allocate(panel, za.load_scenario("2026-baseline"))])
    assert nothing.empty
    assert (look_back(nothing), looked_back(nothing)) == ((), ())


def test_the_sentence_says_both_readings_and_how_many_are_inside():
    rows = [
        ("a", 1, "天津", 19, "inferred", 18.3, 14.4, 23.8, 18, 18, "u"),
        ("a", 1, "山东", 80, "published", 70.8, 59.0, 82.0, 71, 61, "v"),
        ("a", 1, "山东含青岛", 80, "published", 84.4, 71.2, 98.0, 85, 87, "v"),
        ("b", 2, "内蒙古", 10, "published", 6.6, 4.5, 9.7, 7, np.nan, "w"),
    ]
    columns = [
        "scenario",
        "batch",
        "short_name",
        "observed",
        "status",
        "entitlement",
        "low",
        "high",
        "quota",
        "former",
        "source",
    ]
    found = pd.DataFrame(rows, columns=columns)
    told = "新一轮已知数的对照表共4行（有1个数分两种读法各列一行），3行的实际数在测算的可能范围（90%）之内。"
    assert looked_back(found) == (told,)
    assert looked_back(found.assign(low=np.nan, high=np.nan)) == ()
    assert look_back(found) == (
        "新一轮已知3个数（支持企业数，只报远近，不据此调整）：第1批天津19家（由资金推算），测算18家（14.4—23.8），"
        "原代用数据18家；第1批山东80家（未注明是否含单列市），测算71家（59.0—82.0）、山东含青岛85家（71.2—98.0），"
        "原代用数据61、87家；第2批内蒙古10家，测算7家（4.5—9.7）。",
    )  # fmt: skip


def test_the_table_shows_them_with_addresses(known, results):
    table = known_table(results.programme, known)
    first = table.texts().iloc[0]
    assert first[["单位", "批次", "实际数", "取得方式"]].tolist() == ["天津", "第1批", "19", "由资金推算"]
    assert first["来源"].startswith("https://gyxxh.tj.gov.cn/")
    assert first["只按有效期内“小巨人”企业数"] == f"{known.at[0, 'little_giants']:.2f}"
    assert "不足以检验权重" in table.notes[0]


def test_a_users_own_column_leaves_the_old_stand_ins_as_they_were(panel, baseline, known, tmp_path):
    path = tmp_path / "因素表.csv"
    names = panel.units["short_name"]
    path.write_text(
        "\n".join(["单位,有效期内“小巨人”企业数", *(f"{n},{100 + i}" for i, n in enumerate(names))]), encoding="utf-8"
    )
    own = za.known_counts([za.allocate(za.load_panel(path), baseline)])
    assert own["former"].tolist() == known["former"].tolist()[:3]
    assert own.at[0, "quota"] != known.at[0, "quota"]
