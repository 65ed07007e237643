"""A report in JSON is read again as what was written, and several are joined as one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.legible import legible_line
from layerguard_cli.audit.report_writer import exit_code_of
from layerguard_cli.reports.as_json import pieces, render
from layerguard_cli.reports.audit_report import AuditReport, needs_attention
from layerguard_cli.reports.formats import FORMATS, TableLayout
from layerguard_cli.reports.from_json import read_report
from layerguard_cli.reports.joined import joined
from layerguard_sandbox.engine import ROOT

from tests.cli.reports import reports

SCHEMA = json.loads((ROOT / "docs" / "audit-report.schema.json").read_text(encoding="utf-8"))
REPORTS = {"full": reports.full, "clean": reports.clean, "interrupted": reports.interrupted}


def again(folder: Path, report: AuditReport) -> AuditReport:
    path = folder / "report.json"
    path.write_text(render(report))
    return read_report(path)


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_what_is_read_is_what_was_written(tmp_path: Path, make: Any) -> None:
    written = json.loads(render(make()))
    jsonschema.validate(written, SCHEMA)
    assert json.loads(render(again(tmp_path, make()))) == written


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_report_that_was_read_is_shown_in_every_format(
    tmp_path: Path, make: Any, name: str
) -> None:
    read = again(tmp_path, make())
    text = "".join(FORMATS[name].render(read, TableLayout()))
    for finding in filter(needs_attention, make().findings):
        assert finding.verdict.code.text in text
    assert exit_code_of(read) == exit_code_of(make())


def test_the_pieces_are_the_document() -> None:
    found = list(pieces(reports.full()))
    assert len(found) > 2
    assert json.loads("".join(found)) == json.loads(render(reports.full()))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "It is no JSON document."),
        ("[" * 100_000, "It is no JSON document."),
        ("[]", "It is no report that layerguard audit --format json made."),
        ('{"schemaVersion": "2.0"}', "It is a report of version 2.0; only 1 is known."),
        ('{"schemaVersion": "1.9"}', "It is a report that is damaged, or of a later version."),
    ],
)
def test_a_file_that_is_no_report_is_a_problem_of_the_report(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    (source,) = read_report(path).sources
    assert (source.source.name, source.source.problems) == (str(path), (problem,))
    assert exit_code_of(joined([reports.clean(), read_report(path)])) == 2


@given(st.data())
def test_any_change_of_a_report_is_read_or_a_problem(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    document = json.loads(render(reports.full()))
    where: Any = document
    while isinstance(where, (dict, list)) and where:
        keys = list(where) if isinstance(where, dict) else list(range(len(where)))
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()) or not isinstance(where[key], (dict, list)):
            where[key] = data.draw(st.none() | st.integers() | st.text(max_size=3) | st.just([]))
            break
        where = where[key]
    path = tmp_path_factory.mktemp("changed") / "report.json"
    path.write_text(json.dumps(document))
    report = joined([read_report(path)])
    for form in FORMATS.values():
        assert "".join(form.render(report, TableLayout()))


def test_the_parts_of_a_sweep_are_all_of_it_and_each_image_counts_once(tmp_path: Path) -> None:
    whole = again(tmp_path, reports.full())
    parts = [replace(whole, sources=(source,)) for source in whole.sources]
    one = joined(parts)
    assert one.sources == whole.sources
    assert one.counts == whole.counts
    assert one.summary.images == joined([whole]).summary.images
    assert joined([whole, whole]).sources == whole.sources
    assert joined([whole, whole]).summary.layers == one.summary.layers
    assert joined([whole, whole]).summary.calls == 2 * whole.summary.calls


def test_of_two_audits_of_one_source_the_later_counts(tmp_path: Path) -> None:
    report = again(tmp_path, reports.full())
    earlier = replace(report, began=report.began - timedelta(hours=1))
    assert joined([report, earlier]).sources == report.sources
    assert joined([report, earlier]).began == earlier.began


def test_two_sources_of_one_name_that_differ_both_stay(tmp_path: Path) -> None:
    report = again(tmp_path, reports.full())
    first = next(each for each in report.sources if each.findings)
    less = replace(report, sources=(replace(first, findings=first.findings[:-1]),))
    names = [each.source.name for each in joined([replace(report, sources=(first,)), less]).sources]
    assert names == [first.source.name, f"{first.source.name} (2)"]


def test_a_part_that_is_not_complete_makes_the_whole_undetermined() -> None:
    report = joined([reports.clean(), replace(reports.clean(), complete=False)])
    assert not report.complete
    assert exit_code_of(report) == 2


def test_what_a_report_does_not_show_is_counted() -> None:
    report = reports.full()
    kept = replace(report, sources=tuple(each.keeping(needs_attention) for each in report.sources))
    assert kept.counts == report.counts
    assert kept.outcome == report.outcome
    assert len(kept.findings) < len(report.findings)
    for name in ("table", "markdown", "sarif"):
        shown = "".join(FORMATS[name].render(kept, TableLayout()))
        assert shown == "".join(FORMATS[name].render(report, TableLayout()))
    assert legible_line(kept.outcome) == kept.outcome
