"""What the documents show runs as it stands there: blocks of code, scenarios, outputs, usage, links and options."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import openpyxl
import pytest

import zjtx_alloc as za
from zjtx_alloc.cli.main import commands, main

ROOT = Path(za.__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
COMMANDS_THAT_TAKE_LONG = {"report", "budget", "compare", "sweep", "verify-run", "plan-document"}
THE_MAIN_JOB = ["zjtx", "report", "2024-baseline"]  # what make report runs once the environment is there
SET_UP = {"git", "cd", ".", "py", ".venv/bin/activate", "pip"}  # what .ci/run or the reader's shell does
USED_TWICE: dict[str, str] = {}  # commands on shipped data alone, and what they print: once is enough

pytestmark = pytest.mark.usefixtures("plain_pages")


class Block(NamedTuple):
    """A block of a document: its language, what else its first line says, its lines, and where it stands."""

    language: str
    remark: str
    lines: list[str]
    place: str


def blocks(path: Path) -> Iterator[Block]:
    text = path.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\S*) ?([^\n]*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found[1], found[2], found[3].splitlines(), f"{path.name}:{line}")


def command_lines(block: Block) -> list[list[str]]:
    lines = [words for line in block.lines if (words := shlex.split(line, comments=True))]
    return [THE_MAIN_JOB if words == ["make", "report"] else words for words in lines]


def takes_long(block: Block) -> bool:
    if block.language == "python":
        return block.remark == "slow"
    return any(words[0] == "zjtx" and words[1] in COMMANDS_THAT_TAKE_LONG for words in command_lines(block))


def documents():
    return pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The reader's folder: what one document makes, the next may find."""
    return tmp_path_factory.mktemp("desk")


@documents()
def test_every_block_has_a_language_that_is_checked(path):
    languages = {block.language for block in blocks(path)}
    assert languages <= {"python", "sh", "toml", "text", "powershell", "csv"}, path.name
    assert path.read_text(encoding="utf-8").count("```") == 2 * len(list(blocks(path)))


@documents()
def test_a_file_that_a_document_writes_is_used_in_it(path):
    kept_as = [block.remark for block in blocks(path) if block.language in ("toml", "csv")]
    used = "".join(line for block in blocks(path) if block.language in ("sh", "python") for line in block.lines)
    assert [name for name in kept_as if not name or name not in used] == []


@pytest.mark.thorough
@documents()
def test_what_takes_little_time_runs(path, desk, monkeypatch, capsys):
    followed(path, desk, monkeypatch, capsys, also_long=False)


@pytest.mark.slow
@documents()
def test_everything_runs(path, desk, monkeypatch, capsys):
    followed(path, desk, monkeypatch, capsys, also_long=True)


def followed(path, desk, monkeypatch, capsys, also_long):
    """Do what a document says, block by block."""
    monkeypatch.chdir(desk)
    printed, names = None, {}
    for block, after in pairwise([*blocks(path), Block("", "", [""], "")]):
        if block.language in ("python", "sh") and takes_long(block) and not also_long:
            printed = None
            continue
        match block.language:
            case "toml":
                kept(block, desk)
            case "csv":
                Path(block.remark).write_text("\n".join(block.lines) + "\n", encoding="utf-8")
            case "python":
                exec(compile("\n".join(block.lines), block.place, "exec"), names)
                printed = capsys.readouterr().out
            case "sh":
                refused = after.language == "text" and after.lines[0].startswith("错误：")
                printed = "".join([typed(words, block, capsys, refused) for words in command_lines(block)])
            case "text" if printed is not None and block.remark != "usage":
                shown(block, printed)
                printed = None


def kept(block, desk):
    """A scenario, under the name that its block bears; other TOML has a name of its own folder and is read by Python."""
    path = desk / (block.remark or "scenario.toml")
    path.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
    if block.lines[0].startswith("extends"):
        assert za.load_scenario(path).title, block.place


def typed(words, block, capsys, refused):
    """One command of a block: run if it is zjtx, otherwise held against what is there."""
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE), words
    elif words[0] == "python" and words[1].endswith(".py"):
        assert (ROOT / words[1]).is_file(), block.place
    elif words[0] != "zjtx":
        assert words[0] in SET_UP | {"python", "jupyter"}, f"{block.place}: {words[0]}"
        assert all((ROOT / word).exists() for word in words if word.startswith(("tests/", "notebooks/"))), block.place
    elif words[1] == "explore":
        commands.commands["explore"].make_context("explore", words[2:])
    else:
        return answered(words, capsys, refused)
    return ""


