"""The report in a real browser: its colours, its text, and on paper."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

import pytest
from layerguard_cli.reports.as_html import render
from PIL import Image
from pypdf import PdfReader

from tests.cli.reports import reports
from tests.cli.reports.browser import PICTURE, Browser, find

# As html_style.py has them: what a layer of this state is painted with.
LIGHT = {"available": (43, 111, 107), "unavailable": (179, 38, 30), "archived": (138, 90, 0)}
DARK = {"available": (111, 184, 177), "unavailable": (255, 138, 125), "archived": (224, 173, 76)}
# Where the bars are in a window of 1,120 pixels: in the page's column, within borders and paddings.
BAR = range(81, 1039)


@pytest.fixture
def chromium() -> str:
    found = find()
    if found is None:
        pytest.skip("there is no Chromium here")
    return found


def painted(picture: Image.Image) -> Counter[tuple[int, ...]]:
    """How many pixels have each colour."""
    pixels = picture.getcolors(picture.width * picture.height)
    assert pixels
    return Counter({colour: count for count, colour in pixels if isinstance(colour, tuple)})


def rows_of_bars(
    picture: Image.Image, colours: Mapping[str, tuple[int, ...]]
) -> Iterator[list[tuple[str, int]]]:
    """The rows of pixels that cross a bar: each state from left to right, and its width."""
    names = {colour: name for name, colour in colours.items()}
    for y in range(picture.height):
        row = [names.get(picture.getpixel((x, y))) for x in BAR]  # type: ignore[arg-type]
        if sum(name is not None for name in row) > len(BAR) // 2:
            yield [(name, len(list(run))) for name, run in groupby(filter(None, row))]


def bars(picture: Image.Image, colours: Mapping[str, tuple[int, ...]]) -> list[list[str]]:
    """The states that a reader sees from left to right in each bar, from top to bottom."""
    seen = ([name for name, _ in row] for row in rows_of_bars(picture, colours))
    return [states for states, _ in groupby(seen)]


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)], ids=["light", "dark"])
def test_a_layer_that_is_missing_has_another_colour_in_the_middle_of_its_bar(
    chromium: str, tmp_path: Path, dark: bool, colours: Mapping[str, tuple[int, ...]]
) -> None:
    browser = Browser(chromium, tmp_path, render(reports.full()))
    picture = browser.picture(height=3600, dark=dark)
    seen = bars(picture, colours)
    assert ["available", "unavailable", "available"] in seen
    assert ["available", "archived", "available"] in seen
    assert ["available"] in seen
    (background, _), *_ = painted(picture).most_common(1)
    assert (sum(background) < 3 * 64) == dark


def test_a_layer_is_as_wide_as_it_is_large(chromium: str, tmp_path: Path) -> None:
    picture = Browser(chromium, tmp_path, render(reports.full())).picture()
    # The bar of web:broken: layers of 2,900, 4,000 and 1,000 parts, and a small config.
    widths = [
        [width for _, width in row]
        for row in rows_of_bars(picture, LIGHT)
        if [name for name, _ in row] == ["available", "unavailable", "available"]
    ]
    first = max(row[0] for row in widths)
    assert first / len(BAR) == pytest.approx(2_900 / 7_900, abs=0.02)


def test_a_clean_report_has_no_alarm_but_in_its_legend(chromium: str, tmp_path: Path) -> None:
    picture = Browser(chromium, tmp_path, render(reports.clean())).picture()
    seen = bars(picture, LIGHT)
    assert seen == [["available"]]


def test_a_narrow_window_cuts_nothing_off(chromium: str, tmp_path: Path) -> None:
    # Chromium makes no window narrower than 500 pixels.
    picture = Browser(chromium, tmp_path, render(reports.full())).picture(500, 5000)
    (paper, _), *_ = painted(picture.crop((484, 0, 500, 5000))).most_common(1)
    assert painted(picture.crop((490, 0, 500, 5000))) == {paper: 10 * 5000}


def test_on_paper_it_has_every_word_and_its_colours(chromium: str, tmp_path: Path) -> None:
    report = reports.full()
    pdf = PdfReader(Browser(chromium, tmp_path, render(report)).pdf())
    # A font may draw "fi" as one character.
    words = unicodedata.normalize("NFKC", "".join(page.extract_text() for page in pdf.pages))
    text = re.sub(r"\s+", "", words)
    assert len(pdf.pages) > 1
    for source in report.sources:
        assert source.source.name.replace(" ", "") in text
        for finding in source.findings:
            assert re.sub(r"\s+", "", finding.verdict.reason) in text
            if finding.use.text:
                assert finding.use.text.replace(" ", "") in text
    drawn = b"".join(page.get_contents().get_data() for page in pdf.pages)  # type: ignore[union-attr]
    # The red of a missing layer, as fractions of 1: 179, 38 and 30 of 255.
    assert re.search(rb"\.70\d* \.14\d* \.11\d* rg", drawn)


def test_the_picture_in_the_documentation_is_small_and_shows_a_missing_layer() -> None:
    assert PICTURE.stat().st_size < 200_000
    states = [state for bar in bars(Image.open(PICTURE).convert("RGB"), LIGHT) for state in bar]
    assert {"available", "unavailable", "archived"} <= set(states)
