"""Every figure, page, sheet and document as PNG, to be looked at; and the pictures of the docs.

``make gallery`` makes the reports from the shipped data, shows them as their readers see them (Chromium, LibreOffice,
poppler), and writes contact sheets and all shots to ``reports/gallery/``, and ``docs/pictures/*.png``. With
``--made DIR`` it shows reports that are there already. Needs the extra browser, and the programs named.
"""

import argparse
import datetime
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from pylopdf_fonts_zh_cn import sans_path

import zjtx_alloc as za
from zjtx_alloc.report.firm_documents.document import document
from zjtx_alloc.report.firm_documents.dossier import Dossier
from zjtx_alloc.report.runs.notebooks import write_page
from zjtx_alloc.report.writers.html import Heading

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from support.explorer_page import browser, opened, served  # noqa: E402 - the tests know how to start them

SCENARIO = "2024-baseline"
BATCHES = (SCENARIO, "2025-baseline", "2026-baseline")
UNITS = ("广东", "深圳", "西藏", "兵团")  # large, apart, held by its floor, small; the bound PDF shows all
TRIAL = """extends = "2024-baseline"
title = "提高西部下限"
factors = { sme_count = { weight = 0.3 }, little_giants = { weight = 0.5 } }
groups = { "西部" = { region = "西部", floor = 200 } }
"""
WIDTHS = {"": 1100, " 手机": 390}  # of a window, in pixels
PIECE = 1500  # pixels: a longer page is cut
DPI = 150
COLUMNS, WIDE, HIGH, LABEL, GAP = 3, 430, 960, 20, 8  # of a contact sheet, in pixels: readable as it is
# Fonts that Windows has, drawn with those of the PDF wherever the pictures are made.
SERIF = ("仿宋_GB2312", "楷体_GB2312", "方正小标宋简体", "宋体")
_DRAWN = '<edit name="family" mode="{mode}" binding="strong"><string>Noto {kind} SC</string></edit></match>'
FONTS = "".join(
    [
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>',
        f"<dir>{sans_path().parent}</dir>",
        *(
            f'<match><test name="family"><string>{name}</string></test>{_DRAWN.format(mode="assign", kind="Serif")}'
            for name in SERIF
        ),
        f"<match>{_DRAWN.format(mode='append', kind='Sans')}</fontconfig>",
    ]
)

Shots = dict[str, Image.Image]  # by what they show


@dataclass(frozen=True)
class Picture:
    """A picture of the docs: shots side by side, the part of each that is shown (left, top, right, bottom), its width."""

    shots: tuple[str, ...]
    part: tuple[float, float, float, float] = (0, 0, 1, 1)
    width: int = 1000


PICTURES = {
    "allocation": Picture((f"{SCENARIO}/allocation 图2",)),
    "explain": Picture(("explorer 说明",)),
    "uncertainty": Picture((f"{SCENARIO}/uncertainty 图1",)),
    "budget": Picture(("budget/budget 图2",)),
    "proposal": Picture(tuple(f"{SCENARIO}/report.docx {page}" for page in ("01", "02", "12")), width=1400),
    "workbook": Picture((f"{SCENARIO}/report.xlsx 06",), (0, 0.03, 1, 0.82)),
    "unit": Picture((f"{SCENARIO}/units/440000-广东.pdf 1",), (0, 0.02, 1, 0.68)),
    "explorer": Picture(("explorer 移动滑块",), width=1200),
    "template": Picture(("因素表.xlsx 1",), (0.05, 0.07, 0.95, 0.42), 1200),
}


def make(folder: Path) -> Path:
    """All that the project writes for people, from the shipped data."""
    folder.mkdir(parents=True)
    trial = folder / "提高西部下限.toml"
    trial.write_text(TRIAL, encoding="utf-8")
    za.run(SCENARIO, folder, units="all")
    za.run_budget(za.BudgetRequest(BATCHES), folder)
    za.run_comparison([SCENARIO, trial], folder)
    za.write_template(folder / "因素表.xlsx")
    listed = za.firms.made_up_firms(total=600)
    of_one = listed.only(listed.table.index[listed.table["unit"] == "330000"][:12])
    award = za.load_award("caijian-2024-148")
    document("plan", Dossier(1, award, "330000", firms=of_one), folder / "实施方案.docx")
    review = za.firms.review(of_one, None, datetime.date(2024, 7, 31))
    document("opinion", Dossier(1, review.conditions.award, "330000", review=review), folder / "审核意见.docx")
    with tempfile.TemporaryDirectory() as work:
        for name in ("data", "firms"):
            write_page(folder / f"{name}.html", {}, Heading(SCENARIO), Path(work))
    return folder


def office_pdf(path: Path, work: Path) -> Path:
    """A workbook or document as LibreOffice prints it."""
    (work / "fonts.conf").write_text(FONTS, encoding="utf-8")
    home = (work / "office").as_uri()
    command = ["soffice", f"-env:UserInstallation={home}", "--headless", "--convert-to", "pdf", "--outdir", str(work)]
    environment = os.environ | {"FONTCONFIG_FILE": str(work / "fonts.conf")}
    subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=180, env=environment)
    return work / f"{path.stem}.pdf"


def printed(path: Path, label: str, work: Path) -> Shots:
    """The pages of a PDF, workbook or document."""
    pdf = path if path.suffix == ".pdf" else office_pdf(path, work)
    target = work / label.replace("/", "-")
    subprocess.run(["pdftoppm", "-png", "-r", str(DPI), str(pdf), str(target)], check=True, timeout=180)
    return {
        f"{label} {page.stem.rpartition('-')[2]}": picture_of(page.read_bytes())
        for page in sorted(work.glob(f"{target.name}-*.png"))
    }


