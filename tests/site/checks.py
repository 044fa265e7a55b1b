"""What is asked of a page that is open in a browser. Each check returns the faults it found."""

import gzip
import importlib.resources
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import BrowserContext, Page, Request

MODES = {  # name -> width, height, colour scheme; in an order that changes one thing at a time
    "desktop light": (1280, 900, "light"),
    "desktop dark": (1280, 900, "dark"),
    "phone dark": (390, 844, "dark"),
    "phone light": (390, 844, "light"),
}
WEIGHT_LIMIT = 600 * 1024
AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


class Watcher:
    """Blocks everything outside the site and keeps what went wrong while a page loaded."""

    def __init__(self, context: BrowserContext) -> None:
        self.faults: list[str] = []
        self.files: set[Path] = set()
        context.route(re.compile(r"^(?!file:|data:|blob:|about:)"), lambda route: route.abort())
        context.on("request", self._note_request)
        context.on("requestfailed", self._note_failure)
        context.on("weberror", lambda error: self.faults.append(f"page error: {error.error}"))
        context.on("console", self._note_console)

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme == "file":
            self.files.add(Path(unquote(parts.path)))

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # aborted: the page was left before it came
            self.faults.append(f"request failed: {request.url}")

    def _note_console(self, message) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def collect(self) -> list[str]:
        """The faults since the last call."""
        faults, self.faults = self.faults, []
        return faults


def settle(page: Page) -> None:
    """Wait until the formulas are typeset and the fonts have come."""
    page.evaluate("""async () => {
        if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
        await document.fonts.ready;
    }""")


def switch(page: Page, mode: str) -> None:
    """Change size and colours of an open page."""
    width, height, scheme = MODES[mode]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")


def formulas(page: Page) -> list[str]:
    """Formulas left as TeX, refused by MathJax, or holding a command that it does not know."""
    return page.evaluate(r"""() => {
        const faults = [];
        const tell = (what, node) =>
            faults.push(`${what}: ${node.textContent.trim().slice(0, 60)}`);
        document.querySelectorAll(".math").forEach((formula) => {
            if (!formula.querySelector("mjx-container")) tell("not typeset", formula);
        });
        document.querySelectorAll("mjx-merror, [data-mjx-error]").forEach((e) => tell("wrong", e));
        document.querySelectorAll('mjx-container [mathcolor="red"]').forEach((e) =>
            tell("unknown command", e));
        const skipped = "pre, code, script, style, mjx-container, .math, .tips";
        const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (words.nextNode()) {
            const node = words.currentNode;
            if (node.parentElement.closest(skipped)) continue;
            if (/\$[^$\s][^$]*\$|\$\$|\\[([]|\\(begin|frac|mathbb|operatorname)\b/.test(node.data))
                tell("raw TeX", node);
        }
        return faults;
    }""")


def cut_formulas(page: Page) -> list[str]:
    """Formulas that begin left of the box in which they scroll, where nobody can scroll to."""
    return page.evaluate("""() => [...document.querySelectorAll("div.math")].flatMap((box) => {
        const inner = box.querySelector("mjx-math");
        if (!inner || box.closest("[hidden]")) return [];
        const start = inner.getBoundingClientRect().left + box.scrollLeft;
        return start < box.getBoundingClientRect().left - 1 ? [box.id || box.textContent] : [];
    })""")


def sideways(page: Page) -> list[str]:
    """Whether the page can be scrolled sideways, and what sticks out."""
    return page.evaluate("""() => {
        const width = document.documentElement.clientWidth;
        const over = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);
        if (over <= width) return [];
        const scrolls = (e) => e && e !== document.body && e !== document.documentElement &&
            (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
        const out = [...document.body.querySelectorAll("*")].filter((e) =>
            e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement));
        const names = out.slice(0, 5).map((e) => `${e.tagName}.${e.className}`);
        return [`${over} px wide on a screen of ${width} px: ${names.join(", ")}`];
    }""")


def stretched(page: Page) -> list[str]:
    """Pictures whose sides are not in the proportion they were drawn in."""
    return page.evaluate("""async () => {
        const pictures = [...document.querySelectorAll("article img")];
        pictures.forEach((e) => { e.loading = "eager"; });
        await Promise.all(pictures.map((e) => e.decode().catch(() => {})));
        return pictures.flatMap((e) => {
            if (!e.clientWidth || !e.naturalWidth) return [];
            const expected = e.clientWidth * e.naturalHeight / e.naturalWidth;
            const off = Math.abs(e.clientHeight - expected) > 2;
            return off ? [`${e.alt}: ${e.clientWidth} × ${e.clientHeight}`] : [];
        });
    }""")


def alt_texts(page: Page) -> list[str]:
    """Figures that are not described in human words."""
    pictures = page.evaluate("""() => [...document.querySelectorAll(
        "article img, article svg[role=img]")].map((e) => [
            e.getAttribute("src") || "svg",
            e.getAttribute("alt") || e.getAttribute("aria-label") || ""])""")
    return [f"{src}: alt text {text!r}" for src, text in pictures if not is_human(text)]


