"""Faults: what is killed, full, read-only or torn leaves nothing that looks finished and is wrong, and the rerun repairs it."""

import contextlib
import errno
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import zjtx_alloc as za
from zjtx_alloc.base.files import (
    alone_in,
    check_free,
    folder_for,
    install,
    is_file_name,
    read_whole,
    write_csv,
    write_whole,
)
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.runs.unit_pages import write_unit_pages
from zjtx_alloc.rules.scenario_files import save_without_stand_ins

pytestmark = pytest.mark.thorough

NAMES = ("a.csv", "b.xlsx", "c.html", "run.json")


def drafts(folder, mark):
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        (folder / name).write_text(mark * 1000, encoding="utf-8")
    return folder


def held(folder):
    return {path.name: path.read_text(encoding="utf-8")[:1] for path in folder.iterdir()}


def python(code, *arguments, **options):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **options)


KILLED = """
import os, signal, sys
from pathlib import Path
from zjtx_alloc.base import files
write, calls = files.write_whole, []
def killed(path, content):
    calls.append(path)
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return write(path, content)
files.write_whole = killed
files.install(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("call", [1, 3])
def test_a_set_whose_writer_is_killed_bears_no_seal_and_the_rerun_makes_it_whole(tmp_path, call):
    out = tmp_path / "out"
    out.mkdir()
    (out / "my notes.txt").write_text("mine", encoding="utf-8")
    install(drafts(tmp_path / "old", "o"), out)
    done = python(KILLED, drafts(tmp_path / "new", "n"), out, call)
    assert done.returncode == -signal.SIGKILL
    assert "run.json" not in held(out)
    (out / ".zjtx-draft").write_text("torn", encoding="utf-8")  # as a kill within one file leaves it
    install(tmp_path / "new", out)
    assert held(out) == dict.fromkeys(NAMES, "n") | {"my notes.txt": "m"}


def test_a_set_brings_its_subfolders_and_takes_away_what_it_no_longer_has(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    drafts(tmp_path / "old", "o")
    (tmp_path / "old" / "facts.csv").write_text("mine", encoding="utf-8")
    install(tmp_path / "old", out)
    new = drafts(tmp_path / "new", "n")
    write_whole(new / "units" / "110000.html", b"Beijing")
    install(new, out, stale=("facts.csv", "a.csv"))
    assert (out / "units" / "110000.html").read_bytes() == b"Beijing"
    assert sorted(path.name for path in out.iterdir()) == sorted([*NAMES, "units"])


CONTENDER = """
import sys
from pathlib import Path
from zjtx_alloc.base.files import install
for _ in range(8):
    install(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_processes_that_write_one_folder_at_once_leave_one_whole_set(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    sets = [drafts(tmp_path / mark, mark) for mark in "pqr"]
    racers = [subprocess.Popen([sys.executable, "-c", CONTENDER, str(one), str(out)]) for one in sets]
    assert [racer.wait(timeout=120) for racer in racers] == [0, 0, 0]
    assert set(held(out)) == set(NAMES)
    assert len(set(held(out).values())) == 1


def test_a_folder_that_another_process_holds_is_told_and_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("zjtx_alloc.base.files._WAIT", 0.1)
    out = tmp_path / "out"
    out.mkdir()
    install(drafts(tmp_path / "old", "o"), out)
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, zjtx_alloc.base.files as f\nfrom pathlib import Path\n"
         "with f.alone_in(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()", str(out)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(za.ReportError, match="另一个 zjtx 正在写入"):
        install(drafts(tmp_path / "new", "n"), out)
    assert {held(out)[name] for name in NAMES} == {"o"}
    holder.kill()  # its lock goes with it
    holder.communicate()
    install(tmp_path / "new", out)
    assert held(out) == dict.fromkeys(NAMES, "n")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "磁盘空间不足"),
        (errno.EROFS, "只读"),
        (errno.EIO, "Input/output error"),
        (errno.EFBIG, "磁盘空间不足"),
    ],
)
def test_a_disk_that_fails_is_told_and_the_old_file_stays(tmp_path, monkeypatch, number, told):
    (tmp_path / "a.csv").write_bytes(b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(number, os.strerror(number))))
    with pytest.raises(za.ReportError, match=told) as caught:
        write_whole(tmp_path / "a.csv", b"new")
    assert "a.csv" in str(caught.value)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.csv", b"old")]


@pytest.mark.parametrize(
    "name",
    ["..", ".", "", "../x", "a/b", "a\\b", "/etc", "CON", "nul", "com1.x", "a\0b", "a\nb", "x" * 181, "名" * 61, " a", "a.", "a:b", "a\u202eb", ".hidden"],
)  # fmt: skip
def test_a_name_that_leads_outside_or_that_no_system_takes_makes_no_folder(tmp_path, name):
    assert not is_file_name(name)
    with pytest.raises(za.ReportError, match="不能作文件夹名"):
        folder_for(tmp_path / "out", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["2024-baseline", "试算（二）", "CONFIG", "a.b", "方案 1"])
def test_a_plain_name_makes_its_folder(tmp_path, name):
    assert folder_for(tmp_path, name) == tmp_path / name
    assert (tmp_path / name).is_dir()


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(za.ReportError, match="路径中有一段是文件"):
        folder_for(tmp_path / "file", "x")
    with pytest.raises(za.ReportError, match="不能用的字符"):
        write_whole("a\0b", b"")


