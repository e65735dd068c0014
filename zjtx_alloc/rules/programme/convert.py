"""The batches of a programme as scenario files that refer to each other."""

from pathlib import Path

from zjtx_alloc.base.files import check_absent
from zjtx_alloc.base.messages import say
from zjtx_alloc.rules.programme.programme import Programme
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import save_scenario


def save_batches(programme: Programme, path: Path, number: int | None = None) -> list[Path]:
    """Write the scenario of a batch (the current one if none is named) to ``path``, and those it refers to beside it.

    Raises
    ------
    ScenarioError
        If there is no such batch.
    ReportError
        If one of the files exists.
    """
    chosen = programme.batch(number)
    files = {
        f"{one.scenario.name}.toml": path
        if one is chosen
        else path.with_name(f"{say('programme.scenario_name', stem=path.stem, batch=one.number)}.toml")
        for one in programme.batches
    }
    scenarios = {f"{one.scenario.name}.toml": one.scenario for one in programme.batches}
    reached, waiting = dict[str, Scenario](), [f"{chosen.scenario.name}.toml"]
    while waiting:
        name = waiting.pop(0)
        if name in scenarios and name not in reached:
            reached[name] = scenarios[name]
            waiting += scenarios[name].references()
    for name in reached:
        check_absent(files[name])
    return [save_scenario(_renamed(scenario, files), files[name]) for name, scenario in reached.items()]


def _renamed(scenario: Scenario, files: dict[str, Path]) -> Scenario:
    """The scenario referring to the files as they are called now."""
    names = {name: path.name for name, path in files.items()}
    change = scenario.change
    if change is not None:
        change = change.model_copy(update={"previous": names.get(change.previous, change.previous)})
    together = [names.get(name, name) for name in scenario.budget_with]
    return scenario.model_copy(update={"budget_with": together, "change": change})
