"""A scenario with places before the formula (基数) and with caps that take back: its numbers, explanations and errors."""

import pytest

import zjtx_alloc as za
from zjtx_alloc.report.documents.programme_workbook import write_programme
from zjtx_alloc.rules.programme.scenario_rows import rows_of

PANEL = za.load_panel()


def scenario(tmp_path, text):
    file = tmp_path / "own.toml"
    file.write_text('extends = "2024-baseline"\ntitle = "有基数"\n' + text, encoding="utf-8")
    return za.load_scenario(file)


@pytest.fixture(scope="module")
def based(tmp_path_factory):
    text = '[base]\ndefault = 2\n"计划单列市" = 1\n"兵团" = 3\n"西藏" = 5\n[cap]\n"广东" = 60\n'
    return za.allocate(PANEL, scenario(tmp_path_factory.mktemp("base"), text))


def test_base_by_unit_by_kind_and_by_default(based):
    base = based.entitlement.base
    assert base[["540000", "660000", "440300", "110000"]].tolist() == [5, 3, 1, 2]
    assert base.sum() == 2 * 30 + 5 + 5 + 3  # 30 provinces, 5 cities, 西藏, 兵团


def test_entitlements_are_the_base_and_a_share_of_the_rest(based, tmp_path):
    plain = za.allocate(PANEL, scenario(tmp_path, ""))
    expected = based.entitlement.base + plain.entitlement.exact * (1039 - 73) / 1039
    assert based.entitlement.exact.tolist() == expected.tolist()
    assert based.quota.sum() == 1039
    assert (based.quota >= based.entitlement.base).all()
    assert based.table().loc["540000", "floor"] == 5
    assert based.bounds.at["540000", "floor_from"] == "基数"


def test_the_explanation_names_the_base_and_what_a_cap_gave_away(based):
    described = za.explain(based, "江苏").text
    assert "由以下各项构成：基数2家、" in described
    assert "广东的理论名额超过上限，超出的合计15.95家按理论名额的比例分给其他单位。" in described
    margin = za.explain(based, "深圳").prospects.gains_at
    assert based.entitlement.places["440300"] < margin < based.entitlement.places["440300"] + 1
    assert "西藏不能再减少1家，限制来自：西藏基数 5。" in za.explain(based, "西藏").text


def test_a_stated_redistribution_is_said_and_done(tmp_path):
    text = 'criterion = "hamilton"\nredistribution = "proportion"\n[cap]\n"广东" = 60\n'
    stated = za.allocate(PANEL, scenario(tmp_path, text))
    described = za.explain(stated, "江苏").text
    assert "按理论名额的比例分给其他单位（本情景写明的分法）。" in described
    due = stated.entitlement.places["320000"]
    others = stated.entitlement.places.drop("440000").sum()
    assert f"江苏取整所依据的理论名额为{due * (1039 - 60) / others:.2f}家。" in described
    equal = za.allocate(PANEL, scenario(tmp_path, text.replace("proportion", "equal")))
    assert equal.quota["320000"] < stated.quota["320000"]


@pytest.mark.parametrize(("text", "said"), [
    ("total = 60\n[base]\ndefault = 2\n", "[base] 的基数合计 74 大于名额总量 60；请减少基数或增加总量"),
    ('[base]\ndefault = 2\n[cap]\n"西藏" = 1\n',
     "情景 own：西藏的基数 2 大于上限 1；请为该单位另写较小的基数，或放宽上限"),
    ('[base]\n"省会" = 2\n', "own.toml [base]：没有名为“省会”的单位；可用：省份、计划单列市、北京、天津"),
    ('redistribution = "half"\n', "redistribution"),
])  # fmt: skip
def test_what_cannot_be_is_said(tmp_path, text, said):
    with pytest.raises(za.ScenarioError) as error:
        za.allocate(PANEL, scenario(tmp_path, text))
    assert said in str(error.value)


def test_what_is_uncertain_is_the_part_beyond_the_base(based):
    ranges = za.weight_range(PANEL, based.scenario).table
    assert ranges["quota"].between(ranges["quota_min"], ranges["quota_max"]).all()
    assert (ranges["quota_lower"] >= based.entitlement.base).all()
    sweep = za.sweep(PANEL, based.scenario, draws=4)
    assert za.allocate(*sweep.at(3)).quota.tolist() == sweep.quotas[3].tolist()


@pytest.mark.thorough
def test_robust_quotas_keep_the_base(based):
    quota = za.robust(PANEL, based.scenario, draws=4).quota
    assert quota.sum().eq(1039).all()
    assert quota.ge(based.entitlement.base, axis=0).all(axis=None)


@pytest.mark.thorough
def test_a_base_comes_back_from_a_workbook(based, tmp_path):
    file = write_programme(tmp_path / "三批.xlsx", based.scenario)
    assert rows_of(based.scenario, {})["units"][0] == {"code": "default", "base": 2, "floor": 1}
    read = za.load_programme(file)
    assert read.batches[0].scenario.base == based.scenario.base
