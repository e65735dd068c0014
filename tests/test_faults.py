"""Faults: what is killed, full, read-only or torn leaves nothing that looks finished and is wrong, and the rerun repairs it."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import zjtx_alloc as za
from zjtx_alloc.files import folder_for, install, is_file_name, read_whole, write_whole

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
from zjtx_alloc import files
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
from zjtx_alloc.files import install
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
    monkeypatch.setattr("zjtx_alloc.files._WAIT", 0.1)
    out = tmp_path / "out"
    out.mkdir()
    install(drafts(tmp_path / "old", "o"), out)
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, zjtx_alloc.files as f\nfrom pathlib import Path\n"
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
