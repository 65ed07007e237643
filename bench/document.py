"""The page: what was measured, in tables, the targets first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.cells import LATENCIES, SIZES, Cell, Contender, Scenario, StackShape
from bench.images import IMAGES_PER_REPOSITORY, LAYERS, SHARED_LAYERS, Layout
from bench.statistics import Sample, Spread, peak_bytes, seconds
from bench.sweep import sweep_section
from bench.targets import TARGETS, Results

_SCENARIOS = {
    Scenario.ANALYZE: "`pulumi policy analyze`",
    Scenario.PREVIEW: "`pulumi preview`",
    Scenario.UPDATE_AFTER_PREVIEW: "`pulumi up`, right after its preview",
    Scenario.UPDATE: "`pulumi up --skip-preview`, with no preview before",
    Scenario.HANDSHAKE: "Start to handshake",
    Scenario.LOOP: "Outside Pulumi: a command for each image",
}
_LAYOUTS = {
    Layout.OWN: "nothing shared",
    Layout.SHARED: "shared base",
    Layout.INDEX: "two-platform indexes",
    Layout.FUNCTION: "known platform",
}


_SELECTION = "This run measured a selection of the cells only, and not all that it could."


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run: what was measured, and where."""

    results: Results
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    rounds: int
    requests_per_second: float
    unavailable: Sequence[str]
    """Sentences about what could not be measured on this machine."""
    whole: bool = True
    """Whether every cell was to be measured, and not a selection."""


def document(run: Run, plot: str) -> str:
    """Return the page in Markdown; ``plot`` is the name of the picture beside it."""
    return "\n".join(
        (
            "# Benchmark",
            "",
            "`make bench` writes this page: every number below is of one run. The engine is the",
            "real one; times are wall times of whole commands, medians with the lowest and the",
            "highest of the rounds in brackets. Ratios are between medians of this run.",
            *(() if run.whole else (_SELECTION,)),
            "",
            "## Targets",
            "",
            *_targets(run.results),
            "",
            f"![Seconds against images, at 50 ms a round trip]({plot})",
            "",
            "## What was measured",
            "",
            *_method(run),
            "",
            "## The machine",
            "",
            *_table(("what", "value"), {**run.machine, **run.versions}.items()),
            "",
            *_tables(run.results),
            "## Requests to the registry",
            "",
            "Of one run each, at 50 ms; in updates after a preview, those of the update alone.",
            "",
            *_calls(run.results),
            "",
            *sweep_section(),
            "",
            "## What was not measured",
            "",
            *_not_measured(run),
            "",
        )
    )


def _targets(results: Results) -> Iterator[str]:
    rows = []
    for target in TARGETS:
        value = target.measured(results)
        result = ("-", "not measured") if value is None else (_number(value), "met")
        if value is not None and not target.is_met(value):
            result = (_number(value), "**not met**")
        most = target.most(results)
        rows.append((target.name, target.words, *result, "" if most is None else _number(most)))
    yield from _table(("situation", "target", "measured", "", "an empty pack"), rows)
    yield from (
        "",
        "The last column is how much faster than the naive pack one is that does nothing at all:",
        "no gate can avoid the cost of the engine.",
    )


def _method(run: Run) -> Iterator[str]:
    yield from (
        f"Each image has {LAYERS} layers, a config and one manifest. With nothing shared, every",
        "image has a repository and all of its layers to itself. With a shared base,",
        f"{IMAGES_PER_REPOSITORY} images are tags of one repository and {SHARED_LAYERS} of the",
        f"{LAYERS} layers are the same everywhere. The resources are task definitions of ECS, one",
        "for an image where nothing else is stated. They do not state their platform, but",
        "those of two-platform indexes are for Fargate on x86-64. Where the platform is known the",
        "resources are Lambda functions: the gate then reads the config of each image too, for the",
        "platform in it, which is one more call and one more download an image, and a",
        "third round trip; the naive pack does not look. Resources without an image are buckets.",
        "",
        "- **empty**: a pack with as many policies, none of which does anything: Pulumi's cost.",
        "- **naive** (bench/packs/naive): what one would write in an afternoon. It asks boto3",
        "  about one image after the other, two calls an image.",
        "- **layerguard**: the pack of this clone with its default configuration.",
        "- **aws-cli**: a loop over `aws ecr describe-images`; sees that an image is there, and",
        "  nothing of its layers.",
        "- **crane**: a loop over `crane validate --fast`, which looks for every layer.",
        "",
        "In preview and update the program and the provider are the benchmark's own and cost next",
        "to nothing: the program registers all resources at once, without Pulumi's SDK, and the",
        "provider, in Go, agrees to everything. Those that people run cost more, with any pack and",
        "without, and would hide what the packs cost.",
        "",
        "The packs run in the same virtual environment. The registry is not the sandbox's, which",
        "is as true as moto and as slow, and would be the bottleneck. It is a scripted one in a",
        "process of its own, with its answers ready, which waits on a timer before each answer;",
        f"without latency it answered {run.requests_per_second:,.0f} requests a second from one",
        "connection on this machine, many times what boto3 can ask. Each run begins with empty",
        "cache folders (HOME and XDG_CACHE_HOME are new ones); an update after its preview has its",
        "preview's. Program, engine, pack, provider and registry share the machine.",
        f"There were {run.rounds} rounds, each over all cells, after a warm-up; the packs of one",
        "situation ran one after the other. What takes long was measured in fewer rounds: the",
        "tables show in how many.",
    )


