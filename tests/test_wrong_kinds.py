"""Every public function given another kind of object: its error says which it takes and which it got."""

import inspect
import typing

import pytest

import zjtx_alloc as za

FUNCTIONS = {
    f"{place.__name__}.{name}": one
    for place in (za, za.firms) for name in place.__all__ if inspect.isfunction(one := getattr(place, name))
}  # fmt: skip


class Stranger:
    """An object that no function takes."""


Stranger.__module__ = "zjtx_alloc.stranger"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_strange_object_in_the_place_of_any_argument_is_named(name):
    function = FUNCTIONS[name]
    kinds = {one: kind for one, kind in typing.get_type_hints(function).items() if one != "return"}
    for wrong, kind in kinds.items():
        several = inspect.signature(function).parameters[wrong].kind is inspect.Parameter.VAR_POSITIONAL
        if kind not in (object, typing.Any):
            with pytest.raises(
                za.ZjtxError, match=rf"{function.__name__} 的参数 {wrong} 须为 .+，现为 Stranger；请改正"
            ):
                function(*[Stranger()] * several, **({} if several else {wrong: Stranger()}))


def test_an_object_that_holds_what_is_taken_is_pointed_to(panel, baseline, allocation):
    with pytest.raises(
        za.ZjtxError,
        match=r"paradoxes 的参数 problem 须为 QuotaProblem，现为 Allocation；请改正（现有对象的 \.problem 即是）",
    ):
        za.paradoxes(allocation)
    with pytest.raises(
        za.ZjtxError, match=r"verify 的参数 quota 须为 Series，现为 Solution；请改正（现有对象的 \.quota 即是）"
    ):
        za.verify(allocation.problem, allocation.solution)
    with pytest.raises(TypeError, match="allocate 的参数 panel 须为 Panel，现为 Scenario"):
        za.allocate(baseline, panel)
    with pytest.raises(za.ZjtxError, match="plan 的参数 scenarios 须为 Scenario 或 Allocation，现为 Panel"):
        za.plan([baseline, panel])
    with pytest.raises(za.ZjtxError, match="cohorts 的参数 allocations 须为 Allocation，现为 Scenario"):
        za.cohorts(allocation, baseline)


def test_what_a_function_takes_is_left_alone(allocation):
    assert za.verify(problem=allocation.problem, quota=allocation.quota).kind == "exchange"
    assert inspect.signature(za.solve).parameters["engine"].default == "auto"
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        za.verify(allocation.problem)
