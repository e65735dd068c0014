"""The batches of a programme as scenario files that refer to each other."""

from pathlib import Path

from zjtx_alloc.base.files import check_absent
from zjtx_alloc.base.messages import say
from zjtx_alloc.rules.programme.programme import Programme
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import referring, save_scenario


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
    names = {name: path.name for name, path in files.items()}
    return [
        save_scenario(referring(scenario, lambda reference: names.get(reference, reference)), files[name])
        for name, scenario in reached.items()
    ]
