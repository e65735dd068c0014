"""Scenario files: inheritance by key, strict checks, and errors that say file, key, value and remedy."""

import pytest

import zjtx_alloc as za

SHIPPED = ("2024-baseline", "2025-baseline", "2026-baseline")
STAND_INS = "2024-old-stand-ins"
VINTAGES = dict(zip(SHIPPED, (("2023-12", "2024-06"), ("2024-12", "2024-12"), ("2024-12", "2025-12")), strict=True))
HEAD = 'extends = "2024-baseline"\n'
POOLS = """
[pools.task]
share = 0.8
[pools.task.factors.little_giants]
period = "2021-06"
weight = 1.0
[pools.reward]
share = 0.2
[pools.reward.factors.first_round_continued_r1_sum]
period = "2024-04"
weight = 1.0
"""
GRADED_POOLS = POOLS.replace("share = 0.2", 'share = 0.2\ncoefficients = ["grade_coefficient"]')


def message_of(path):
    with pytest.raises(za.ScenarioError) as caught:
        za.load_scenario(path)
    return str(caught.value)


def test_the_shipped_scenarios_are_the_three_batches_and_the_first_on_its_former_stand_ins():
    assert za.scenario_names() == (SHIPPED[0], STAND_INS, *SHIPPED[1:])
    loaded = [za.load_scenario(name) for name in SHIPPED]
    assert [(s.name, s.batch, s.total) for s in loaded] == [
        ("2024-baseline", 1, 1039),
        ("2025-baseline", 2, 1241),
        ("2026-baseline", 3, 1241),
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_names_its_companions_and_says_its_assumptions(name):
    scenario = za.load_scenario(name)
    assert set(scenario.budget_with) == set(SHIPPED) - {name}
    assert {"weights", "region_coefficient", "floor", "total", "approval"} <= set(scenario.assumptions)
    assert "假设" in scenario.assumptions["weights"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_has_the_factors_that_were_agreed(name):
    scenario = za.load_scenario(name)
    assert {code: (f.period, f.weight, f.stand_in_for) for code, f in scenario.factors.items()} == {
        "sme_count": (VINTAGES[name][0], 0.4, None),
        "little_giants": (VINTAGES[name][1], 0.4, None),
        "first_round_continued_r1_sum": ("2024-04", 0.2, "performance"),
    }
    assert scenario.region_coefficient == {"东部": 1.0, "中部": 1.05, "西部": 1.1, "东北": 1.1}
    assert scenario.floor == {"default": 1}
    assert scenario.approval.exact == 1


def test_the_former_stand_ins_change_nothing_but_the_factors(baseline, stand_ins):
    assert {code: (f.period, f.weight, f.stand_in_for) for code, f in stand_ins.factors.items()} == {
        "rd_active_firms": ("2020", 0.4, "sme_count"),
        "little_giants": ("2021-06", 0.4, "little_giants"),
        "first_round_continued_r1_sum": ("2024-04", 0.2, "performance"),
    }
    changed = {"name", "title", "factors", "uncertainty", "assumptions"}
    assert stand_ins.model_dump(exclude=changed) == baseline.model_dump(exclude=changed)
    assert stand_ins.uncertainty.facts == baseline.uncertainty.facts


def test_extends_merges_by_key(write_scenario, baseline):
    child = za.load_scenario(
        write_scenario(
            HEAD + "total = 1000\n[factors.sme_count]\nweight = 0.3\n[factors.little_giants]\nweight = 0.5\n"
        )
    )
    assert (child.name, child.total, child.batch) == ("trial", 1000, baseline.batch)
    assert {c: f.weight for c, f in child.factors.items()} == {
        "sme_count": 0.3,
        "little_giants": 0.5,
        "first_round_continued_r1_sum": 0.2,
    }
    assert child.factors["first_round_continued_r1_sum"].stand_in_for == "performance"
    # A new total rests on nothing that the old one rested on.
    own = {k: v for k, v in child.assumptions.items() if not k.startswith("uncertainty.")}
    assert own == {k: v for k, v in baseline.assumptions.items() if k != "total"}
    assert (baseline.total_status, child.total_status) == ("announced", "assumed")


def test_a_new_total_is_assumed_also_where_nothing_is_said_of_the_old_one(write_scenario):
    write_scenario(HEAD + 'drop = ["assumptions"]\ntotal = 900\ntotal_status = "official"\n', "first.toml")
    child = za.load_scenario(write_scenario('extends = "first.toml"\ntotal = 500\n', "second.toml"))
    assert (child.total, child.total_status) == (500, "assumed")


def test_a_unit_is_one_key_however_it_is_spelt(write_scenario):
    write_scenario(HEAD + '[cap]\n"江苏" = 90\n"广东" = 80\n', "first.toml")
    write_scenario('extends = "first.toml"\n[cap]\n"江苏省" = 91\n', "second.toml")
    third = za.load_scenario(write_scenario('extends = "second.toml"\n[cap]\n320000 = 92\n', "third.toml"))
    assert third.cap == {"320000": 92, "440000": 80}


@pytest.mark.parametrize(
    ("table", "read"),
    [
        ('[groups.g]\nunits = ["江苏", "上海市", "110000"]\nfloor = 3', lambda s: s.groups["g"].codes()),
        ('[rules.r]\nunits = ["江苏", "上海市", "110000"]\nmin = 3', lambda s: s.rules["r"].codes()),
        ("[rules.r]\nmin = 3\n[rules.r.coefficients]\n上海 = 1\n江苏省 = 1\n110000 = 1", lambda s: s.rules["r"].coefficients),
        ("[multipliers.m]\ndefault = 1\n上海 = 2\n江苏省 = 2\n110000 = 2", lambda s: s.multipliers["m"]),
        ('[grade]\ndefault = "A"\n上海 = "A"\n江苏省 = "A"\n110000 = "A"\n[grade_coefficient]\nA = 1', lambda s: s.grade),
        ('[fixed.上海]\nquota = 1\nreason = "r"\n[fixed.江苏省]\nquota = 1\nreason = "r"\n[fixed.110000]\nquota = 1\nreason = "r"', lambda s: s.fixed),
        ("[floor]\n上海 = 1\n江苏省 = 1\n110000 = 1", lambda s: s.floor),
    ],
)  # fmt: skip
def test_units_become_codes_wherever_they_stand(write_scenario, table, read):
    for name in ("上海", "江苏省"):  # TOML wants quotes around Chinese keys
        table = table.replace(f"\n{name} =", f'\n"{name}" =').replace(f".{name}]", f'."{name}"]')
    assert set(read(za.load_scenario(write_scenario(HEAD + table + "\n")))) - {"default"} == {
        "110000", "310000", "320000",
    }  # fmt: skip


def test_a_region_group_has_the_units_of_its_region(write_scenario):
    scenario = za.load_scenario(write_scenario(HEAD + '[groups."东北"]\nregion = "东北"\nfloor = 20\n'))
    assert scenario.groups["东北"].codes() == ("210000", "210200", "220000", "230000")


@pytest.mark.parametrize(
    ("drop", "left"),
    [
        ("rules.a", {"cap": {"320000": 90}, "rules": {"长江.经济带"}}),
        ('rules.\\"长江.经济带\\"', {"cap": {"320000": 90}, "rules": {"a"}}),
        ("cap.江苏省", {"cap": {}, "rules": {"a", "长江.经济带"}}),
        ("cap", {"cap": {}, "rules": {"a", "长江.经济带"}}),
    ],
)
def test_drop_removes_what_was_inherited(write_scenario, drop, left):
    write_scenario(
        HEAD + '[cap]\n"江苏" = 90\n[rules.a]\nregion = "西部"\nmin = 5\n'
        '[rules."长江.经济带"]\nunits = ["上海"]\nmin = 5\n',
        "base.toml",
    )
    child = za.load_scenario(write_scenario(f'extends = "base.toml"\ndrop = ["{drop}"]\n'))
    assert {"cap": child.cap, "rules": set(child.rules)} == left


def test_drop_makes_room_for_another_kind(write_scenario):
    scenario = za.load_scenario(
        write_scenario(
            HEAD + 'drop = ["factors"]\n' + GRADED_POOLS + '[grade]\ndefault = "A"\n[grade_coefficient]\nA = 1.0\n'
        )
    )
    assert {name: pool.share for name, pool in scenario.all_pools().items()} == {"task": 0.8, "reward": 0.2}


@pytest.mark.parametrize("drop", ["rules.x", "rule", "total.x", "title.x", "budget_with.2025-baseline", "", "."])
def test_dropping_what_is_not_there_is_an_error(write_scenario, drop):
    message = message_of(write_scenario(HEAD + f'drop = ["{drop}"]\n'))
    assert "trial.toml 的 drop" in message
    assert f"“{drop}”" in message


def test_drop_that_is_no_list_is_an_error(write_scenario):
    message = message_of(write_scenario(HEAD + 'drop = "rules"\n'))
    assert "trial.toml，drop = rules：应为文字列表" in message


def test_files_that_extend_each_other_are_an_error(write_scenario):
    write_scenario('extends = "b.toml"\n', "a.toml")
    assert "b.toml 的 extends 首尾相接" in message_of(write_scenario('extends = "a.toml"\n', "b.toml"))


# What the file says after the baseline, and what the message must hold: key, value, what is allowed.
WRONG = {
    "unknown key": ("totl = 3", ["totl = 3", "没有这一项", "可用：", "total"]),
    "a name of its own": ('name = "other"', ["name = other", "没有这一项"]),
    "unknown key of a factor": ("[factors.little_giants]\nwieght = 0.4", ["factors.little_giants.wieght = 0.4", "weight"]),
    "unknown key of a group": ('[groups.g]\nregion = "西部"\nmin = 4', ["groups.g.min = 4", "没有这一项", "floor"]),
    "text for a number": ('total = "1039"', ["total = 1039", "应为整数"]),
    "fraction for places": ("[floor]\ndefault = 1.5", ["floor.default = 1.5", "应为整数"]),
    "negative places": ('[cap]\n"江苏" = -1', ["cap.江苏 = -1", "不小于 0"]),
    "number for text": ("[factors.little_giants]\nperiod = 2021", ["factors.little_giants.period = 2021", "应为文字"]),
    "one for true": ("allow_estimates = 1", ["allow_estimates = 1", "true 或 false"]),
    "value for a table": ("cap = 3", ["cap = 3", "应为表"]),
    "weight above one": ("[factors.little_giants]\nweight = 1.4", ["factors.little_giants.weight = 1.4", "不大于 1"]),
    "not a number": ("[factors.little_giants]\nweight = nan", ["factors.little_giants.weight = nan", "有限的数"]),
    "unknown unit": ('[cap]\n"火星" = 3', ["[cap]", "“火星”", "可用：北京、天津", "兵团"]),
    "unknown unit of a group": ('[groups.g]\nunits = ["江苏", "火星"]\nfloor = 3', ["[groups.g]", "“火星”", "可用：北京"]),
    "unknown unit of a rule": ('[rules.r]\nmin = 3\n[rules.r.coefficients]\n"火星" = 1', ["[rules.r]", "“火星”"]),
    "unit twice": ('[cap]\n"江苏" = 3\n320000 = 4', ["[cap]", "“320000”出现两次"]),
    "unit twice in a group": ('[groups.g]\nunits = ["江苏", "江苏省"]\nfloor = 3', ["[groups.g]", "“江苏省”出现两次"]),
    "unknown region": ('[groups.g]\nregion = "南部"\nfloor = 3', ["groups.g.region = 南部", "东部", "东北"]),
    "region and units": ('[groups.g]\nregion = "西部"\nunits = ["江苏"]', ["groups.g", "region 或 units 之一"]),
    "rule without bounds": ('[rules.r]\nunits = ["江苏"]', ["rules.r", "min、max、min_share、max_share"]),
    "region without a coefficient": ('drop = ["region_coefficient.东部"]', ["[region_coefficient] 缺少：东部"]),
    "unknown criterion": ('criterion = "l1"', ["criterion = l1", "webster"]),
    "weights": ("[factors.little_giants]\nweight = 0.3", ["因素权重（weight", "应为1", "现为 0.9"]),
    "weights of a pool": ('drop = ["factors"]' + POOLS.replace("weight = 1.0", "weight = 0.75", 1), ["池 task", "应为1", "现为 0.75"]),
    "shares of pools": ('drop = ["factors"]' + POOLS.replace("0.2", "0.1"), ["占比（share）", "应为1", "现为 0.9"]),
    "factors beside pools": (POOLS, ["[factors] 与 [pools] 须有且只有一个"]),
    "neither factors nor pools": ('drop = ["factors"]', ["[factors] 与 [pools] 须有且只有一个"]),
    "decision without reason": ('[fixed."西藏"]\nquota = 2', ["fixed.西藏.reason", "缺少此项"]),
    "decision with a blank reason": ('[fixed."西藏"]\nquota = 2\nreason = " "', ["fixed.西藏", "理由（reason），不能为空"]),
    "rate above one": ('[approval]\nrate = "1.2"', ["approval.rate = 1.2", "0到1之间"]),
    "rate in percent": ('[approval]\nrate = "95%"', ["approval.rate = 95%", "0到1之间"]),
    "rate as a number": ("[approval]\nrate = 0.95", ["approval.rate = 0.95", "应为文字（加引号）"]),
    "multiplier without a table": ('[factors.little_giants]\nmultiplier = "m"', ["little_giants", "“m”", "[multipliers.m]"]),
    "multiplier of zero": ("[multipliers.m]\ndefault = 0.0", ["multipliers.m.default = 0.0", "应大于 0"]),
    "multiplier without all units": ('[multipliers.m]\n"江苏" = 2.0', ["[multipliers.m] 缺少单位：北京、天津", "default"]),
    "grade without a coefficient": ('[grade]\ndefault = "A"\n[grade_coefficient]\nB = 1.0', ["等次“A”", "已有：B"]),
    "coefficients without grades": ("[grade_coefficient]\nB = 1.0", ["[grade] 缺少单位：北京"]),
    "pool coefficients without a table": ('drop = ["factors"]' + GRADED_POOLS, ["grade_coefficient"]),
    "extends a number": ("", ["extends = 3", "应为文字"]),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_told_by_file_key_value_and_what_is_allowed(write_scenario, case):
    text, parts = WRONG[case]
    message = message_of(write_scenario((HEAD + text if text else "extends = 3") + "\n"))
    assert [part for part in ["trial.toml", *parts] if part not in message] == [], message


def test_every_fault_of_a_file_is_told_at_once(write_scenario):
    message = message_of(write_scenario(HEAD + 'totl = 3\nbatch = 0\n[fixed."西藏"]\nquota = 2\n'))
    assert [part for part in ("totl = 3", "batch = 0", "fixed.西藏.reason") if part not in message] == []


def test_an_unknown_name_file_or_form_is_an_error(write_scenario, tmp_path):
    assert "“2023-baseline”的情景；可用：2024-baseline、" in message_of("2023-baseline")
    assert "absent.toml" in message_of(tmp_path / "absent.toml")
    assert "trial.toml 无法解析" in message_of(write_scenario("total = \n"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_survives_saving(name, tmp_path):
    scenario = za.load_scenario(name)
    again = za.load_scenario(za.save_scenario(scenario, tmp_path / f"{name}.toml"))
    assert again.model_dump() == scenario.model_dump()


def test_a_scenario_with_everything_survives_saving(write_scenario, tmp_path):
    text = (
        HEAD
        + 'drop = ["factors"]\nallow_estimates = false\n'
        + GRADED_POOLS
        + '[grade]\ndefault = "A"\n[grade_coefficient]\n'
        'A = 1.1\n[multipliers.m]\ndefault = 1.0\n"西藏" = 2.5\n[cap]\n"江苏" = 90\n[change]\nprevious = "2024-baseline"\n'
        'max_relative = 0.2\nraw = true\n[groups."西部"]\nregion = "西部"\nfloor = 200\n[rules.r]\nmin_share = 0.4\n'
        '[rules.r.coefficients]\n"上海" = 0.5\n[approval]\nrate = "0.950"\n[fixed."西藏"]\nquota = 2\nreason = "会商确定"\n'
    )
    scenario = za.load_scenario(write_scenario(text))
    (tmp_path / "saved").mkdir()
    again = za.load_scenario(za.save_scenario(scenario, tmp_path / "saved" / "trial.toml"))
    assert again.model_dump() == scenario.model_dump()
    assert again.approval.rate == "0.950"


# ---- files that name what the baselines called a factor before ----

OLD = "trial.toml：基准情景的“rd_active_firms”已改为“sme_count”"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[factors.rd_active_firms]\nweight = 0.3\n[factors.little_giants]\nweight = 0.5\n",
         "[factors.sme_count]\nweight = 0.3\n[factors.little_giants]\nweight = 0.5\n"),
        ('drop = ["factors.rd_active_firms", "uncertainty"]\n[factors.little_giants]\nweight = 0.8\n',
         'drop = ["factors.sme_count", "uncertainty"]\n[factors.little_giants]\nweight = 0.8\n'),
        ("[uncertainty.weights]\nrd_active_firms = { min = 0.3, max = 0.5 }\n",
         "[uncertainty.weights]\nsme_count = { min = 0.3, max = 0.5 }\n"),
    ],
)  # fmt: skip
def test_a_former_factor_is_read_as_the_new_one_with_a_warning(write_scenario, old, new):
    with pytest.warns(FutureWarning, match=OLD):
        former = za.load_scenario(write_scenario(HEAD + old))
    assert former == za.load_scenario(write_scenario(HEAD + new))


def test_a_former_factor_with_a_period_is_the_old_indicator_in_its_place(write_scenario, baseline):
    lines = '[factors.rd_active_firms]\nperiod = "2023"\nstand_in_for = "sme_count"\n'
    with pytest.warns(FutureWarning, match=OLD):
        found = za.load_scenario(write_scenario(HEAD + lines))
    assert list(found.factors) == ["rd_active_firms", *list(baseline.factors)[1:]]
    factor = found.factors["rd_active_firms"]
    assert (factor.period, factor.weight, factor.stand_in_for) == ("2023", 0.4, "sme_count")
    assert list(found.uncertainty.weights) == list(found.factors)


def test_a_stand_in_that_has_ended_already_is_a_warning(write_scenario, baseline):
    with pytest.warns(FutureWarning, match="基准情景已直接采用“sme_count”，end_stand_in 中的“sme_count”不再需要"):
        found = za.load_scenario(write_scenario(HEAD + 'end_stand_in = ["sme_count"]\n'))
    assert found.factors == baseline.factors


def test_a_file_of_its_own_factors_means_what_it_says(write_scenario):
    lines = 'drop = ["factors"]\n[factors.rd_active_firms]\nperiod = "2020"\nweight = 1.0\n'
    assert list(za.load_scenario(write_scenario(HEAD + lines)).factors) == ["rd_active_firms"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"factors": {"sme_count": 0.8, "little_giants": 0.7}}, "情景 2024-baseline：.*之和应为1，现为 1.5"),
        ({"total": -3}, "total"),
        ({"total": "1039"}, "total"),
        ({"cap": {"440000": 2.5}}, "cap.广东"),
        ({"criterion": "fair"}, "criterion"),
        ({"uncertainty": {"weights": {}}, "factors": None}, "factors"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_copy_that_no_file_could_hold_is_refused_before_anything_is_written(changed, told, panel, baseline, tmp_path):
    if isinstance(lines := changed.get("factors"), dict):
        changed = {
            "factors": {name: baseline.factors[name].model_copy(update={"weight": w}) for name, w in lines.items()}
        }
    copy = baseline.model_copy(update=changed)
    for refusing in (
        lambda: za.allocate(panel, copy),
        lambda: za.entitlement(panel, copy),
        lambda: za.quota_problem(panel, copy),
        lambda: za.save_scenario(copy, tmp_path / "copy.toml"),
        lambda: za.run(copy, out=tmp_path / "reports"),
        lambda: za.run_comparison([copy, "2025-baseline"], out=tmp_path / "reports"),
        lambda: za.run_budget(za.BudgetRequest([copy], ["central"]), out=tmp_path / "reports"),
        lambda: za.weight_range(panel, copy),
    ):
        with pytest.raises(za.ScenarioError, match=told):
            refusing()
    assert not any(tmp_path.iterdir())