def answered(words, capsys, refused):
    """What a command prints; one that is refused says why, and only where the document says so."""
    told = shlex.join(words)
    if told in USED_TWICE:
        return USED_TWICE[told]
    for name in made_anew(words):
        name.unlink(missing_ok=True)
    with pytest.raises(SystemExit) as left:
        main(words[1:])
    output = capsys.readouterr()
    if words[1] == "template" and "--firms" not in words:
        filled_in(Path(words[2]))
    if not any((Path.cwd() / word).is_file() for word in words):
        USED_TWICE[told] = output.out
    assert bool(left.value.code) == refused, (told, output.err)
    return output.err if refused else output.out


def made_anew(words):
    """Files that a command makes and would not write over: another document may have made them."""
    if words[1] == "template":
        return [Path(words[2])]
    if words[1] in ("firms", "review"):
        return [Path(words[3] if words[2] == "new" else words[words.index("--out") + 1])]
    if words[1] in ("new", "convert"):
        made = Path(words[2 if words[1] == "new" else 3])
        return [made, *Path().glob(f"{made.stem}-第*批{made.suffix}")]
    return Path().glob(f"{Path(words[-1]).stem}*.toml") if "--save" in words else []


def filled_in(path):
    """What the reader does in Excel: one column of 37 numbers."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    column = next(cell.column for cell in sheet[3] if str(cell.value).startswith("规模以上工业中小企业数"))
    held = za.load_panel().values("sme_count", "2024-12")
    for row in range(4, sheet.max_row + 1):
        if sheet.cell(row, 1).value in held.index:
            sheet.cell(row, column).value = round(held[sheet.cell(row, 1).value])
    book.save(path)


def shown(block, printed):
    """Every line of an output stands in what was printed; … stands for what is left out."""
    for line in block.lines:
        pattern = ".*".join(re.escape(part.strip()) for part in line.split("…"))
        assert re.search(pattern, printed), f"{block.place}: {line}\n{printed}"


# --- usage, options, links --------------------------------------------------------------------------------


def every_command():
    """Commands by what is typed: of a group each of its own, as ``firms review``."""
    each = [(name, command, getattr(command, "commands", None)) for name, command in commands.commands.items()]
    return {k: c for name, command, own in each for k, c in ({f"{name} {n}": c for n, c in own.items()} if own else {name: command}).items()}  # fmt: skip


def usages():
    return [block for path in DOCUMENTS for block in blocks(path) if block.remark == "usage"]


@pytest.mark.parametrize("block", usages(), ids=lambda block: block.place)
def test_a_usage_block_names_every_command_argument_and_option(block):
    entries = re.split(r"^zjtx ", "\n".join(block.lines), flags=re.MULTILINE)[1:]
    known = every_command()
    told = {next(name for name in known if f"{entry} ".startswith(f"{name} ") or entry.startswith(f"{name}\n")): entry for entry in entries}  # fmt: skip
    assert list(told) == list(known)
    for name, command in known.items():
        head = " ".join(part.strip() for part in told[name].splitlines() if part.startswith((name, "        [")))
        options = {opt for p in command.params if isinstance(p, click.Option) for opt in p.opts}
        assert set(re.findall(r"--[a-z-]+", head)) == options, name
        arguments = [p.name.upper() for p in command.params if isinstance(p, click.Argument)]
        written = re.findall(r"\b[A-Z]{3,}\b", re.sub(r"--[a-z-]+ [A-Z.,=]+", "", head))
        assert [w.rstrip("S") for w in dict.fromkeys(written)] == [a.rstrip("S") for a in arguments], name


def test_every_option_is_explained_in_a_guide():
    guides = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS if path.name.startswith("guide-"))
    for name, command in every_command().items():
        for option in (p for p in command.params if isinstance(p, click.Option)):
            assert option.opts[0] in guides, f"{name} {option.opts[0]}"


@documents()
def test_links_and_pictures_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    headings = {slug(line) for line in text.splitlines() if line.startswith("#")}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif "://" not in target:
            assert (path.parent / target.split("#")[0]).exists(), target


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


@documents()
def test_files_that_a_document_names_exist(path):
    named = re.findall(r"`((?:data|docs|notebooks|tests|zjtx_alloc|benchmarks)/[\w./\-*]+)`", path.read_text("utf-8"))
    for name in named:
        assert list(ROOT.glob(name.rstrip("/"))), name


def test_the_scenario_of_the_readme_is_kept_in_every_line(panel, write_scenario):
    (block,) = (block for block in blocks(ROOT / "README.md") if block.language == "toml")
    allocation = za.allocate(panel, za.load_scenario(write_scenario("\n".join(block.lines))))
    quota, names = allocation.quota, panel.units["short_name"]
    assert quota.sum() == 1039
    assert quota[names == "西藏"].item() == 2
    assert quota[names == "广东"].item() <= 75
    assert quota[panel.units["region"] == "西部"].sum() >= 200
    assert quota[list(allocation.scenario.rules["长江经济带"].codes())].sum() >= 0.55 * 1039
