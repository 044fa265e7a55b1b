"""What the book asks of Sphinx beyond Jupyter Book: the landing page is the site's `index.html`."""

import posixpath
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder


class BookBuilder(StandaloneHTMLBuilder):
    """The HTML builder, with the root document written to `index.html` wherever its source is."""

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """Where links to a document point."""
        root = docname == self.config.root_doc
        return super().get_target_uri("index" if root else docname, typ)

    def get_outfilename(self, pagename: str) -> str:
        """Where a page is written."""
        root = pagename == self.config.root_doc
        return super().get_outfilename("index" if root else pagename)


def _name_the_root_page(app: Sphinx, error: Exception | None) -> None:
    """Let search results link to `index.html`, not to the root document's own name."""
    index = Path(app.outdir) / "searchindex.js"
    if error is None and index.exists():
        text = index.read_text(encoding="utf-8")
        root = app.config.root_doc
        index.write_text(text.replace(f'"{root}"', '"index"', 1), encoding="utf-8")


def _address_the_root_page(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object
) -> None:
    """Give the landing page its own address, where the site's address is known."""
    if pagename == app.config.root_doc and context.get("pageurl"):
        context["pageurl"] = posixpath.join(app.config.html_baseurl, "index.html")


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_config_value(
        "comments_config", {}, ""
    )  # Jupyter Book sets it; sphinx_comments is left out
    app.add_builder(BookBuilder, override=True)
    app.connect("html-page-context", _address_the_root_page)
    app.connect("build-finished", _name_the_root_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
