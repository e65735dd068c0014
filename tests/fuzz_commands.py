"""Whole commands under spoiled inputs that coverage leads: each ends in an answer or in one Chinese message, in bounded time.

    python -m pip install --require-hashes -r requirements-fuzz.lock
    python tests/fuzz_commands.py 60            # seconds; hours by hand
    python tests/fuzz_commands.py 3600 --keep   # and keeps what reached new code in tests/fuzz_corpus.zip

atheris (libFuzzer) chooses bytes by the code they reach, hypothesis turns them into inputs spoiled as in
``support.mutations``: cells, rows, columns, parts of a package, keys and values. A fault prints its trace and leaves the
command's input in the working folder; the exit code says so.
"""

import argparse
import contextlib
import io
import os
import random
import re
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[1]
READING = ("base", "facts", "rules", "firms")  # folders of what reads users' files; instrumenting all takes minutes
OTHERS = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in ROOT.glob("zjtx_alloc/*/**/*.py")
    if path.relative_to(ROOT).parts[1] not in READING
]
with atheris.instrument_imports(include=["zjtx_alloc"], exclude=OTHERS):
    from hypothesis import HealthCheck, given, settings, strategies as st
    from support.broken_inputs import COMMANDS
    from support.mutations import part_gone_wrong, put
    from test_fuzz import DOORS

    from zjtx_alloc.base.text import seen
    from zjtx_alloc.cli.main import main

CORPUS = Path(__file__).with_name("fuzz_corpus.zip")
_MOST_SECONDS, _MOST_MEMORY = 30, 3000  # of one command; MB of them all
_LONGEST = 150_000  # characters of a message
_KEPT, _DRAWN = 300, 60  # inputs kept in the corpus, and drawn beside them


def workbook(*arguments: str) -> bytes:
    """A workbook that a command writes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "made.xlsx"
        with contextlib.suppress(SystemExit):
            main([part.format(file=path) for part in arguments])
        return path.read_bytes()


def parts_of(content: bytes):
    return lambda draw: part_gone_wrong(draw, content)


FIRM_BOOK = workbook("firms", "new", "{file}", "--unit", "江苏", "--made-up", "30")
REVIEW = ("review", "{file}", "--as-of", "2024-07-31", "--unit", "江苏", "--out", "{out}/review.xlsx")
# By name: how an input goes wrong, the name of its file, the command that meets it.
TRIED = {
    **{name: (DOORS[name].make, DOORS[name].name, COMMANDS[kind]) for name, kind in (
        ("table of indicators", "table"), ("tidy facts", "facts"), ("scenario", "scenario"), ("composites", "scenario"),
        ("shipped scenario", "scenario"), ("firms", "firms"),
    )},
    "review of firms": (DOORS["firms"].make, "firms.xlsx", REVIEW),
    "list of firms": (DOORS["list of firms"].make, "list.csv", (*REVIEW[:1], "{beside}", *REVIEW[2:], "--first-round", "{file}")),
    "programme": (parts_of(workbook("new", "{file}")), "book.xlsx", ("check", "{file}", "--mark", "{out}/marked.xlsx")),
    "quotas of a programme": (parts_of(workbook("new", "{file}")), "book.xlsx", ("allocate", "{file}", "--batch", "1", "--out", "{out}/quotas.csv")),
    "firms of a province": (parts_of(FIRM_BOOK), "firms.xlsx", ("firms", "review", "{file}", "--out", "{out}/reviewed.xlsx")),
}  # fmt: skip
FOUND = dict.fromkeys(TRIED, 0)


def tried(draw) -> None:
    """One command with one spoiled input."""
    name = draw(st.sampled_from(sorted(TRIED)))
    make, file, command = TRIED[name]
    content = make(draw)
    FOUND[name] += 1
    with tempfile.TemporaryDirectory() as folder:
        given_file, out = put(Path(folder), file, content), Path(folder) / "out"
        out.mkdir()
        beside = put(Path(folder), "beside.xlsx", FIRM_BOOK)
        told, wrong, begun = io.StringIO(), io.StringIO(), time.process_time()
        try:
            with contextlib.redirect_stdout(told), contextlib.redirect_stderr(wrong):
                main([part.format(file=given_file, out=out, beside=beside) for part in command])
        except SystemExit as stop:
            check(stop.code, wrong.getvalue(), time.process_time() - begun)
        except BaseException:
            kept = Path(tempfile.mkdtemp(prefix="zjtx-fuzz-")) / file
            kept.write_bytes(content)
            print(f"{name}: {kept}", file=sys.__stderr__)
            raise


def check(code: int, message: str, seconds: float) -> None:
    """An answer, or a message in Chinese, not endless, without what cannot be seen; in time."""
    assert code in (0, 1, 2), message
    assert code == 0 or re.search("[\u4e00-\u9fff]", message), message
    assert "Traceback" not in message
    assert len(message) < _LONGEST, len(message)
    assert seen(message) == message, message
    assert seconds < _MOST_SECONDS, seconds


@settings(database=None, deadline=None, suppress_health_check=list(HealthCheck), max_examples=1)
@given(st.data())
def commands(data):
    tried(data.draw)


def run(seconds: int, corpus: Path) -> None:
    """Let libFuzzer lead for so long; it ends the process."""
    options = [f"-max_total_time={seconds}", f"-timeout={2 * _MOST_SECONDS}", f"-rss_limit_mb={_MOST_MEMORY}", "-max_len=4096", "-len_control=0", "-reload=0", "-print_final_stats=1"]  # fmt: skip
    atheris.Setup(
        [sys.argv[0], str(corpus), *options, f"-artifact_prefix={tempfile.gettempdir()}/"],
        commands.hypothesis.fuzz_one_input,
    )
    atheris.Fuzz()


def begin(corpus: Path) -> None:
    """Put the kept inputs into a folder, and some drawn once: what hypothesis makes of a few bytes is nothing."""
    drawn = random.Random(1)
    for number in range(_DRAWN):
        (corpus / f"drawn-{number}").write_bytes(drawn.randbytes(2000))
    if CORPUS.exists():
        with zipfile.ZipFile(CORPUS) as package:
            package.extractall(corpus)


def keep(corpus: Path) -> None:
    """Write the smallest inputs of a folder as the corpus of the repository."""
    reached = [path for path in corpus.iterdir() if not path.name.startswith("drawn-")]
    smallest = sorted(reached, key=lambda path: (path.stat().st_size, path.name))[:_KEPT]
    with zipfile.ZipFile(CORPUS, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(smallest):
            package.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=int)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ["ZJTX_TRACE"] = "1"  # a fault of the program is raised, not put into words
    corpus = Path(tempfile.mkdtemp())
    begin(corpus)
    child = os.fork()  # libFuzzer ends its process
    if child == 0:
        run(asked.seconds, corpus)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if asked.keep:
        keep(corpus)
    shutil.rmtree(corpus)
    sys.exit(code)
