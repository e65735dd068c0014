"""What the README shows runs as it stands there."""

import re
from pathlib import Path

import zjtx_alloc as za

README = (Path(za.__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def block(language):
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    return found


def test_the_first_lines_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "README.md", "exec"), {})
    assert "311700" in capsys.readouterr().out
    assert (tmp_path / "reports" / "2024-baseline" / "allocation.html").is_file()


def test_the_scenario_of_the_readme_solves(panel, write_scenario):
    allocation = za.allocate(panel, za.load_scenario(write_scenario(block("toml"))))
    quota, names = allocation.quota, panel.units["short_name"]
    assert quota.sum() == 1039
    assert quota[names == "西藏"].item() == 2
    assert quota[names == "广东"].item() <= 75
    assert quota[panel.units["region"] == "西部"].sum() >= 200
    assert quota[list(allocation.scenario.rules["长江经济带"].codes())].sum() >= 0.55 * 1039
