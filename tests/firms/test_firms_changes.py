"""Changes of plans (调整): what may rise and what may not fall."""

import pytest
from support.firm_tables import INVESTMENT, credit_code, firms

import zjtx_alloc as za
from zjtx_alloc.firms.steps.changes import targets

# Changes of plans


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({INVESTMENT: 2999}, "调整后投资额低于原计划"),
        ({"开发新产品绩效目标": "新增发明专利4件"}, "绩效目标降低"),
        ({"开发新产品绩效目标": "新产品2个"}, "绩效目标取消"),
        ({"开发新产品绩效目标": "2025年新增发明专利5件"}, "绩效目标无法逐项比较，须人工核对"),
        ({"推进计划方向": "打造新动能", "打造新动能绩效目标": "新增研发人员3人"}, "调整后不再覆盖此方面"),
        ({"统一社会信用代码": credit_code(7)}, "调整后的表中没有此企业"),
    ],
)
def test_a_change_may_lower_nothing(change, said):
    assert said in za.check_change(firms({}), firms(change))["问题"].tolist()


@pytest.mark.parametrize(
    "change",
    [{}, {INVESTMENT: 3000.5}, {"开发新产品绩效目标": "新增发明专利不少于6件；新产品2个"},
     {"推进计划方向": "打造新动能、开发新产品", "打造新动能绩效目标": "新增研发人员3人"}],
)  # fmt: skip
def test_a_change_may_raise_everything(change):
    assert za.check_change(firms({}), firms(change)).empty


@pytest.mark.parametrize(
    "target",
    ["不良率不大于{}%", "不良率不多于{}%", "不良率小于{}%", "不良率至多{}%", "不良率≦{}%", "不良率＜{}%", "不良率{}%以内",
     "不良率控制在{}%以下", "能耗降至{}吨", "能耗降低至{}吨", "周期缩短到{}天", "用工减少到{}人"],
)  # fmt: skip
def test_a_ceiling_is_known_by_its_words(target):
    before, lower, higher = (firms({"开发新产品绩效目标": target.format(n)}) for n in (5, 4, 6))
    assert za.check_change(before, lower).empty
    assert za.check_change(before, higher)["问题"].tolist() == ["绩效目标降低"]


@pytest.mark.parametrize("target", ["专利不小于{}件", "专利不少于{}件", "产值≧{}亿元", "成本降低{}%", "人员增至{}人"])
def test_a_floor_is_known_by_its_words(target):
    before, lower, higher = (firms({"开发新产品绩效目标": target.format(n)}) for n in (5, 4, 6))
    assert za.check_change(before, higher).empty
    assert za.check_change(before, lower)["问题"].tolist() == ["绩效目标降低"]


def test_a_ceiling_may_fall_but_not_rise():
    before = firms({"开发新产品绩效目标": "单位产品能耗≤0.3吨标煤"})
    lower, higher = (firms({"开发新产品绩效目标": f"单位产品能耗≤{n}吨标煤"}) for n in (0.2, 0.4))
    assert za.check_change(before, lower).empty
    assert za.check_change(before, higher)["问题"].tolist() == ["绩效目标降低"]
    assert targets("提高水平") is None