def is_human(text: str) -> bool:
    """At least three words, no hash and no file name."""
    words = re.findall(r"[^\W\d_]{2,}", text)
    return len(words) >= 3 and not re.search(r"[0-9a-f]{16,}|\.(png|svg|jpe?g|gif)\b", text)


def icons(page: Page, fonts: dict[str, set[int]]) -> list[str]:
    """Icons that draw nothing.

    Args:
        page: The page.
        fonts: The code points in each icon font, by the font's weight and family.
    """
    drawn = page.evaluate("""() => [...document.querySelectorAll("i[class*='fa-']")].map((e) => {
        const style = getComputedStyle(e, "::before");
        return [e.className, style.content, `${style.fontWeight} ${style.fontFamily}`];
    })""")
    faults = []
    for name, content, font in drawn:
        letters = content.strip('"')
        if (
            content == "none"
            or not letters
            or any(ord(c) not in fonts.get(font, ()) for c in letters)
        ):
            faults.append(f"{name}: {content} is not in {font}")
    return faults


def focus(page: Page) -> list[str]:
    """Keyboard stops at which nothing visible tells where the focus is: walk them all."""
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0); window.stops = []")
    faults = []
    for _ in range(2000):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUS)
        if found == "end":
            return faults
        if found:
            faults.append(found)
    return [*faults, "the Tab key never reached the end of the page"]


FOCUS = """() => {
    const stop = document.activeElement;
    if (stop === document.body || window.stops.includes(stop)) return "end";
    window.stops.push(stop);
    const around = [stop, ...stop.children, ...(stop.labels || [])];
    for (let e = stop.parentElement, i = 0; e && i < 3; e = e.parentElement, i++) around.push(e);
    const marks = (e) => {
        const s = getComputedStyle(e);
        const ring = s.outlineStyle === "none" || parseFloat(s.outlineWidth) === 0
            ? "none" : `${s.outlineWidth} ${s.outlineColor}`;
        return [ring, s.boxShadow, s.borderColor, s.backgroundColor].join("|");
    };
    const seen = (e) => {
        const box = e.getBoundingClientRect();
        if (box.width < 2 || box.height < 2) return false;
        if (box.right < 0 || box.left > innerWidth) return false;
        for (let a = e; a; a = a.parentElement) {
            const s = getComputedStyle(a);
            if (s.visibility === "hidden" || parseFloat(s.opacity) < 0.5) return false;
        }
        return true;
    };
    const with_focus = around.map((e) => [marks(e), seen(e)]);
    stop.blur();
    const without = around.map(marks);
    if (with_focus.some(([mark, visible], i) => visible && mark !== without[i])) return "";
    const text = (stop.getAttribute("aria-label") || stop.textContent || "").trim().slice(0, 40);
    return `no visible focus: ${stop.tagName}.${stop.className} "${text}"`;
}"""


def thin_code(page: Page, keep: int = 5) -> int:
    """Leave a few coloured words of each kind in the code of a page; the rest become plain text.

    Words of one kind have the same classes, as have all the elements around them, so whatever
    their colours are, they share them. A page has thousands, on which axe spends most of its time.
    It does not judge a single letter, and may not see a word where a box is scrolled.

    Args:
        page: The page; its text stays.
        keep: How many words of a kind stay.

    Returns:
        How many words are left.
    """
    return page.evaluate(
        """(keep) => {
        const counts = new Map();
        const words = [...document.querySelectorAll("pre span")].filter((word) =>
            !word.children.length && word.getAttributeNames().every((name) => name === "class"));
        const thinned = words.filter((word) => {
            const kind = [word.textContent.trim().length > 1];
            for (let e = word; e; e = e.parentElement)
                kind.push(e.tagName, e.className, e.style.cssText);
            const count = (counts.get(kind.join()) || 0) + 1;
            counts.set(kind.join(), count);
            return count > keep;
        });
        thinned.forEach((word) => word.replaceWith(word.textContent));
        return words.length - thinned.length;
    }""",
        keep,
    )


def axe(page: Page) -> list[str]:
    """What axe-core objects to."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
    violations = page.evaluate("""async () => {
        const options = { resultTypes: ["violations"], preload: false };
        const results = await axe.run(options);
        return results.violations.map((v) =>
            [v.id, v.help, v.nodes.slice(0, 3).map((node) => node.html)]);
    }""")
    return [f"{name}: {text}: {' · '.join(nodes)[:400]}" for name, text, nodes in violations]


def weight(page: Page, loaded: set[Path]) -> list[str]:
    """Whether all that the page loads, pictures that are further down included, is too heavy."""
    pictures = page.evaluate("[...document.images].map((e) => e.currentSrc || e.src)")
    files = loaded | {Path(unquote(urlsplit(url).path)) for url in pictures if "file:" in url}
    total = sum(transferred(file) for file in files)
    return [f"{total / 1024:.0f} KiB gzipped"] if total > WEIGHT_LIMIT else []


def transferred(file: Path) -> int:
    """Bytes that a server sends for a file: gzipped, or as it is where that is smaller."""
    data = file.read_bytes()
    return min(len(data), len(gzip.compress(data, 6)))
