"""A net under a change that should change nothing: all that users read, written out as text and compared.

``python tests/support/net.py write FOLDER`` runs every command on shipped and made-up data and writes the text of each page,
the cells, formulas and formats of each sheet, the words of each document, each CSV file and all that the commands
print. ``python tests/support/net.py compare OLD NEW`` lists what differs. Pictures are kept as digests; versions and digests
of files that depend on them are left out.
"""

import contextlib
import difflib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import docx
import openpyxl

BATCHES = ("2024-baseline", "2025-baseline", "2026-baseline")
FIRMS_OF = "福建"
_MOST_SHOWN = 40  # lines of a difference
_ROOT = Path(__file__).resolve()
_ROOT = next(folder for folder in _ROOT.parents if (folder / "pyproject.toml").is_file())

SCENARIO = """extends = "2024-baseline"
title = "提高西部下限"
criterion = "hamilton"

[cap]
"广东" = 75

[groups."西部"]
region = "西部"
floor = 200

[rules."长江经济带"]
units = ["上海", "江苏", "浙江", "宁波", "安徽", "江西", "湖北", "湖南", "重庆", "四川", "贵州", "云南"]
min_share = 0.55

[fixed."西藏"]
quota = 2
reason = "会商确定"
"""
TRANSFERS = "单位,年度,文号,金额（万元）\n天津,2024,财建〔2024〕359号,5700\n内蒙古,2025,财建〔2025〕1号,3000\n"


def commands(work: Path) -> list[list[str]]:
    """What is run, in order; all of it in one working folder."""
    (work / "我的.toml").write_text(SCENARIO, encoding="utf-8")
    (work / "冲突.toml").write_text('extends = "2024-baseline"\n[floor]\ndefault = 40\n', encoding="utf-8")
    (work / "错.toml").write_text('extends = "2024-baseline"\n[cap]\n"广东省省" = 1\n', encoding="utf-8")
    (work / "下达.csv").write_text(TRANSFERS, encoding="utf-8")
    _factors(work / "因素.csv")
    _firms(work / "企业.csv")
    help_of = ["report", "budget", "allocate", "explain", "compare", "sweep", "check", "template", "calendar", "review"]
    help_of += ["plan-document", "explore", "verify-run", "scenarios"]
    units = _units()
    return [
        ["--help"],
        *([name, "--help"] for name in help_of),
        ["scenarios"],
        ["calendar"],
        *(["report", name, *(["--units", "all"] if name == BATCHES[0] else [])] for name in BATCHES),
        ["report", "我的.toml", "--data", "因素.csv"],
        ["compare", *BATCHES],
        ["budget", *BATCHES, "--ceilings", "2024=311700,2027=250000", "--tails", "200", "--tail-rate", "0.9",
         "--actuals", "下达.csv", "--before", "2024-baseline"],
        ["allocate", "我的.toml", "--out", "名额.csv"],
        *(["explain", BATCHES[0], code] for code in units),
        *(["explain", "我的.toml", name] for name in ("广东", "西藏", "江苏")),
        ["sweep", BATCHES[0], "--draws", "256", "--out", "扫"],
        ["sweep", "我的.toml", "--draws", "16"],
        ["check", "因素.csv"],
        ["template", "空表.xlsx"],
        ["template", "空企业表.xlsx", "--firms"],
        ["firms", "new", "企业工作簿.xlsx", "--made-up", "12", "--unit", "江苏"],
        ["firms", "review", "企业工作簿.xlsx", "--out", "企业审核.xlsx"],
        ["review", "企业.csv", "--unit", FIRMS_OF, "--as-of", "2024-07-31", "--out", "审核.xlsx"],
        ["plan-document", "企业.csv", "--unit", FIRMS_OF, "--out", "方案.docx"],
        ["verify-run", f"reports/{BATCHES[0]}"],
        ["allocate", "冲突.toml"],
        ["allocate", "错.toml"],
        ["allocate", "没有"],
        ["report"],
    ]  # fmt: skip


