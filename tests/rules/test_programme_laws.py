"""From a scenario to a workbook and back, and from a workbook to TOML and back, nothing is lost."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings, strategies as st
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.base.units import load_units
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.documents.programme_workbook import write_programme
from zjtx_alloc.rules.programme.values import setting_of, setting_text

INDICATORS = {
    "sme_count": "2023-12",
    "little_giants": "2021-06",
    "first_round_continued_r1_sum": "2024-04",
    "gdp": "2024",
}
CODES = list(load_units().index)
REGIONS = ("东部", "中部", "西部", "东北")
texts = st.text("甲乙“”，。=+-'\"\\.#[]{}ab 12%\n", min_size=1, max_size=12).filter(lambda t: t.strip() == t)
names = st.text("甲乙丙.\"'=ab1 ", min_size=1, max_size=6).filter(lambda t: t.strip() == t and "、" not in t)
twentieths = st.integers(1, 20).map(lambda n: n / 20)
coefficients = st.integers(50, 200).map(lambda n: n / 100)


@st.composite
def weights(draw, codes):
    """Weights that sum to one."""
    cuts = [0, *sorted(draw(st.sets(st.integers(1, 99), min_size=len(codes) - 1, max_size=len(codes) - 1))), 100]
    return {code: (b - a) / 100 for code, a, b in zip(codes, cuts, cuts[1:], strict=False)}


@st.composite
def factors(draw):
    codes = draw(st.permutations(list(INDICATORS)).flatmap(lambda p: st.integers(2, 4).map(lambda n: p[:n])))
    shares = draw(weights(codes))
    return {
        code: {"period": INDICATORS[code], "weight": share} | draw(st.sampled_from([{}, {"stand_in_for": "sme_count"}, {"multiplier": "m"}]))
        for code, share in shares.items()
    }  # fmt: skip


def around(number, wide):
    return {"min": max(round(number - wide, 4), 0.0), "max": min(round(number + wide, 4), 1.0)}


def places(most=40):
    return st.dictionaries(st.sampled_from([*CODES, "default"]), st.integers(0, most), max_size=5)


@st.composite
def scenarios(draw):
    """Scenarios with anything that a file can say, but for what only solving it would show."""
    own = draw(factors())
    tables = {"title": draw(texts), "batch": draw(st.integers(1, 3)), "total": draw(st.integers(1, 10**6))}
    is_pooled = draw(st.booleans())
    tables |= (
        {"pools": {"基本": {"share": 0.75, "factors": own}, "奖.励": {"share": 0.25, "factors": draw(factors())}}}
        if is_pooled
        else {"factors": own}
    )
    groups = {
        name: {"region": draw(st.sampled_from(REGIONS)), "floor": 1} | draw(st.sampled_from([{}, {"cap": 500}]))
        for name in draw(st.sets(names, max_size=2))
    }
    rules = {
        name + "则": draw(
            st.sampled_from([
                {"units": ["320000", "110000"], "min": 3.0}, {"region": "西部", "max": 20.5, "min_share": 0.1},
                {"coefficients": {"320000": 2.0, "330000": -1.5}, "max": -2.0}, {"units": ["650000"], "max_share": 0.25},
            ])
        )
        for name in draw(st.sets(names, max_size=2))
    }  # fmt: skip
    doubt = draw(st.sampled_from([{}, {"facts": {"published": 0.02, "estimated": 0.2}}, {"concentration": 40.0}]))
    if not is_pooled and "concentration" not in doubt and draw(st.booleans()):
        doubt = doubt | {"weights": {code: around(factor["weight"], 0.05) for code, factor in own.items()}}
    if draw(st.booleans()):
        tables["region_coefficient"] = {region: draw(coefficients) for region in REGIONS}
        west = tables["region_coefficient"]["西部"]
        doubt = doubt | {"region_coefficient": {"西部": {"min": west / 2, "max": west}}}
    if draw(st.booleans()):
        doubt = doubt | {"total": {"min": 1, "max": 10**6}}
    if draw(st.booleans()):
        tables |= {"grade": {"default": "优", "110000": "1"}, "grade_coefficient": {"优": 1.2, "1": draw(coefficients)}}
    if draw(st.booleans()):
        tables["change"] = {"previous": "2024-baseline", "max_relative": draw(twentieths)}
    return tables | {
        "criterion": draw(st.sampled_from(["webster", "hamilton", "leximin-relative"])),
        "total_status": draw(st.sampled_from(["official", "announced", "assumed"])),
        "floor": draw(places()), "cap": draw(places(10**6)), "groups": groups, "rules": rules, "uncertainty": doubt,
        "fixed": draw(st.dictionaries(st.sampled_from(CODES), st.builds(dict, quota=st.just(1), reason=texts), max_size=2)),
        "approval": {"rate": draw(st.sampled_from(["1.00", "1", "0.9", "0.950", "0", "0.123456789012"])), "unused": draw(st.sampled_from(["lapse", "unit", "pool"]))},
        "multipliers": {"m": {"default": draw(coefficients), "320000": 2.0}},
        "certified": draw(st.sampled_from([{}, {"default": 3}])), "allow_estimates": draw(st.booleans()),
        "assumptions": draw(st.dictionaries(names, texts, max_size=3)),
    }  # fmt: skip


def is_sound(tables):
    """Whether the bounds do not clash on sight: that is refused with its cell."""
    floor, cap = tables["floor"], tables["cap"]
    fixed = {c: one["quota"] for c, one in tables["fixed"].items()}
    bounds = {
        c: (floor.get(c, floor.get("default", 0)), cap.get(c, cap.get("default", 10**6))) for c in [*CODES, "default"]
    }
    least = sum(fixed.get(c, bounds[c][0]) for c in CODES)
    most = sum(fixed.get(c, bounds[c][1]) for c in CODES)
    return (
        least <= tables["total"] <= most
        and all(low <= high for low, high in bounds.values())
        and max(floor.values(), default=0) <= tables["total"]
    )


@pytest.mark.thorough
@settings(examples(16), phases=[Phase.generate])  # a workbook takes half a second: what fails is not made smaller
@given(scenarios().filter(is_sound))
def test_a_scenario_written_and_read_is_the_same(tmp_path_factory, tables):
    folder = tmp_path_factory.mktemp("law")
    scenario = za.Scenario.model_validate({"name": "某批"} | tables)
    write_programme(folder / "x.xlsx", scenario)
    (batch,) = za.load_programme(folder / "x.xlsx").batches
    assert batch.scenario.model_dump(exclude={"name"}) == scenario.model_dump(exclude={"name"})
    with pytest.raises(SystemExit, match="0"):
        main(["convert", str(folder / "x.xlsx"), str(folder / "某批.toml")])
    again = za.load_scenario(folder / "某批.toml")
    assert again.model_dump() == scenario.model_dump()


values = st.recursive(
    st.one_of(texts, st.booleans(), st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False), st.dates().map(str)),
    lambda inner: st.lists(inner, max_size=3), max_leaves=6,
)  # fmt: skip


@examples(400)
@given(values)
def test_a_setting_is_read_as_it_was_written(value):
    cell = setting_text(value)
    assert isinstance(cell, str | int | float)
    assert setting_of(cell) == value
    assert type(setting_of(cell)) is type(value)


def test_texts_that_are_no_toml_stand_plain_and_others_do_not():
    assert setting_text("下限为假设") == "下限为假设"
    assert setting_text("0.05") == '"0.05"'
    assert setting_text(True) == "true"
    assert tomllib.loads(f"v = {setting_text(['甲', '乙'])}") == {"v": ["甲", "乙"]}


@pytest.mark.thorough
def test_composites_and_a_previous_batch_of_the_workbook_are_kept(tmp_path):
    """The documented example with its companions, one of which is what the second batch may not move far from."""
    first = za.load_scenario(Path(za.__file__).parents[1] / "docs" / "composite.toml")
    lines = 'extends = "2025-baseline"\nbudget_with = ["2024-baseline"]\n[change]\nprevious = "2024-baseline"\nmax_relative = 0.1\n'
    (tmp_path / "第二批.toml").write_text(lines, encoding="utf-8")
    second = za.load_scenario(tmp_path / "第二批.toml")
    for number, scenario in enumerate((first, second)):
        path = write_programme(tmp_path / f"{number}.xlsx", scenario)
        batches = {batch.number: batch.scenario for batch in za.load_programme(path).batches}
        back, kept = batches[scenario.batch], {"name", "budget_with", "change"}
        assert back.model_dump(exclude=kept) == scenario.model_dump(exclude=kept)
    assert (back.change.previous, back.budget_with) == ("1-第1批.toml", ["1-第1批.toml"])
    own, theirs = (za.allocate(za.load_panel(), one).quota for one in (back, second))
    assert own.equals(theirs)