def _tables(results: Results) -> Iterator[str]:
    for scenario, title in _SCENARIOS.items():
        situations = dict.fromkeys(
            (cell.stack, cell.latency) for cell in results if cell.scenario is scenario
        )
        if not situations:
            continue
        present = {cell.contender for cell in results if cell.scenario is scenario}
        contenders = [each for each in Contender if each in present]
        show_ratio = {Contender.EMPTY, Contender.LAYERGUARD} <= present
        header = ["resources", "images", "layout", "latency"]
        header += [f"{each.value}, s" for each in contenders]
        header += ["layerguard / empty", "naive / layerguard"] if show_ratio else []
        rows = [
            _row(results, scenario, stack, latency, contenders, show_ratio=show_ratio)
            for stack, latency in sorted(situations, key=_order)
        ]
        yield from (f"## {title}", "", *_table(header, rows), "")
    memory = list(_memory(results))
    if memory:
        yield from (
            "## Peak memory of the pack",
            "",
            "`pulumi policy analyze`, resident, with the worker.",
            "",
        )
        yield from (*_table(("stack", "empty", "layerguard", "difference"), memory), "")


def _row(
    results: Results,
    scenario: Scenario,
    stack: StackShape,
    latency: int,
    contenders: Sequence[Contender],
    *,
    show_ratio: bool,
) -> list[str]:
    found = {
        each: seconds(samples)
        for each in contenders
        if (samples := results.get(Cell(scenario, stack, latency, each)))
    }
    row = [f"{stack.resources:,}", f"{stack.images:,}", _LAYOUTS[stack.layout], f"{latency} ms"]
    row += [_summary(found.get(each)) for each in contenders]
    if show_ratio:
        row += [
            _ratio(found.get(Contender.LAYERGUARD), found.get(Contender.EMPTY)),
            _ratio(found.get(Contender.NAIVE), found.get(Contender.LAYERGUARD)),
        ]
    return row


def _memory(results: Results) -> Iterator[tuple[str, str, str, str]]:
    for cell, samples in results.items():
        if cell.contender is not Contender.LAYERGUARD or cell.scenario is not Scenario.ANALYZE:
            continue
        ours, empty = peak_bytes(samples), peak_bytes(results.get(cell.of(Contender.EMPTY), ()))
        if cell.latency == 50 and ours and empty:
            yield (
                _situation(cell),
                f"{empty.median / 1e6:.0f} MB",
                f"{ours.median / 1e6:.0f} MB",
                f"{(ours.median - empty.median) / 1e6:+.0f} MB",
            )


def _calls(results: Results) -> Iterator[str]:
    rows = [
        (_SCENARIOS[cell.scenario], _situation(cell), cell.contender.value, _calls_of(samples[-1]))
        for cell, samples in results.items()
        if cell.latency == 50 and samples[-1].calls and cell.stack.images in (200, 50)
    ]
    yield from _table(("command", "stack", "contender", "requests"), rows)


def _calls_of(sample: Sample) -> str:
    return ", ".join(f"{operation} {count:,}" for operation, count in sample.calls)


def _not_measured(run: Run) -> Iterator[str]:
    slow = [
        Cell(Scenario.ANALYZE, StackShape.of(size), latency, Contender.NAIVE)
        for size in SIZES
        for latency in LATENCIES
    ]
    left_out = [
        f"{each.stack.images:,} images at {each.latency} ms"
        for each in slow
        if each not in run.results and each.of(Contender.LAYERGUARD) in run.results
    ]
    if left_out:
        yield f"- The naive pack where it takes minutes: analyze of {', '.join(left_out)};"
        yield "  its updates of 1,000 images cost the same waiting once more."
    yield from (f"- {sentence}" for sentence in run.unavailable)
    yield from (
        "- Longer loops of commands outside Pulumi: their cost is their length.",
        "- Preview and update for every layout and latency: the check is the same as in analyze.",
        "- 10,000 resources and resources without an image in preview and update, where the",
        "  program and the provider cost more than any pack.",
        "- Amazon's own service: its throttling, TLS and the set-up of connections. The latency is",
        "  added to answers alone.",
        "- Other operating systems, other Python versions, Pulumi's own language host.",
    )


def _order(situation: tuple[StackShape, int]) -> tuple[str, int, int, int]:
    stack, latency = situation
    return stack.layout.value, latency, stack.images, stack.resources


def _situation(cell: Cell) -> str:
    stack = cell.stack
    words = f"{stack.images:,} images"
    if stack.resources != stack.images:
        words = f"{stack.resources:,} resources, {words}"
    return words if stack.layout is Layout.OWN else f"{words}, {_LAYOUTS[stack.layout]}"


def _summary(summary: Spread | None) -> str:
    if summary is None:
        return "-"
    if summary.count == 1:
        return f"{summary.median:.2f} (once)"
    spread = f"{summary.lowest:.2f}-{summary.highest:.2f}"
    return f"{summary.median:.2f} ({spread}; {summary.count})"


def _ratio(one: Spread | None, other: Spread | None) -> str:
    return "-" if one is None or other is None else _number(one.median / other.median)


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