def test_reading_stops_at_what_is_no_file(tmp_path):
    assert read_whole(write_whole(tmp_path / "a", b"abc"), 3) == b"abc"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    os.mkfifo(tmp_path / "pipe")
    cases = {tmp_path: "管道或设备", Path("/dev/zero"): "管道或设备", tmp_path / "pipe": "管道或设备", loop: "成环",
             tmp_path / "a": "最多0兆", Path("a\0"): "不能用", tmp_path / ("x" * 300): "过长"}  # fmt: skip
    for path, told in cases.items():
        with pytest.raises(Exception, match=told):
            read_whole(path, 2)
    with pytest.raises(FileNotFoundError):
        read_whole(tmp_path / "none", 2)


def pipe(path):
    os.mkfifo(path)


def device(path):
    """The device that ``/dev/null`` names, under a name of our own; a pipe where none may be made."""
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pipe(path)


def listening(path):
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(path.parent):  # a whole path may be too long
        server.bind(path.name)


def link(path):
    (path.parent / "mine.csv").write_text("mine", encoding="utf-8")
    path.symlink_to("mine.csv")


def dangling(path):
    path.symlink_to("none.csv")


SPECIAL = {"管道": pipe, "设备": device, "套接字": listening, "符号链接": link, "指向空处的符号链接": dangling}
special = pytest.mark.parametrize("make", SPECIAL.values(), ids=[make.__name__ for make in SPECIAL.values()])
posix = pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")


def seen(folder):
    """What lies in a folder, down to the kind of each file and to what it holds or where it leads."""

    def told(path):
        kind = path.lstat()
        held = path.readlink() if path.is_symlink() else path.read_bytes() if stat.S_ISREG(kind.st_mode) else ""
        return kind.st_ino, stat.S_IFMT(kind.st_mode), kind.st_rdev, held

    return {
        path.relative_to(folder): told(path) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }


def refused(path):
    """The one message about a target that is no file, whatever kind it is."""
    told = "(管道|设备|套接字|符号链接)，不是普通文件，不会覆盖；请另指定路径，或先移走$"
    return pytest.raises(za.ReportError, match=re.escape(f"无法写入 {path}：这是") + told)


@posix
@special
def test_only_files_are_written_over(make, tmp_path, baseline):
    make(path := tmp_path / "x.csv")
    make(form := tmp_path / "x.xlsx")
    make(mine := tmp_path / "x.toml")
    before = seen(tmp_path)
    for write in (lambda: write_whole(path, b"new"), lambda: write_csv(path, "new"), lambda: check_free([path])):
        with refused(path):
            write()
    with refused(mine):
        za.save_scenario(baseline, mine)
    for write in (lambda: za.write_template(form), lambda: save_without_stand_ins("2024-baseline", ["rnd"], mine)):
        with pytest.raises(za.ReportError, match=r"^文件已存在：.*请换名或先移走$"):
            write()
    assert seen(tmp_path) == before


@posix
@special
def test_the_command_leaves_a_target_that_is_no_file_alone(make, tmp_path, capsys):
    make(path := tmp_path / "x.csv")
    before = seen(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["allocate", "2024-baseline", "--out", str(path)])
    assert stop.value.code == 1
    assert f"无法写入 {path}：这是" in capsys.readouterr().err
    assert seen(tmp_path) == before


@posix
@special
@pytest.mark.parametrize("name", ["b.xlsx", "run.json", "old.csv", ".zjtx.lock"])
def test_a_set_is_not_installed_over_what_is_no_file(make, name, tmp_path):
    """The folder itself may be a link; none of its files is touched, not even one that the set only takes away."""
    (real := tmp_path / "real").mkdir()
    (out := tmp_path / "out").symlink_to(real)
    install(drafts(tmp_path / "old", "o"), out)
    (out / name).unlink(missing_ok=True)
    make(out / name)
    before = seen(real)
    with refused(out / name):
        install(drafts(tmp_path / "new", "n"), out, stale=("old.csv",))
    assert seen(real) == before


@posix
@special
def test_pages_of_another_run_are_not_cleared_away_where_one_is_no_file(make, tmp_path):
    (tmp_path / "units").mkdir()
    make(page := tmp_path / "units" / "110000-x.html")
    before = seen(tmp_path)
    with refused(page):
        write_unit_pages(tmp_path, None, (), "another", None)
    assert seen(tmp_path) == before


@posix
def test_the_kinds_of_files_are_named(tmp_path):
    for name, make in SPECIAL.items():
        make(path := tmp_path / make.__name__)
        kind = "管道" if stat.S_ISFIFO(path.lstat().st_mode) else name.removeprefix("指向空处的")
        with pytest.raises(za.ReportError, match=f"这是{kind}，"):
            write_whole(path, b"")


def test_a_folder_that_is_a_link_is_written_into(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    assert write_whole(tmp_path / "out" / "x.csv", b"new").read_bytes() == b"new"
    assert (tmp_path / "out").is_symlink()
    assert folder_for(tmp_path, "out") == tmp_path / "out"


@posix
def test_a_lock_that_has_become_a_link_is_not_followed(tmp_path, monkeypatch):
    """Looked at just before, it was a file: it is not opened all the same."""
    (tmp_path / ".zjtx.lock").symlink_to("elsewhere")
    monkeypatch.setattr("zjtx_alloc.base.files.check_regular", lambda _: None)
    with pytest.raises(za.ReportError, match=r"无法写入 .*\.zjtx\.lock："), alone_in(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()
