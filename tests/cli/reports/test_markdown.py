"""The report as Markdown: nothing that a user wrote breaks it, and it fits into a comment."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st
from layerguard.legible import legible_line
from layerguard_cli.reports.as_markdown import MAX_LENGTH, render
from layerguard_cli.reports.audit_report import AuditReport
from layerguard_cli.sources.source import Source, SourceKind

from tests.cli.reports import reports
from tests.cli.reports.reports import without_credentials
from tests.fakes import digest_of, manifest

HEADER = "| verdict | where | image | why, and what to do |"


def cells(line: str) -> list[str]:
    """The cells of a row, as GitHub splits it: no bar in them is escaped with a backslash."""
    return [cell.strip() for cell in line.split("|")[1:-1]]


def rows(report: AuditReport) -> list[list[str]]:
    """The rows of all tables of images."""
    tables = render(report).split(HEADER)[1:]
    lines = [line for table in tables for line in table.splitlines()[2:]]
    return [cells(line) for line in lines if line.startswith("|")]


def read(cell: str) -> str:
    """What a person reads of a cell."""
    return html.unescape(re.sub(r"<[^>]*>", " ", cell))


def flat(text: str) -> str:
    return legible_line(text, 500)


def test_the_heading_is_the_outcome_and_below_it_are_the_counts() -> None:
    assert render(reports.full()).split("\n\n### ")[0] == (
        "## ❌ Layerguard: 5 image uses are unavailable, 1 image use is undetermined, "
        "1 image use is pending, the sources could not be read in full\n"
        "\n"
        "| ❌ unavailable | ⚠️ undetermined | ⏳ pending | ⚪ skipped | ✅ available |\n"
        "|---:|---:|---:|---:|---:|\n"
        "| 5 | 1 | 1 | 1 | 3 |\n"
        "\n"
        "Images checked: 6. Layers: 14. Calls to ECR: 9. Seconds: 1.2."
    )


def test_a_clean_audit_is_short() -> None:
    assert render(reports.clean()).splitlines()[0] == (
        "## ✅ Layerguard: Every layer of every image in private ECR is available"
    )
    assert "###" not in render(reports.clean())


def test_an_audit_of_nothing_has_its_own_outcome() -> None:
    assert render(reports.empty()).startswith("## ✅ Layerguard: There is no image to check\n")


def test_an_interrupted_audit_lists_what_it_did_not_check() -> None:
    text = render(reports.interrupted())
    assert text.startswith("## ⚠️ Layerguard: The audit is not complete\n")
    assert text.endswith(
        "### <code>acme/shop/production</code>\n\n- image uses that were not checked: 1\n"
    )


def test_what_is_not_available_is_listed_by_source_the_worst_first() -> None:
    _, stack, file = render(reports.full()).split("\n### ")
    assert stack.startswith(f"<code>acme/shop/production</code>\n\n{HEADER}\n|---|---|---|---|\n")
    assert file.startswith(
        "<code>deploy/my app.yaml</code>\n\n- not read: Document 3 is not YAML.\n\n" + HEADER
    )
    assert [row[0] for row in rows(reports.full())] == [
        "❌ **layer-missing**",
        "❌ **layer-archived**",
        "❌ **layer-missing**",
        "❌ **image-not-found**",
        "⚠️ **access-denied**",
        "⏳ **unknown-in-preview**",
        "❌ **reference-invalid**",
    ]


def test_a_row_has_where_what_why_and_what_to_do() -> None:
    lost = digest_of(reports.layer("lost", 4_000))
    reference = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:broken"
    row = rows(reports.full())[0]
    assert (
        row[1]
        == "<code>broken</code><br><code>containerDefinitions&#91;0&#93;.image</code><br><code>web</code>"
    )
    assert read(row[2]).strip() == reference
    assert read(row[3]) == (
        "The image's manifest is in ECR, and at least one of its layers (or its config) is not. "
        " next step: push the image again, which uploads what is missing: docker push "
        f"{reference}  1 of 4 layers not available {lost} UNAVAILABLE (layer 2 of 3, 41,932,000 bytes) "
    ).replace(" next", "**next").replace("step:", "step:**")


def test_a_reference_that_is_not_known_yet_is_marked() -> None:
    assert rows(reports.full())[5][2] == "not known"


def test_a_layer_of_an_index_has_its_platform() -> None:
    assert "1 of 3 layers not available for linux/arm64" in rows(reports.full())[2][3]


def test_a_name_in_a_reason_notifies_no_user() -> None:
    [row] = rows(reports.one_bad("x", "ask @team about #12"))
    assert row[3].startswith("ask &#64;\u200bteam about &#35;\u200b12")


def test_an_image_that_misses_very_many_layers_is_clipped() -> None:
    registry = reports.registry()
    names = [f"layer {number}" for number in range(120)]
    registry.put(manifest(*names), "broken")
    for name in names:
        registry.lose(name)
    source = Source(reports.STACK, SourceKind.STACK, (reports.image("broken"),))
    [row] = rows(reports.audit(source, registry=registry))
    assert row[3].count("sha256") == 20
    assert row[3].endswith("<br>and 100 more layers</details>")


def test_a_long_report_is_cut_between_two_rows_and_counts_the_rest() -> None:
    uses = tuple(reports.image(f"gone-{number}") for number in range(1_000))
    report = reports.audit(
        Source("one", SourceKind.STACK, uses), Source("two", SourceKind.STACK, uses)
    )
    text = render(report)
    shown = rows(report)
    assert len(text) <= MAX_LENGTH
    assert all(len(row) == 4 for row in shown)
    assert text.endswith(
        "\n\n**There is more than fits into this comment: "
        f"{2_000 - len(shown):,} more image uses that are not available.**\n"
    )


@given(text=st.text() | st.text("|`\\<>&\n\r#*_[]()!-~@:", max_size=40))
def test_any_text_stays_in_its_cell(text: str) -> None:
    report = reports.one_bad(text, text)
    [row] = rows(report)
    assert len(row) == 4
    assert read(row[2]).strip() == flat(text).strip()
    assert "`" not in render(report)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_escaped_in_full(text: str) -> None:
    [row] = rows(reports.one_bad(text, text))
    bare = re.sub(r"</?code>|<br>|\*\*next step:\*\*|&#[0-9]+;", "", "".join(row[1:]))
    assert not set(bare) & set("!\"#$%&'*+:;<=>?@[\\]^_`{|}~")


def test_an_image_that_stops_no_deployment_has_the_reason() -> None:
    assert (
        "a notice that stops no deployment: The text is only handed on, so it is not certain that anything pulls it."
        in read(rows(reports.full())[3][3])
    )


def test_a_text_is_clipped() -> None:
    [row] = rows(reports.one_bad("x" * 100_000, "y" * 100_000))
    assert read(row[2]).strip() == "x" * 499 + "…"


def test_a_cause_that_is_not_about_one_image_is_one_row_with_every_place() -> None:
    (row,) = (
        line for line in render(without_credentials(3)).splitlines() if "no-credentials" in line
    )
    assert row.startswith("| ⚠️ **no-credentials** | 3 image uses | <code>aws")
    assert [row.count(f"web&#58;{tag}</code>") for tag in range(3)] == [1, 1, 1]
