"""Of third-party files the site keeps what its pages use, and that whole."""

import shutil
from importlib.resources import files

import pytest
from fontTools.ttLib import TTFont

from tools.site import vendor

THEME = files("pydata_sphinx_theme") / "theme/pydata_sphinx_theme/static"


@pytest.fixture
def static(tmp_path):
    shutil.copytree(THEME, tmp_path / "_static")
    return tmp_path / "_static"


def test_icons_are_those_used(static) -> None:
    used = vendor.icons_used(['<i class="fas fa-rocket"></i>', 'icon = "fa-github";'])
    assert used == {"fa-rocket", "fa-github"}
    vendor.cut_icons(static, used)
    css = (static / "styles/pydata-sphinx-theme.css").read_text("utf-8")
    assert ".fa-rocket:before" in css
    assert ".fa-rocketchat:before" not in css
    assert ".ttf" not in css
    assert ".woff2" not in css
    fonts = static / "vendor/fontawesome/webfonts"
    assert sorted(path.suffix for path in fonts.iterdir()) == [".woff"] * 3
    with TTFont(fonts / "fa-solid-900.woff") as font:
        assert 0xF135 in font.getBestCmap()
        assert 0xF1EC not in font.getBestCmap()  # a calculator
    with TTFont(fonts / "fa-brands-400.woff") as font:
        assert 0xF09B in font.getBestCmap()


def test_mathjax_is_what_the_configuration_loads(tmp_path) -> None:
    vendor.copy_mathjax(tmp_path)
    found = {path.relative_to(tmp_path / "mathjax").as_posix() for path in tmp_path.rglob("*.js")}
    assert found == {name for name in vendor.MATHJAX if name.endswith(".js")}
    assert len(list(tmp_path.rglob("*.woff"))) > 15


def test_missing_mathjax_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(vendor.importlib.metadata, "files", lambda name: [])
    with pytest.raises(FileNotFoundError, match="sphinx-mathjax-offline"):
        vendor.copy_mathjax(tmp_path)
