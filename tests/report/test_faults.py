"""Faults: what is killed, full, read-only or torn leaves nothing that looks finished and is wrong, and the rerun repairs it."""

import contextlib
import errno
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import zjtx_alloc as za
from zjtx_alloc.base import file_sets
from zjtx_alloc.base.file_sets import alone_in
from zjtx_alloc.base.files import check_free, folder_for, is_file_name, read_whole, write_csv, write_whole
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.runs.index import listed
from zjtx_alloc.report.runs.unit_pages import write_unit_pages
from zjtx_alloc.rules.scenario_files import save_without_stand_ins

pytestmark = pytest.mark.thorough

NAMES = ("a.csv", "b.xlsx", "c.html", "run.json")


def drafts(folder, mark):
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        (folder / name).write_text(mark * 1000, encoding="utf-8")
    return folder


def install(drafts, folder, stale=()):
    with alone_in(folder):
        file_sets.install(drafts, folder, stale)


def held(folder):
    return {path.name: path.read_text(encoding="utf-8")[:1] for path in folder.iterdir()}


posix = pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def python(code, *arguments, **options):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **options)


def struck(what, strikes):
    """What is there after the process is killed, or finds the disk full, at some of its changes of the disk."""
    script = Path(__file__).parents[1] / "support" / "struck.py"
    done = python(
        f"import runpy, sys; sys.argv = ['', {what!r}, '{strikes}']; runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    return {(kind, state) for kind, state, _ in rows}


@linux
def test_a_set_is_the_old_or_the_new_one_wherever_its_writer_is_killed_or_the_disk_is_full(tmp_path):
    """The rerun makes it whole, and a user's own files are there throughout; ``none`` is the one moved aside meanwhile."""
    found = struck("install", 10)
    assert found >= {("kill", "old"), ("full", "old")}
    assert found <= {("kill", "old"), ("kill", "new"), ("kill", "none"), ("full", "old"), ("full", "new")}


@linux
@pytest.mark.slow
def test_a_report_is_the_old_or_the_new_one_wherever_it_is_killed_or_the_disk_is_full(tmp_path):
    found = struck("report", 4)
    assert ("kill", "old") in found
    assert found <= {("kill", "old"), ("kill", "new"), ("kill", "late"), ("full", "old"), ("full", "new")}


@posix
def test_a_swap_in_two_moves_that_was_cut_short_is_undone(tmp_path, monkeypatch):
    """Between the moves there is no folder: the next run finds the old one, with what else was in it."""
    install(drafts(tmp_path / "old", "o"), out := folder_for(tmp_path, "out"))
    (out / "my notes.txt").write_text("mine", encoding="utf-8")
    out.rename(tmp_path / ".zjtx-out.old")
    drafts(tmp_path / ".zjtx-out.new", "n")
    folder_for(tmp_path, "out")  # as every run begins
    with alone_in(out):
        assert held(out) == dict.fromkeys(NAMES, "o") | {"my notes.txt": "m"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "out"]


def test_what_comes_into_a_folder_while_its_set_is_replaced_stays(tmp_path):
    install(drafts(tmp_path / "old", "o"), out := folder_for(tmp_path, "out"))
    (out / "mine.txt").write_text("first", encoding="utf-8")

    @contextlib.contextmanager
    def meanwhile():
        write_whole(out / "mine.txt", b"second")
        write_whole(out / "sub" / "new.txt", b"new")
        yield

    with alone_in(out):
        file_sets.install(drafts(tmp_path / "new", "n"), out, around=meanwhile())
    assert held(out / "sub") == {"new.txt": "n"}
    (out / "sub" / "new.txt").unlink()
    (out / "sub").rmdir()
    assert held(out) == dict.fromkeys(NAMES, "n") | {"mine.txt": "s"}


def test_the_list_vouches_for_no_run_that_is_being_replaced(tmp_path):
    install(drafts(tmp_path / "old", "o"), folder_for(tmp_path, "run"))

    with alone_in(tmp_path / "run"):
        new = drafts(tmp_path / "new", "n")
        (tmp_path / ".zjtx-run.new").mkdir()
        with listed(tmp_path):
            meanwhile = (tmp_path / "index.html").read_text(encoding="utf-8")
            (tmp_path / ".zjtx-run.new").rmdir()
            file_sets.install(new, tmp_path / "run")
    assert meanwhile.count("正在更新；若已没有 zjtx 在运行，则更新曾中断，请重新运行") == 1
    assert "正在更新" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_set_is_not_replaced_if_the_list_cannot_be_written_and_nothing_is_left(tmp_path):
    install(drafts(tmp_path / "old", "o"), out := folder_for(tmp_path, "out"))

    @contextlib.contextmanager
    def full():
        raise za.ReportError("full")
        yield

    with alone_in(out), pytest.raises(za.ReportError, match="full"):
        file_sets.install(drafts(tmp_path / "new", "n"), out, around=full())
    assert held(out) == dict.fromkeys(NAMES, "o")
    assert not list(tmp_path.glob(".zjtx*"))


@posix
def test_a_process_that_stands_in_the_folder_goes_on(tmp_path):
    install(drafts(tmp_path / "old", "o"), out := folder_for(tmp_path, "out"))
    with contextlib.chdir(out):
        install(drafts(tmp_path / "new", "n"), Path("../out"))
        assert Path("../new").is_dir()
        assert held(Path()) == dict.fromkeys(NAMES, "n")


@posix
def test_a_shell_that_stands_in_a_replaced_set_is_asked_to_enter_it_again(tmp_path, capsys):
    (gone := tmp_path / "gone").mkdir()
    with contextlib.chdir(gone):
        gone.rmdir()
        try:
            with pytest.raises(SystemExit) as stop:
                main(["allocate", "2024-baseline", "--out", "../a.csv"])
        finally:
            os.chdir(tmp_path)
            gone.mkdir()
    assert stop.value.code == 1
    assert "当前文件夹已被删除，或已由一次运行整体替换；请先执行 cd . 重新进入" in capsys.readouterr().err


@posix
def test_what_a_user_takes_away_while_a_set_is_replaced_is_no_fault(tmp_path, monkeypatch):
    """Office programs make and remove a file beside each that they open."""
    install(drafts(tmp_path / "old", "o"), out := folder_for(tmp_path, "out"))
    for name in ("~$b.xlsx", "mine.txt"):
        (out / name).write_text("mine", encoding="utf-8")
    link = os.link

    def closed(source, target, **options):
        (out / "~$b.xlsx").unlink(missing_ok=True)
        link(source, target, **options)

    monkeypatch.setattr("os.link", closed)
    install(drafts(tmp_path / "new", "n"), out)
    assert held(out) == dict.fromkeys(NAMES, "n") | {"mine.txt": "m"}


def test_a_torn_list_of_runs_is_cleared_away_and_one_that_is_being_written_is_not(tmp_path):
    torn, written = tmp_path / ".zjtx-0123456789abcdef", tmp_path / ".zjtx-fedcba9876543210"
    for path in (torn, written):
        path.touch()
    os.utime(torn, (0, 0))
    with alone_in(folder_for(tmp_path, "out")):
        assert not torn.exists()
    assert written.exists()


@posix
def test_the_list_knows_that_a_run_is_being_replaced_where_its_folder_is_a_link(tmp_path):
    (real := tmp_path / "disk" / "real").mkdir(parents=True)
    (out := tmp_path / "out").symlink_to(real)
    assert not file_sets.is_replaced(out)
    (real.parent / ".zjtx-real.new").mkdir()
    assert file_sets.is_replaced(out)


@posix
def test_what_came_meanwhile_and_cannot_be_carried_leaves_a_list_without_an_update(tmp_path, monkeypatch):
    """The list is written when nothing is being replaced any more."""
    install(drafts(tmp_path / "old", "o"), out := folder_for(tmp_path, "out"))
    replaced = []

    @contextlib.contextmanager
    def around():
        (out / "mine.txt").write_text("mine", encoding="utf-8")
        monkeypatch.setattr("os.link", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        try:
            yield
        finally:
            replaced.append(file_sets.is_replaced(out))

    with alone_in(out), pytest.raises(za.ReportError, match="磁盘空间不足"):
        file_sets.install(drafts(tmp_path / "new", "n"), out, around=around())
    assert replaced == [False]


@posix
def test_a_disk_without_locks_is_named_and_not_taken_for_another_run(tmp_path, monkeypatch):
    """Some network drives have none."""
    import fcntl  # noqa: PLC0415 - POSIX alone

    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(za.ReportError, match=r"无法写入 .*zjtx-out.lock：磁盘不支持文件锁"), alone_in(tmp_path / "out"):
        pass


@posix
def test_a_folder_that_must_not_be_entered_is_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr("os.stat", lambda *_, **__: (_ for _ in ()).throw(PermissionError(errno.EACCES, "denied")))
    with pytest.raises(za.ReportError, match=r"a\.csv"):
        check_free([tmp_path / "a.csv"])


@posix
@pytest.mark.parametrize("mask", [0o077, 0o002])
def test_permissions_are_those_of_the_system_or_of_what_was_there(tmp_path, mask):
    """As ``touch`` would make them; a file or a folder that is written over keeps its own."""
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "new.csv", b"")
        install(drafts(tmp_path / "old", "o"), out := folder_for(tmp_path, "out"))
        (tmp_path / "touched").touch()
        out.chmod(0o2770)
        for path in (tmp_path / "new.csv", out / "a.csv"):
            assert path.stat().st_mode == (tmp_path / "touched").stat().st_mode
            path.chmod(0o640)
        write_whole(tmp_path / "new.csv", b"again")
        install(drafts(tmp_path / "new", "n"), out)
    finally:
        os.umask(before)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new.csv", "out/a.csv")} == {0o640}
    assert stat.S_IMODE(out.stat().st_mode) == 0o2770


@posix
def test_a_folder_in_which_a_disk_is_mounted_is_refused(tmp_path, monkeypatch):
    install(drafts(tmp_path / "old", "o"), out := folder_for(tmp_path, "out"))
    (out / "disk").mkdir()
    monkeypatch.setattr("pathlib.Path.is_mount", lambda path: path.name == "disk")
    with pytest.raises(za.ReportError, match=r"无法写入 .*out：其中挂载了别的磁盘"):
        install(drafts(tmp_path / "new", "n"), out)
    (out / "disk").rmdir()
    assert held(out) == dict.fromkeys(NAMES, "o")
    assert not list(tmp_path.glob(".zjtx*"))


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
from zjtx_alloc.base.file_sets import alone_in, install
for _ in range(8):
    with alone_in(Path(sys.argv[2])):
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
    monkeypatch.setattr("zjtx_alloc.base.file_sets._WAIT", 0.1)
    out = tmp_path / "out"
    out.mkdir()
    install(drafts(tmp_path / "old", "o"), out)
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, zjtx_alloc.base.file_sets as f\nfrom pathlib import Path\n"
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
@pytest.mark.parametrize("name", ["b.xlsx", "run.json", "old.csv"])
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
    (tmp_path / ".zjtx-out.lock").symlink_to("elsewhere")
    monkeypatch.setattr("zjtx_alloc.base.file_sets.check_regular", lambda _: None)
    with pytest.raises(za.ReportError, match=r"无法写入 .*\.zjtx-out\.lock："), alone_in(folder_for(tmp_path, "out")):
        pass
    assert not (tmp_path / "elsewhere").exists()
