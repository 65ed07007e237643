"""The report as a web page: well formed, complete, safe, and nothing to load."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.legible import legible_line
from layerguard.verdict import BlobState
from layerguard_cli.reports.as_html import render
from layerguard_cli.reports.audit_report import AuditReport
from layerguard_cli.reports.html_style import STYLE

from tests.cli.reports import reports
from tests.fakes import HOST, digest_of, manifest

VOID = {"meta"}


class Page(HTMLParser):
    """A page as it was read: its elements, its text, and whether every element was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append((self.open[-1], data))

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(data for _, data in self.words))

    def all(self, tag: str, of: str = "") -> list[dict[str, str | None]]:
        """The attributes of the elements of this name and class."""
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and (not of or of in (attributes.get("class") or "").split())
        ]


def luminance(colour: str) -> float:
    """Source: Web Content Accessibility Guidelines 2.2, "relative luminance"."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("make", [reports.full, reports.clean, reports.empty, reports.interrupted])
def test_every_page_is_well_formed_and_always_the_same(make: Callable[[], AuditReport]) -> None:
    Page(render(make()))
    assert render(make()) == render(make())


def test_a_page_has_a_language_a_title_one_main_heading_and_headings_in_order() -> None:
    page = Page(render(reports.full()))
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert page.all("html") == [{"lang": "en"}]
    assert any(tag == "title" and data.startswith("Layerguard: ") for tag, data in page.words)
    assert headings.count(1) == 1
    assert headings[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(headings))


def test_a_page_runs_nothing_and_loads_nothing() -> None:
    text = render(reports.full())
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not {name for _, attributes in page.elements for name in attributes} & {"src", "href"}
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "default-src 'none'" in text


def test_the_outcome_the_counts_and_the_sources_are_read_in_this_order() -> None:
    text = Page(render(reports.full())).text
    order = (
        "Layerguard audit of 2026-11-24, 09:30 UTC",
        "5 image uses are unavailable, 1 image use is undetermined, 1 image use is pending, "
        "the sources could not be read in full.",
        "✕ unavailable5",
        "? undetermined1",
        "… pending1",
        "○ skipped1",
        "✓ available3",
        "Images checked: 6. Layers: 14.",
        "acme/shop/production",
        "stack, image uses: 8",
        "deploy/my app.yaml",
        "Not read in full Document 3 is not YAML.",
        "Made by Layerguard",
    )
    places = [text.find(each) for each in order]
    assert -1 not in places
    assert places == sorted(places)


def test_the_most_urgent_images_come_first() -> None:
    states = [each.get("class") for each in Page(render(reports.full())).all("article")]
    assert states == [
        *["unavailable"] * 4,
        "undetermined",
        "pending",
        "available",
        "available",
        "unavailable",
        "skipped",
        "available",
    ]


def test_an_image_has_what_why_what_to_do_and_where() -> None:
    article = render(reports.full()).split("<article")[1]
    lost = digest_of(reports.layer("lost", 4_000))
    text = Page(f"<article{article}").text
    reference = f"{HOST}/shop/web:broken"
    assert text.startswith(
        f" {reference} ✕ unavailable layer-missing "
        "The image's manifest is in ECR, and at least one of its layers (or its config) is not. "
        f"Next step: push the image again, which uploads what is missing: docker push {reference} "
        "all layers4 layers with the config, 82.8 MB ✓✕✓✓ "
        "Layers that are not available digestplacestatesize "
        f"{lost}layer 2 of 3✕ unavailable41,932,000 bytes "
        "resourceurn:pulumi:production::shop::aws:ecs/taskDefinition:TaskDefinition::broken "
        "propertycontainerDefinitions[0].image containerweb platformlinux/amd64 digest"
    )


def test_an_image_that_stops_no_deployment_is_marked_with_the_reason() -> None:
    text = Page(render(reports.full())).text
    assert text.count("a notice that stops no deployment: ") == 1
    assert (
        "image-not-found, a notice that stops no deployment: The text is only handed on, so it is not certain that anything pulls it."
        in text
    )


def test_a_bar_has_a_segment_for_every_layer_as_wide_as_it_is_large_and_a_label() -> None:
    article = render(reports.full()).split("<article")[1]
    page = Page(f"<article{article}")
    [bar] = page.all("div", "bar")
    assert [each.get("style") for each in page.all("span", "layer")] == [
        f"flex-grow:{size * reports.SCALE}" for size in (2_900, 4_000, 1_000, 1)
    ]
    assert [each.get("class") for each in page.all("span", "layer")] == [
        "layer available",
        "layer unavailable",
        "layer available",
        "layer available",
    ]
    assert bar.get("role") == "img"
    assert bar.get("aria-label") == (
        "all layers: 4 layers with the config, 82.8 MB; layer 2 of 3 unavailable, 41,932,000 bytes."
    )


def test_every_manifest_of_an_index_has_its_bar() -> None:
    article = render(reports.full()).split("<article")[3]
    labels = [each.get("aria-label") for each in Page(f"<article{article}").all("div", "bar")]
    assert labels == [
        "linux/amd64: 3 layers with the config, 82.8 MB; all available.",
        "linux/arm64: 3 layers with the config, 74.4 MB; "
        "layer 2 of 2 unavailable, 46,125,200 bytes.",
    ]


def test_the_legend_has_every_state_each_with_its_own_letter_and_pattern() -> None:
    page = Page(render(reports.clean()))
    legend = page.all("span", "layer")[: len(BlobState)]
    letters = [data for tag, data in page.words if tag == "b"][: len(BlobState)]
    names = {f"layer {state.name.lower()}" for state in BlobState}
    assert {each.get("class") for each in legend} == names
    assert len(set(letters)) == len(BlobState)
    for state in BlobState:
        assert state is BlobState.AVAILABLE or f".layer.{state.name.lower()} {{" in STYLE


def test_words_and_letters_stand_out_in_light_and_in_dark() -> None:
    themes = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in STYLE.split("@")]
    for theme in (themes[0], themes[1]):
        words = ("ink", "soft", "good", "bad", "cold", "none")
        assert min(contrast(theme[word], theme["sheet"]) for word in words) >= 4.5
        assert min(contrast(theme[word], theme["paper"]) for word in words) >= 4.5
        assert contrast(theme["ink"], theme["notice"]) >= 4.5
        states = ("good", "bad", "cold", "odd")
        assert min(contrast(theme[state], theme["on-state"]) for state in states) >= 4.5


def test_an_interrupted_audit_is_marked_at_the_top_and_lists_what_it_did_not_check() -> None:
    text = Page(render(reports.interrupted())).text
    top, _, rest = text.partition("✕ unavailable")
    assert "This audit is not complete. It was interrupted before its end." in top
    assert f"Not checked containerDefinitions[0].image: {HOST}/shop/web:broken" in rest
    assert "not complete" not in Page(render(reports.full())).text


def test_an_image_with_the_most_layers_a_manifest_may_have_stays_in_its_bar() -> None:
    registry = reports.registry()
    registry.put(manifest(*(f"layer {number}" for number in range(127))), "whole")
    source = reports.clean().sources[0].source
    assert "--layers:128" in render(reports.audit(source, registry=registry))


@given(text=st.text() | st.text("<>&\"'/=!- \n", max_size=40))
def test_any_text_is_text_and_nothing_else(text: str) -> None:
    plain = Page(render(reports.one_bad("x", "x")))
    page = Page(render(reports.one_bad(text, text)))
    shown = legible_line(text)
    assert [tag for tag, _ in page.elements if tag != "dt"][:20] == [
        tag for tag, _ in plain.elements if tag != "dt"
    ][:20]
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements}
    assert shown in "".join(data for tag, data in page.words if tag == "code")
    assert shown in "".join(data for tag, data in page.words if tag == "p")
