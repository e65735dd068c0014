"""Nothing that lies in the working folder, or that starts with the user's own sessions, runs in a report or the explorer.

Each planted file leaves its name in the folder ``sprung`` when it is run or read.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import matplotlib as mpl
import pytest
from support.explorer_page import served

MARK = "zjtxmark"
# What starts a kernel, a server or a process of a sweep, and what these import; some are their configuration.
MODULES = (
    "ipykernel_launcher", "ipykernel", "pandas", "numpy", "zjtx_alloc", "runpy", "pickle", "socket", "multiprocessing", "tornado",
    "usercustomize", "sitecustomize", "ipython_config", "ipython_kernel_config", "jupyter_config", "jupyter_server_config",
)  # fmt: skip
ZJTX = (str(Path(sys.executable).with_name("zjtx")),)


def springs(path, sprung):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"from pathlib import Path\n(Path({str(sprung)!r}) / {path.name!r}).touch()\n", encoding="utf-8")


def template(folder):
    for name in ("index", "base", "page"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.html.j2").write_text(MARK, encoding="utf-8")


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A working folder and a home with a trap at every place that a kernel or a server may look at."""
    (sprung := tmp_path / "sprung").mkdir()
    work, home = tmp_path / "work", tmp_path / "home"
    for module in MODULES:
        springs(work / f"{module}.py", sprung)
    for file in ("profile_default/startup/startup.py", "profile_default/ipython_config.py"):
        springs(home / ".ipython" / file, sprung)
    for file in ("jupyter_config.py",):
        springs(home / ".jupyter" / file, sprung)
    springs(tmp_path / "pythonstartup.py", sprung)
    kernel = {"argv": [sys.executable, str(tmp_path / "kernel.py"), "{connection_file}"], "language": "python"}
    springs(tmp_path / "kernel.py", sprung)
    known = home / ".local" / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    known.parent.mkdir(parents=True)
    known.write_text(json.dumps(kernel | {"display_name": "x"}), encoding="utf-8")
    for name in ("basic", "base", "lab", "zjtx"):
        template(work / name)
    shutil.copytree(mpl.get_cachedir(), home / "matplotlib")  # the list of fonts takes seconds
    for folder in (work, home / "matplotlib"):
        (folder / "matplotlibrc").write_text(f"{MARK}: 1\n", encoding="utf-8")  # named on stderr where it is read
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MPLCONFIGDIR", str(home / "matplotlib"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "pythonstartup.py"))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "PYTHONSAFEPATH"):
        monkeypatch.delenv(name, raising=False)
    return work


def sprung(planted):
    return sorted(path.name for path in (planted.parent / "sprung").iterdir())


@pytest.mark.slow
def test_a_report_runs_and_reads_nothing_of_the_working_folder(planted):
    command = [*ZJTX, "compare", "2024-baseline", "mine.toml", "--out", "out"]
    (planted / "mine.toml").write_text('extends = "2024-baseline"\n[floor]\ndefault = 2\n', encoding="utf-8")
    done = subprocess.run(command, cwd=planted, capture_output=True, text=True, encoding="utf-8", check=False)
    assert sprung(planted) == []
    assert done.returncode == 0, done.stderr
    assert MARK not in (planted / "out" / "compare" / "compare.html").read_text(encoding="utf-8") + done.stderr


@pytest.mark.slow
def test_the_explorer_runs_and_reads_nothing_of_the_working_folder(planted):
    with served(planted, ZJTX) as address, urllib.request.urlopen(address, timeout=120) as answer:
        page = answer.read().decode()
    assert sprung(planted) == []
    assert "名额试算台" in page
    assert MARK not in page


@pytest.mark.slow
def test_processes_of_a_sweep_run_nothing_of_the_working_folder(planted):
    code = """
if __name__ == "__main__":
    from zjtx_alloc.uncertainty.workers import processes
    with processes() as pool:
        print(pool.submit(abs, -1).result())
"""
    (script := planted.parent / "script.py").write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=planted, capture_output=True, text=True, check=False)
    assert sprung(planted) == []
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert "PYTHONSAFEPATH" not in os.environ
