"""How ``make docs`` builds the site ``build/site`` with Sphinx from the documents of the repository.

Documents stay where they are and link to each other as files do, so each is read in the repository and on the site
alike. Pages ask nothing of another host and open from a folder, search included.
"""

import re
import shutil
from importlib import metadata
from itertools import pairwise
from pathlib import Path

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.util.docutils import SphinxDirective

import zjtx_alloc as za

_ = [getattr(package, name) for package in (za, za.firms) for name in package.__all__]  # before autodoc touches typing
ROOT = Path(za.__file__).parent.parent

project = "zjtx_alloc"
author = "The zjtx_alloc authors"
release = metadata.version("zjtx_alloc")
language = "zh_CN"
locale_dirs = [str(ROOT / "docs" / "site" / "locale")]
root_doc = "README.zh-CN"
include_patterns = ["*.md", "docs/**.md"]  # docs/site/navigation.txt says in which order
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
numpydoc_show_class_members = False

html_theme = "furo"
html_title = "zjtx_alloc 使用手册"
html_static_path = ["site/style.css"]
html_css_files = ["style.css"]
html_show_search_summary = False  # would be fetched, which a page opened from a folder may not
html_copy_source = html_show_sphinx = html_show_copyright = False
_FONTS = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC"'
html_theme_options = {
    "light_css_variables": {"font-stack": f"system-ui, -apple-system, 'Segoe UI', {_FONTS}, sans-serif"},
}
_STUB_LINE = re.compile(r"^from \.([\w.]+) import (\([^)]*\)|[^\n]*)", flags=re.MULTILINE)
_SIGNATURE = re.compile(r'<dl>\n(<dd><em class="sig-param">.*?)</dl>', flags=re.DOTALL)


class Public(SphinxDirective):
    """``public:: quota``: the public names of a folder of the package, as its stub lists them, from their docstrings."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One ``autofunction``, ``autoclass``, ``autoexception`` or ``autodata`` a name."""
        folder, lines = self.arguments[0], ["```{eval-rst}"]
        for package, within in ((za, folder), *([(za.firms, "")] * (folder == "firms"))):
            for name in public_names(package, within):
                kind = kind_of(getattr(package, name))
                lines += [f".. auto{kind}:: {package.__name__}.{name}", *(["   :members:"] * (kind == "class")), ""]
        return self.parse_text_to_nodes("\n".join([*lines, "```"]), allow_section_headings=True)


def public_names(package: object, folder: str) -> list[str]:
    """Names that the stub of a package takes from a folder of it, in the order of the stub."""
    stub = Path(package.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    return [
        name
        for module, names in _STUB_LINE.findall(stub)
        if module.startswith(folder)
        for name in re.findall(r"(\w+) as \1", names)
    ]


def kind_of(value: object) -> str:
    """What autodoc calls it."""
    if isinstance(value, type):
        return "exception" if issubclass(value, Exception) else "class"
    return "function" if callable(value) else "data"


class ChineseInPairs(SearchEnglish):
    """Chinese text is indexed and asked by pairs of neighbouring characters: any word is found, without a dictionary."""

    lang = "zh"
    js_splitter_code = r"""
var splitQuery = (query) =>
  (query.match(/[\u3400-\u9fff]+|(?:(?![\u3400-\u9fff])[\p{Letter}\p{Number}_])+/gu) || []).flatMap((run) =>
    /^[\u3400-\u9fff]{3,}$/.test(run) ? Array.from(run).slice(1).map((_, at) => run.slice(at, at + 2)) : [run]);
"""

    def split(self, text: str) -> list[str]:
        """Pairs of Chinese characters, and words of other scripts."""
        runs = re.findall(r"[\u3400-\u9fff]+|[^\W\u3400-\u9fff]+", text)
        return [part for run in runs for part in (map("".join, pairwise(run)) if run[0] >= "\u3400" else [run])]


def with_navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """The front page is the Chinese README; what stands on the site's side is kept apart from it."""
    if docname == root_doc:
        source[0] += "\n" + (ROOT / "docs" / "site" / "navigation.txt").read_text(encoding="utf-8")


def for_everyone(app: Sphinx, page: str, template: str, context: dict[str, object], tree: object) -> None:
    """What a screen reader or a keyboard misses: levels of headings, blocks that scroll, lists of parameters that are none."""
    captions, body = (str(context.get(part, "")) for part in ("furo_navigation_tree", "body"))
    context["furo_navigation_tree"] = captions.replace('role="heading"', 'role="heading" aria-level="2"')
    body = body.replace("<pre>", '<pre tabindex="0">')
    context["body"] = _SIGNATURE.sub(lambda found: f"<div>{found[1].replace('dd>', 'div>')}</div>", body)


def with_index(app: Sphinx, failed: Exception | None) -> None:
    """The theme's two sidebars have names of their own; the front page is ``index.html`` too, which opens a folder."""
    if not failed:
        for page in Path(app.outdir).rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            for drawer, name in (("sidebar", "全部文档"), ("toc", "本页内容")):
                text = text.replace(
                    f'<aside class="{drawer}-drawer', f'<aside aria-label="{name}" class="{drawer}-drawer'
                )
            page.write_text(text, encoding="utf-8")
        shutil.copy(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def with_plain_defaults(app: Sphinx, kind: str, name: str, value: object, options: object, *signature: str) -> object:
    """A default that a dataclass makes anew has no value to be shown, and what autodoc writes for it cannot be parsed."""
    return tuple(part and part.replace("<factory>", "...") for part in signature)


def setup(app: Sphinx) -> None:
    """What is added to Sphinx."""
    app.add_directive("public", Public)
    app.add_search_language(ChineseInPairs)
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", with_navigation)
    app.connect("autodoc-process-signature", with_plain_defaults)
    app.connect("html-page-context", for_everyone, priority=900)  # after the theme's own
    app.connect("build-finished", with_index)
