"""The contact sheets of ``make gallery`` lose nothing, and the pictures of the docs are those it makes, and small."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

import zjtx_alloc as za

DOCS = Path(za.__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_contact_sheets_show_every_shot_whole(gallery):
    shades = [(10 * number, 255 - 10 * number, 7) for number in range(1, 12)]
    sizes = [(800, 300 + 400 * number) for number in range(len(shades))]
    shots = {f"图{n}": Image.new("RGB", size, shade) for n, (size, shade) in enumerate(zip(sizes, shades, strict=True))}
    counted = {}
    for sheet in gallery.contact_sheets(shots):
        counted |= {shade: number for number, shade in sheet.getcolors(sheet.width * sheet.height) if shade in shades}
    assert counted == {
        shade: small.width * small.height
        for shade, small in zip(shades, map(gallery.smaller, shots.values()), strict=True)
    }


def test_a_picture_of_the_docs_shows_the_part_that_is_asked_for(gallery):
    shot = Image.new("RGB", (400, 200), "white")
    shot.paste("black", (200, 100, 400, 200))
    made = gallery.docs_picture(gallery.Picture(("a", "a"), (0.5, 0.5, 1, 1), width=200), {"a": shot})
    assert made.size == (200, 50)
    assert made.convert("RGB").getcolors() == [(10_000, (0, 0, 0))]


def test_the_pictures_of_the_docs_are_those_of_the_gallery_and_small(gallery):
    kept = sorted((DOCS / "pictures").glob("*.png"))
    assert {path.stem for path in kept} == set(gallery.PICTURES)
    for path in kept:
        assert path.stat().st_size < 200_000, path.name
        with Image.open(path) as picture:
            assert min(picture.size) > 200, path.name


def test_a_picture_of_the_docs_keeps_apart_the_colours_of_a_legend(gallery):
    shot = Image.linear_gradient("L").convert("RGB").resize((300, 300))  # greys, as of letters, are most of it
    colours = {(102, 170, 209): (5, 5), (102, 197, 171): (40, 5), (230, 158, 102): (75, 5), (0, 158, 115): (110, 5)}
    for colour, (left, top) in colours.items():
        shot.paste(colour, (left, top, left + 20, top + 8))
    made = gallery.docs_picture(gallery.Picture(("a",), width=300), {"a": shot}).convert("RGB")
    for colour, (left, top) in colours.items():
        seen = made.getpixel((left + 10, top + 4))
        assert max(abs(a - b) for a, b in zip(seen, colour, strict=True)) <= 8, (colour, seen)