def _units() -> list[str]:
    lines = (_ROOT / "data" / "units.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [line.split(",")[0] for line in lines]


def _factors(path: Path) -> None:
    """A user's table with one column of its own."""
    rows = [f"{code},{1000 + 137 * number}" for number, code in enumerate(_units())]
    path.write_text("代码,规模以上工业中小企业数\n" + "\n".join(rows) + "\n", encoding="utf-8")


def _firms(path: Path) -> None:
    """Invented firms, as the package makes them up."""
    import zjtx_alloc as za  # noqa: PLC0415 - the package under the net

    table = za.firms.made_up_table(seed=1)
    unit = next(column for column in table if table[column].astype(str).eq(FIRMS_OF).any())
    table[table[unit] == FIRMS_OF].to_csv(path, index=False, encoding="utf-8")


def write(folder: Path) -> None:
    """Run everything and write it out as text."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        work, said = Path(name), folder / "commands"
        said.mkdir()
        for number, arguments in enumerate(commands(work)):
            done = subprocess.run(
                [sys.executable, "-m", "zjtx_alloc", *arguments],
                cwd=work, capture_output=True, text=True, encoding="utf-8", check=False,
                env=os.environ | {"PYTHONUTF8": "1", "COLUMNS": "120"},
            )  # fmt: skip
            text = f"{arguments}\nexit {done.returncode}\n{done.stdout}\n--\n{_without_bars(done.stderr)}"
            label = re.sub(r"[^\w.-]", "_", " ".join(arguments))[:60]
            (said / f"{number:03d} {label}.txt").write_text(text.replace(str(work), "WORK"), encoding="utf-8")
            print(done.returncode, *arguments)
        _notebooks(work)
        for path in sorted(path for path in work.rglob("*") if path.is_file()):
            target = folder / "files" / path.relative_to(work)
            if (text := as_text(path)) is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.with_name(f"{target.name}.txt").write_text(text.replace(str(work), "WORK"), encoding="utf-8")


def _notebooks(work: Path) -> None:
    """The notebooks that no report runs: the chain of a province's firms, and the data."""
    import nbformat  # noqa: PLC0415
    from nbclient import NotebookClient  # noqa: PLC0415 - a second that comparing need not pay
    from nbconvert import HTMLExporter  # noqa: PLC0415

    for name in ("firms", "data"):
        book = nbformat.read(_ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        NotebookClient(book, resources={"metadata": {"path": str(work)}}).execute()
        (work / f"{name}.html").write_text(
            HTMLExporter(exclude_input=True).from_notebook_node(book)[0], encoding="utf-8"
        )


def _without_bars(text: str) -> str:
    """Without the progress bars, which hang on the clock."""
    return "\n".join(line for line in text.splitlines() if "\r" not in line and "it/s" not in line and "%|" not in line)


def as_text(path: Path) -> str | None:
    """What a reader finds in a file; None where only versions and digests of drawn files stand."""
    if path.name in ("environment.json", "units.json"):
        return None
    readers = {".html": _page, ".xlsx": _sheets, ".docx": _words, ".pdf": _print, ".json": _record}
    return readers.get(path.suffix, _plain)(path)


def _plain(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return hashlib.sha256(content).hexdigest()


def _record(path: Path) -> str:
    return json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False, indent=1)


class _Text(HTMLParser):
    """The words of a page, cell by cell, with where links lead and the digests of pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note pictures and links; leave out styles and scripts."""
        self.silent += tag in ("style", "script")
        held = dict(attrs)
        if tag == "img":
            self.lines.append(f"[picture {hashlib.sha256((held.get('src') or '').encode()).hexdigest()[:16]}]")
        elif tag == "a":
            self.lines.append(f"[link {held.get('href')}]")
        elif tag in ("td", "th", "tr", "h1", "h2", "h3", "p", "li", "text"):
            self.lines.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        """End what is left out."""
        self.silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        """Keep words."""
        if not self.silent and data.strip():
            self.lines.append(data.strip())


def _page(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    parser = _Text()
    parser.feed(text)
    return re.sub(r"\n<(td|th|tr)>\n?", r"\n<\1> ", "\n".join(parser.lines))


def _sheets(path: Path) -> str:
    lines = []
    for kept in (False, True):  # formulas, then their cached results
        book = openpyxl.load_workbook(path, data_only=kept)
        for sheet in book.worksheets:
            lines.append(f"== {sheet.title} {sheet.dimensions} {sheet.freeze_panes} charts {len(sheet._charts)}")
            if not kept:
                widths = {key: round(one.width, 2) for key, one in sorted(sheet.column_dimensions.items())}
                lines.append(
                    f"widths {widths} print {sheet.print_area} merged {sorted(map(str, sheet.merged_cells.ranges))}"
                )
            for row in sheet.iter_rows():
                lines += [f"{c.coordinate} {c.number_format} {c.value!r}" for c in row if c.value is not None]
        lines += [f"name {name}: {one.attr_text}" for name, one in sorted(book.defined_names.items())]
    return "\n".join(lines)


def _words(path: Path) -> str:
    body = docx.Document(str(path))
    lines = [f"{p.style.name}: {p.text}" for p in body.paragraphs]
    for table in body.tables:
        lines += ["== table", *(" | ".join(cell.text for cell in row.cells) for row in table.rows)]
    lines += [f"foot: {p.text}" for section in body.sections for p in section.footer.paragraphs]
    return "\n".join(lines)


def _print(path: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout


def compare(old: Path, new: Path) -> int:
    """Print what differs between two folders; returns how many files do."""
    names = [{str(path.relative_to(root)) for path in root.rglob("*.txt")} for root in (old, new)]
    different = 0
    for name in sorted(names[0] | names[1]):
        if name not in names[0] & names[1]:
            different += 1
            print(f"only in {'old' if name in names[0] else 'new'}: {name}")
            continue
        before, after = ((root / name).read_text(encoding="utf-8").splitlines() for root in (old, new))
        if before != after:
            different += 1
            lines = list(difflib.unified_diff(before, after, "old", "new", lineterm="", n=0))[2:]
            print(f"differs: {name} ({len(lines)} lines)", *lines[:_MOST_SHOWN], sep="\n  ")
    print(f"{len(names[0] | names[1])} files, {different} differ")
    return different


def main() -> None:
    """Write or compare, as asked."""
    if len(sys.argv) == 3 and sys.argv[1] == "write":
        folder = Path(sys.argv[2]).resolve()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
        write(folder)
    elif len(sys.argv) == 4 and sys.argv[1] == "compare":
        sys.exit(compare(*map(Path, sys.argv[2:])) > 0)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", line_buffering=True)
    main()