def figures(page: Any, path: Path, label: str) -> Shots:
    """The figures of a page, in the size in which they are copied."""
    shots = {}
    held = re.findall(r'src="(data:image/svg[^"]+)"', path.read_text(encoding="utf-8"))
    for number, source in enumerate(held, start=1):
        page.set_content(f'<img src="{source}">')
        shots[f"{label} 图{number}"] = picture_of(page.locator("img").screenshot())
    return shots


def screens(page: Any, path: Path, label: str) -> Shots:
    """A page from top to bottom in pieces, on a desk and on a telephone."""
    shots = {}
    for where, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        whole = picture_of(page.screenshot(full_page=True))
        for number, top in enumerate(range(0, whole.height, PIECE), start=1):
            piece = whole.crop((0, top, whole.width, min(top + PIECE, whole.height)))
            shots[f"{label}{where} {number:02}"] = piece
    return shots


def explorer(work: Path) -> Shots:
    """The explorer at its start, after a move, where rules clash, and on a telephone."""
    shots: Shots = {}
    with served(work) as address, opened(address, 1280, 2600) as (page, _):
        shots["开始"] = picture_of(page.screenshot())
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.locator("[id='w..little_giants']").press("PageUp")
        page.locator("#view", has_text="广东 −4").wait_for()
        page.locator("#map g[data-unit]", has_text="四川").click()
        page.locator("#why", has_text="四川的名额为").wait_for()
        shots["移动滑块"] = picture_of(page.screenshot())
        shots["说明"] = picture_of(page.locator("#why").screenshot())
        page.locator("#floor").fill("29")
        page.locator("#floor").press("Tab")
        page.locator("#message .failure").wait_for()
        shots["规则冲突"] = picture_of(page.screenshot())
        page.get_by_role("button", name="按代价最小的办法放宽").click()
        page.locator("#message .failure").wait_for(state="detached")
        page.set_viewport_size({"width": 390, "height": 3600})
        page.wait_for_timeout(500)
        shots["手机"] = picture_of(page.screenshot())
    return {f"explorer {name}": shot for name, shot in shots.items()}


def picture_of(data: bytes) -> Image.Image:
    """A PNG as a picture without transparency."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def contact_sheets(shots: Shots) -> Iterator[Image.Image]:
    """Pictures side by side in rows, labelled, so many to a sheet."""
    font, top, sheet = ImageFont.truetype(str(sans_path()), 13), HIGH, None
    named = list(shots.items())
    for start in range(0, len(named), COLUMNS):
        row = [(name, smaller(shot)) for name, shot in named[start : start + COLUMNS]]
        height = max(small.height for _, small in row) + LABEL + GAP
        if top + height > HIGH:
            if sheet is not None:
                yield sheet
            sheet, top = Image.new("RGB", (COLUMNS * (WIDE + GAP), HIGH), "#888888"), 0
        for column, (name, small) in enumerate(row):
            x = column * (WIDE + GAP)
            ImageDraw.Draw(sheet).text((x + 4, top), name, font=font, fill="white")
            sheet.paste(small, (x, top + LABEL))
        top += height
    if sheet is not None:
        yield sheet


def smaller(shot: Image.Image) -> Image.Image:
    """A shot as a contact sheet shows it."""
    small = shot.copy()
    small.thumbnail((WIDE, HIGH - LABEL - GAP))
    return small


def docs_picture(wanted: Picture, shots: Shots) -> Image.Image:
    """A picture of the docs, small enough to be kept with them."""
    left, top, right, bottom = wanted.part
    parts = [
        shot.crop((int(left * shot.width), int(top * shot.height), int(right * shot.width), int(bottom * shot.height)))
        for shot in (shots[name] for name in wanted.shots)
    ]
    whole = Image.new("RGB", (sum(part.width for part in parts), max(part.height for part in parts)), "white")
    for number, part in enumerate(parts):
        whole.paste(part, (sum(before.width for before in parts[:number]), 0))
    whole.thumbnail((wanted.width, whole.height))
    return whole.quantize(
        64, method=Image.Quantize.FASTOCTREE
    )  # the median cut takes the colours of a small legend for one


def main() -> None:
    """Make, show, and print where the sheets are."""
    asked = argparse.ArgumentParser(description="Every figure, page, sheet and document as PNG.")
    asked.add_argument("--made", type=Path, help="reports that are there already")
    given, out = asked.parse_args().made, ROOT / "reports" / "gallery"
    shutil.rmtree(out, ignore_errors=True)
    made = make(out / "made") if given is None else given
    with tempfile.TemporaryDirectory() as folder, browser() as window:
        groups: dict[str, Shots] = {"figures": {}}
        for path in sorted(made.rglob("*.*")):
            if path.parent.name == "units" and "-" in path.stem and path.stem.partition("-")[2] not in UNITS:
                continue
            label = str(path.relative_to(made).with_suffix("" if path.suffix == ".html" else path.suffix))
            if path.suffix == ".html":
                groups["figures"] |= figures(window.new_page(), path, label)
                groups[label] = screens(window.new_page(), path, label)
            elif path.suffix in {".xlsx", ".docx", ".pdf"}:
                groups[label] = printed(path, label, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        groups["explorer"] = explorer(Path(folder))
    for title, shots in groups.items():
        (kept := out / "shots" / title).mkdir(parents=True)
        for name, shot in shots.items():
            shot.save(kept / f"{name.rpartition('/')[2]}.png")
        for number, sheet in enumerate(contact_sheets(shots), start=1):
            path = out / f"{title.replace('/', '-')}-{number}.png"
            sheet.save(path)
            print(path.relative_to(ROOT))
    every = {name: shot for shots in groups.values() for name, shot in shots.items()}
    for name, wanted in PICTURES.items():
        docs_picture(wanted, every).save(ROOT / "docs" / "pictures" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
