"""Broken inputs through the real command: one clear Chinese message, no trace, nothing written, in bounded memory."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from support.broken_files import broken_files
from support.broken_inputs import Broken
from support.broken_options import broken_options
from support.broken_tables import broken_tables
from support.odd_tables import odd_bad_tables
from support.wrong_tables import bad_tables, no_tables

from zjtx_alloc.base import toml_files
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import seen
from zjtx_alloc.cli.main import main

pytestmark = pytest.mark.thorough

TRUST = (Path(__file__).parents[2] / "docs" / "trust.md").read_text(encoding="utf-8")
_LONGEST = 20_000  # characters of a message: 200 problems of a table
_MOST_MEMORY = 400  # MB that all of them may add to this process; one alone took gigabytes before
_MADE = [*broken_tables(), *broken_files(), *broken_options()]
# The corpora of ``test_tables``, which tell what the loader says, here through the command.
_KNOWN = [
    *(
        Broken("table", f"{bad.name.replace('/', ' ')}.{bad.ending}", bad.content, say(f"wrong.{bad.problems[0][3]}", **bad.details.get(bad.problems[0][3], {})))
        for bad in (*bad_tables(), *odd_bad_tables())
    ),
    *(Broken("table", name, content, said) for name, (content, said) in no_tables().items()),
]  # fmt: skip
CASES = {f"{broken.kind}: {broken.name}": broken for broken in (*_MADE, *_KNOWN)}
# Bombs take a second to make, and the tables of ``test_tables`` are told by their loader in the quick tests.
PLACED = [
    pytest.param(case, marks=pytest.mark.slow)
    if broken in _KNOWN or "bomb in the s" in case or "bomb.xlsx" in case
    else case
    for case, broken in CASES.items()
]
OUTSIDE = ["table: a bomb in the strings.xlsx", "table: laughs in the sheet.xlsx", "table: a pipe.xlsx", "table: a device.csv", "firms: a bomb.xlsx", "scenario: deep arrays.toml", "scenario: a device.toml", "run: a deep run", "option: confidence 1e999999999"]  # fmt: skip


def test_the_corpus_is_large_enough():
    assert len(CASES) == len(_MADE) + len(_KNOWN)
    assert f"{len(_MADE)} broken inputs" in TRUST
    assert f"{len(_KNOWN)} wrong tables" in TRUST
    assert {broken.kind for broken in _MADE} == {"table", "facts", "scenario", "outcomes", "actuals", "firms", "policy", "run", "option"}  # fmt: skip


def check_told(broken, code, out, err, folder):
    """One message that says the cause, in Chinese, and nothing else anywhere."""
    assert (code, out) == (broken.code, ""), err
    assert broken.said in err
    assert err.startswith(("错误：", "用法错误："))
    assert re.search("[\u4e00-\u9fff]", err)
    assert "Traceback" not in err
    assert seen(err) == err
    assert len(err) < _LONGEST
    assert [str(path) for path in folder.rglob("*")] == []


@pytest.mark.parametrize("case", PLACED)
def test_a_broken_input_is_told_and_leaves_nothing(case, tmp_path, monkeypatch, capsys):
    broken = CASES[case]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path, out = placed(broken, tmp_path, monkeypatch)
    with pytest.raises(SystemExit) as stop:
        main(broken.call(path, out))
    told = capsys.readouterr()
    check_told(broken, stop.value.code, told.out, told.err, out)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < _MOST_MEMORY * 1024


def placed(broken, tmp_path, monkeypatch):
    """The input, in the folder that the command runs in, and an empty folder for what it writes."""
    given, out = tmp_path / "given", tmp_path / "out"
    given.mkdir()
    out.mkdir()
    monkeypatch.chdir(given)
    path = broken.put(given)
    if broken.kind == "policy":
        path = path.rename(given / "trial.toml")
        shipped = toml_files.shipped
        monkeypatch.setattr(toml_files, "shipped", lambda *parts: given.joinpath(*parts[2:]) if parts[1] == "policy" else shipped(*parts))  # fmt: skip
    return path, out


def bounded():
    """At most 2 GB of memory and 60 seconds of work."""
    resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))


@pytest.mark.slow
@pytest.mark.parametrize("case", OUTSIDE)
def test_what_would_swell_or_wait_ends_within_its_bounds(case, tmp_path, monkeypatch):
    broken = CASES[case]
    path, out = placed(broken, tmp_path, monkeypatch)
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "zjtx_alloc", *broken.call(path, out)],
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=120, preexec_fn=bounded,
    )  # fmt: skip
    check_told(broken, done.returncode, done.stdout, done.stderr, out)
