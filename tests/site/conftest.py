"""One browser for all tests of the site; without one, say how many tests were left out."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Playwright,
    expect,
    sync_playwright,
)

HOW_TO_ADD = "apt-get install chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LEFT_OUT = "no Chromium"
expect.set_options(timeout=30_000)  # what a test waits for comes late on a busy machine


def find_chromium(playwright: Playwright) -> str | None:
    """The system's Chromium, or the one that playwright installed."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium. Missing, the test is left out; in CI that is a failure."""
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        if path is None:
            if os.environ.get("CI", "").lower() in ("1", "true"):
                pytest.fail(f"{LEFT_OUT}; add it with: {HOW_TO_ADD}")
            pytest.skip(LEFT_OUT)
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as error:
            pytest.fail(f"{path} does not start: {error}")
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile: no stored theme, nothing cached."""
    context = browser.new_context(reduced_motion="reduce")
    yield context
    context.close()


COUNT = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Count the browser tests that were left out."""
    skipped = terminalreporter.stats.get("skipped", [])
    config.stash[COUNT] = sum(LEFT_OUT in str(report.longrepr) for report in skipped)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End with how many those were, and the command that adds them."""
    if count := config.stash.get(COUNT, 0):
        print(  # noqa: T201
            f"\n{count} browser tests were left out: there is no Chromium. "
            f"Add it with: {HOW_TO_ADD}"
        )
