"""The frame of every page: nothing loaded from anywhere, Chinese shown even where no Chinese font is installed."""

import base64
import html
import string

import uharfbuzz

from zjtx_alloc.base.resources import shipped
from zjtx_alloc.report.writers.fonts import sans


def framed(title: str, body: str, foot: str) -> bytes:
    """A page of HTML: ``data/page.html`` around a body, with title and foot escaped."""
    frame = string.Template(shipped("data", "page.html").read_text(encoding="utf-8"))
    words = {"title": html.escape(title), "foot": html.escape(foot)}
    return frame.substitute(words, body=body, font=font_face(title + body + foot)).encode()


def font_face(text: str) -> str:
    """A CSS rule that holds the characters of a text beyond ASCII, as the family ``zjtx``: named last, used for want of another."""
    wanted = uharfbuzz.SubsetInput()
    wanted.unicode_set.update({ord(sign) for sign in text if not sign.isascii()})
    wanted.layout_feature_tag_set.clear()
    wanted.flags = uharfbuzz.SubsetFlags.NO_HINTING
    font = uharfbuzz.subset(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(sans()))), wanted)
    held = base64.b64encode(font.blob.data).decode("ascii")
    return f'@font-face {{ font-family: "zjtx"; src: url(data:font/otf;base64,{held}) format("opentype"); }}'
