"""The whole command under faults: killed, no room, no font, no solver, a dead worker, another clock, two at once."""

import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from support.made_pages import BRIEF

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.quota.crossing import model
from zjtx_alloc.report.figures.style import style
from zjtx_alloc.report.runs import notebooks
from zjtx_alloc.report.runs.record_form import read_record
from zjtx_alloc.report.runs.records import altered
from zjtx_alloc.report.table import Table, allocation_csv
from zjtx_alloc.report.writers import fonts
from zjtx_alloc.report.writers.docx import docx_file
from zjtx_alloc.report.writers.html import font_face
from zjtx_alloc.report.writers.mark import marking
from zjtx_alloc.report.writers.pdf import _compiler, pdf_file
from zjtx_alloc.report.writers.user_sheet import write_results_into_copy
from zjtx_alloc.report.writers.xlsx import write_workbook
from zjtx_alloc.uncertainty import workers

pytestmark = pytest.mark.thorough

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
CROSSING = """
extends = "2024-baseline"
[rules.r]
units = ["江苏", "广东", "浙江"]
min_share = 0.3
[rules.s]
units = ["江苏", "四川", "安徽"]
max_share = 0.2
"""


def zjtx(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return stop.value.code, told.out, told.err


@contextlib.contextmanager
def mounted(folder, options):
    """A small disk of its own at a folder; None where this process may not mount one."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", str(folder)], check=True)


@posix
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, capsys):
    """A real disk of 40 kB with 4 left; where none may be mounted, a limit on the size of files."""
    (out := tmp_path / "disk").mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with mounted(out, "size=40k") as is_disk:
        (out / "full").write_bytes(b"x" * 36_864)
        if is_disk:
            with contextlib.suppress(OSError):
                (out / "fuller").write_bytes(b"x" * 8192)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            code, printed, told = zjtx(capsys, "allocate", "2024-baseline", "--out", out / "quotas.csv")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert (code, printed) == (1, "")
        assert "quotas.csv：磁盘空间不足或超出限额，请腾出空间；排除后重新运行即可" in told
        assert {path.name for path in out.iterdir()} <= {"full", "fuller"}
        for path in out.iterdir():
            path.unlink()
        assert zjtx(capsys, "allocate", "2024-baseline", "--out", out / "quotas.csv")[0] == 0


@posix
@pytest.mark.parametrize("command", [("allocate", "2024-baseline", "--out", "{out}/x.csv"), ("report", "2024-baseline", "--out", "{out}"),
                                     ("sweep", "2024-baseline", "--draws", "4", "--out", "{out}"), ("template", "{out}/x.xlsx"),
                                     ("budget", "2024-baseline", "--out", "{out}")])  # fmt: skip
def test_a_read_only_folder_is_told(command, tmp_path, capsys, monkeypatch):
    (out := tmp_path / "disk").mkdir()

    def refuse(*_arguments, **_options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(out))

    with mounted(out, "ro") as is_disk:
        if not is_disk:
            monkeypatch.setattr("tempfile.mkstemp", refuse)
            monkeypatch.setattr("pathlib.Path.mkdir", refuse)
        code, printed, told = zjtx(capsys, *(part.format(out=out) for part in command))
        assert (code, printed) == (1, "")
        assert "只读" in told
        assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    "draw", [style.__wrapped__, lambda: font_face("字"), lambda: pdf_file(None)], ids=["figure", "page", "document"]
)
def test_without_its_font_nothing_is_drawn(draw, monkeypatch, tmp_path):
    monkeypatch.setattr(fonts.fonts, "sans_path", lambda: tmp_path / "none.otf")
    monkeypatch.setattr("zjtx_alloc.report.writers.pdf._plain", lambda _: {})
    _compiler.cache_clear()  # one that an earlier test made has its fonts
    with pytest.raises(za.ReportError, match=r"缺少中文字体文件 none\.otf.*请重新安装：pip install"):
        draw()


def test_without_the_solver_crossing_rules_are_refused_and_the_rest_is_as_ever(
    write_scenario, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(model, "highspy", None)
    path, out = write_scenario(CROSSING), tmp_path / "out"
    code, printed, told = zjtx(capsys, "allocate", path, "--out", out / "x.csv")
    assert (code, printed) == (1, "")
    assert "highspy" in told
    assert not out.exists()
    assert zjtx(capsys, "allocate", "2024-baseline", "--out", out / "x.csv")[0] == 0


def set_clock(monkeypatch, now):
    known = time.localtime
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "localtime", lambda seconds=None: known(now if seconds is None else seconds))


def test_no_clock_changes_a_file(manuscript, allocation, tmp_path, monkeypatch):
    """2001 and 2099: the bytes of tables, workbook and documents are those of today."""
    table = Table("表", allocation.table()[["short_name"]].rename(columns={"short_name": "单位"}), {"单位": "text"})

    def written():
        book = write_workbook(tmp_path / "x.xlsx", [table], "试").read_bytes()
        return allocation_csv(allocation), book, docx_file(manuscript), pdf_file(manuscript)

    today = written()
    for now in (10.0**9, 4.1 * 10**9):
        set_clock(monkeypatch, now)
        assert written() == today


@pytest.mark.parametrize("now", [0.0, 5 * 10.0**9])
def test_a_clock_before_1980_or_after_2107_is_told(manuscript, now, monkeypatch, tmp_path):
    za.write_template(form := tmp_path / "x.xlsx")
    set_clock(monkeypatch, now)
    copy = tmp_path / "copy.xlsx"
    for write in (
        lambda: docx_file(manuscript),
        lambda: marking(form, copy).__enter__(),
    ):
        with pytest.raises(za.ReportError, match=r"本机时钟为(19[67]\d|2128)年.*1980—2107年.*请校正系统时间后重试"):
            write()
    assert not copy.exists()
    assert write_results_into_copy(form, copy, {}).is_file()  # whose parts keep their times


def dies(*_):
    """The work of a process that is killed, as where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


@posix
@pytest.mark.slow
def test_a_killed_worker_of_a_sweep_is_told(monkeypatch, write_scenario, panel, capsys):
    monkeypatch.setattr(workers, "solve_many", dies)
    code, printed, told = zjtx(capsys, "sweep", write_scenario(CROSSING), "--draws", "256")
    assert (code, printed) == (1, "")
    assert "一个计算进程被终止" in told


@posix
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["report", "sweep"])
def test_a_command_that_is_stopped_ends_soon_without_a_trace_or_temporary_files(
    stage, number, tmp_path, write_scenario
):
    """At work in kernels and in processes of a sweep; Ctrl+C goes to all processes of the terminal, SIGTERM to one."""
    work = {
        "report": ["2024-baseline", "--out", tmp_path / "out"],
        "sweep": [write_scenario(CROSSING), "--draws", "4096"],
    }
    (temporary := tmp_path / "tmp").mkdir()
    command = subprocess.Popen(
        [sys.executable, "-P", "-X", "utf8", "-m", "zjtx_alloc", stage, *map(str, work[stage])],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, env=os.environ | {"TMPDIR": str(temporary)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - a shell lets what it starts with & ignore it
    )  # fmt: skip
    children, until = [], time.monotonic() + 60
    while len(children) < 2 and time.monotonic() < until:
        children = [
            one for one in psutil.Process(command.pid).children() if "resource_tracker" not in " ".join(one.cmdline())
        ]
        time.sleep(0.05)
    time.sleep(0.5)
    (os.killpg if number == signal.SIGINT else os.kill)(command.pid, number)
    told = command.communicate(timeout=20)[1].decode()  # on a machine at rest some 2 s
    assert command.returncode == 1
    assert told.replace("\r", "\n").splitlines()[-1] == "已中止"
    assert "Traceback" not in told
    assert len(children) >= 2
    assert psutil.wait_procs(children, timeout=5)[1] == []
    assert list(temporary.iterdir()) == []
    assert not [path for path in tmp_path.glob("out/**/*") if path.is_file()]


@posix
@pytest.mark.parametrize("wait", [0.3, 0.6])
def test_a_command_that_is_stopped_as_it_starts_prints_nothing(wait):
    command = subprocess.Popen(
        [sys.executable, "-P", "-m", "zjtx_alloc", "scenarios"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        command.wait(wait)
    command.send_signal(signal.SIGINT)
    assert b"Traceback" not in command.communicate(timeout=20)[1]


@posix
@pytest.mark.slow
def test_a_killed_kernel_is_told_and_no_report_stands_there(monkeypatch, tmp_path):
    """The kernel of one page is killed by its own first cell; the folder stays as it was."""
    known = notebooks.shipped

    def deadly(*parts):
        if parts != ("notebooks", "quota.ipynb"):
            return known(*parts)
        notebook = nbformat.read(known(*parts), as_version=4)
        notebook.cells.insert(1, nbformat.v4.new_code_cell("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
        nbformat.write(notebook, tmp_path / "quota.ipynb")
        return tmp_path / "quota.ipynb"

    monkeypatch.setattr(notebooks, "shipped", deadly)
    with pytest.raises(za.ReportError, match=r"生成 quota.ipynb 的计算进程被终止"):
        za.run("2024-baseline", tmp_path / "out", pages=["quota"])
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def started(*arguments, **options):
    """A report (scenario, folder) in a process of its own."""
    code = f"import sys, zjtx_alloc as za\nza.run(*sys.argv[1:], pages={BRIEF})"
    return subprocess.Popen(
        [sys.executable, "-X", "utf8", "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def is_whole(folder):
    return read_record(folder) != {} and altered(folder) == {}


@posix
@pytest.mark.slow
def test_a_report_killed_midway_leaves_the_old_one_whole_no_process_and_repairs_itself(tmp_path):
    folder = za.run("2024-baseline", out=tmp_path / "out", pages=BRIEF).folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    killed = started("2024-baseline", tmp_path / "out")
    kernels, until = [], time.monotonic() + 60
    most = min(len(BRIEF), os.cpu_count())  # one a page, no more than one a core
    while len(kernels) < most and time.monotonic() < until and killed.poll() is None:
        kernels = psutil.Process(killed.pid).children(recursive=True)
        time.sleep(0.1)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert len(kernels) == most
    assert killed.returncode == -signal.SIGKILL
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert psutil.wait_procs(kernels, timeout=60)[1] == []  # kernels end when their parent is gone
    again = started("2024-baseline", tmp_path / "out")
    told = again.communicate(timeout=200)
    assert again.returncode == 0, told
    assert is_whole(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.slow
def test_two_reports_into_one_folder_leave_one_of_them_whole(write_scenario, tmp_path):
    """Two scenarios of one name with different totals, at the same time."""
    racers = []
    for total in (1000, 1100):
        (given := tmp_path / str(total)).mkdir()
        (given / "mine.toml").write_text(
            f'extends = "2024-baseline"\ntitle = "{total}"\ntotal = {total}\n', encoding="utf-8"
        )
        racers.append(started(given / "mine.toml", tmp_path / "out"))
    told = [racer.communicate(timeout=300) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], told
    folder = tmp_path / "out" / "mine"
    assert is_whole(folder)
    total = read_record(folder)["scenarios"]["mine"]["total"]
    assert total in (1000, 1100)
    assert f"{total:,}" in (folder / "allocation.html").read_text(encoding="utf-8")
    assert "✗" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert not list((tmp_path / "out").rglob(".zjtx*"))
