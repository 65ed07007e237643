"""The gates: three policies, three modes, and no exception that leaves them."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from layerguard.checking.checker import Checker
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.prefetch import Prefetch, PrefetchFile
from layerguard.discovery import ImageUse
from layerguard.enforcement import Mode
from layerguard.gates import Gates
from layerguard.identity import ORDINARY, Identity
from layerguard.policies import OFF_MESSAGE, declare
from layerguard.reference import ImageId
from layerguard.registry import RegistryError
from layerguard.settings import OPTIONS
from layerguard.verdict import Code
from pulumi_policy import (
    EnforcementLevel,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from tests.fakes import HOST, FakeRegistry, HeldRegistry, digest_of, manifest, without_place
from tests.processes import wait_until

TYPE = "aws:lambda/function:Function"
GOOD, LOST, DENIED = f"{HOST}/shop/web:good", f"{HOST}/shop/web:lost", f"{HOST}/shop/web:denied"
RESOURCE_OPTIONS = PolicyResourceOptions(
    False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [], None
)


def a_registry() -> FakeRegistry:
    registry = FakeRegistry()
    registry.put(manifest("a"), "good")
    registry.put(manifest("lost"), "lost")
    registry.lose("lost")
    registry.image_answers[ImageId("denied", None)] = RegistryError(Code.ACCESS_DENIED, "Denied.")
    return registry


def urn(name: str) -> str:
    return f"urn:pulumi:dev::shop::{TYPE}::{name}"


@dataclass
class Pack:
    """The pack's policies as the SDK's server calls them, in one mode, with a fake registry."""

    mode: Mode
    registry: FakeRegistry = field(default_factory=a_registry)
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    off: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    resources: dict[str, PolicyResource] = field(default_factory=dict)
    stderr: io.StringIO = field(default_factory=io.StringIO)
    checker: Checker | None = None

    def __post_init__(self) -> None:
        checker = self.checker or Checker.in_process(self.registry)
        off = OFF_MESSAGE if self.off else None
        gates = Gates(self.mode, checker, off, self.stderr, self.environment)
        policies = declare(lambda: gates)
        self.resource_policies = [p for p in policies if isinstance(p, ResourceValidationPolicy)]
        self.stack_policies = [p for p in policies if isinstance(p, StackValidationPolicy)]

    def analyze(
        self,
        name: str,
        inputs: Any,
        kind: str = TYPE,
        provider: PolicyProviderResource | None = None,
    ) -> list[str]:
        """Return what the update gate reports for a resource."""
        self.add(name, inputs, kind, provider)
        reported: list[str] = []
        for policy in self.resource_policies:
            args = ResourceValidationArgs(
                kind,
                unknown_checking_proxy(inputs) if isinstance(inputs, dict) else inputs,
                urn(name),
                name,
                RESOURCE_OPTIONS,
                provider,
                self.config.get(policy.name),
            )

            def report(message: str, _urn: str | None = None) -> None:
                reported.append(message)

            policy.validate(args, report)
        return reported

    def add(
        self,
        name: str,
        inputs: Any,
        kind: str = TYPE,
        provider: PolicyProviderResource | None = None,
    ) -> None:
        """Make a resource part of the stack."""
        self.resources[urn(name)] = PolicyResource(
            kind, inputs, urn(name), urn(name), RESOURCE_OPTIONS, provider, None, [], {}
        )

    def analyze_stack(self) -> dict[str, list[tuple[str, str | None]]]:
        """Return what each stack policy reports: first lines, and the URNs they belong to."""
        reported: dict[str, list[tuple[str, str | None]]] = {}
        resources = list(self.resources.values())
        for policy in self.stack_policies:
            lines = reported.setdefault(policy.name, [])

            def report(
                message: str,
                urn: str | None = None,
                lines: list[tuple[str, str | None]] = lines,
            ) -> None:
                lines.append((message.split("\n")[0], urn))

            policy.validate(StackValidationArgs(resources, self.config.get(policy.name)), report)
        return reported


@pytest.mark.parametrize(
    ("dry_run", "mode"),
    [("true", Mode.PREVIEW), ("false", Mode.UPDATE), (None, Mode.ANALYZE)],
)
def test_the_mode_follows_from_the_engines_environment(dry_run: str | None, mode: Mode) -> None:
    assert Mode.of({"PULUMI_DRY_RUN": dry_run} if dry_run else {}) is mode


def test_names_order_and_levels_of_the_policies_are_stable() -> None:
    pack = Pack(Mode.PREVIEW)
    declared = [*pack.resource_policies, *pack.stack_policies]
    assert [(policy.name, policy.enforcement_level) for policy in declared] == [
        ("ecr-layers-available", EnforcementLevel.MANDATORY),
        ("ecr-layers-available-preview", EnforcementLevel.MANDATORY),
        ("ecr-layers-unverified", EnforcementLevel.ADVISORY),
    ]
    for policy in declared:
        assert policy.description.endswith(".")
        assert policy.config_schema
        assert list(policy.config_schema.properties) == [option.name for option in OPTIONS]


def test_in_update_a_resource_with_a_missing_layer_is_stopped_and_its_neighbours_are_not() -> None:
    pack = Pack(Mode.UPDATE)
    assert pack.analyze("good", {"imageUri": GOOD}) == []
    (message,) = pack.analyze("lost", {"imageUri": LOST})
    assert message.startswith(f"layer-missing: imageUri: {LOST}\n")
    assert pack.analyze("denied", {"imageUri": DENIED}) == []
    assert pack.analyze("bucket", {"name": "x"}) == []


@pytest.mark.parametrize("mode", [Mode.PREVIEW, Mode.ANALYZE])
def test_in_preview_and_analyze_the_stack_is_reported_with_each_resources_urn(mode: Mode) -> None:
    pack = Pack(mode)
    for name, image in {"good": GOOD, "lost": LOST, "denied": DENIED}.items():
        assert pack.analyze(name, {"imageUri": image}) == []
    pack.analyze("later", {"imageUri": UNKNOWN_STRING_VALUE})
    assert pack.analyze_stack() == {
        "ecr-layers-available-preview": [(f"layer-missing: imageUri: {LOST}", urn("lost"))],
        "ecr-layers-unverified": [
            (f"access-denied: imageUri: {DENIED}", urn("denied")),
            ("unknown-in-preview: imageUri", urn("later")),
        ],
    }


def test_in_update_the_stack_is_not_checked_a_second_time_and_the_notice_reports() -> None:
    pack = Pack(Mode.UPDATE)
    pack.analyze("lost", {"imageUri": LOST})
    pack.analyze("denied", {"imageUri": DENIED})
    calls = pack.registry.calls
    assert pack.analyze_stack() == {
        "ecr-layers-available-preview": [],
        "ecr-layers-unverified": [(f"access-denied: imageUri: {DENIED}", urn("denied"))],
    }
    assert pack.registry.calls == calls


def test_a_resource_that_analyze_did_not_see_is_read_from_the_stack_in_preview() -> None:
    pack = Pack(Mode.PREVIEW)
    pack.add("lost", unknown_checking_proxy({"imageUri": LOST}))
    assert pack.analyze_stack()["ecr-layers-available-preview"] == [
        (f"layer-missing: imageUri: {LOST}", urn("lost"))
    ]


FAIL = {"undetermined": "fail"}


def test_one_configuration_fails_closed_for_all_policies() -> None:
    config = {"ecr-layers-available": FAIL}
    update = Pack(Mode.UPDATE, config=config)
    (message,) = update.analyze("denied", {"imageUri": DENIED})
    assert message.startswith("access-denied: ")
    preview = Pack(Mode.PREVIEW, config=config)
    preview.analyze("denied", {"imageUri": DENIED})
    preview.analyze("later", {"imageUri": UNKNOWN_STRING_VALUE})
    assert preview.analyze_stack() == {
        "ecr-layers-available-preview": [(f"access-denied: imageUri: {DENIED}", urn("denied"))],
        "ecr-layers-unverified": [("unknown-in-preview: imageUri", urn("later"))],
    }


def test_a_policy_with_a_configuration_of_its_own_follows_that() -> None:
    notice = {"undetermined": "notice"}
    config = {"ecr-layers-available": FAIL, "ecr-layers-available-preview": notice}
    pack = Pack(Mode.PREVIEW, config=config)
    pack.analyze("denied", {"imageUri": DENIED})
    assert pack.analyze_stack()["ecr-layers-available-preview"] == []


def test_layerguard_off_turns_every_gate_off_and_reports_it() -> None:
    pack = Pack(Mode.UPDATE, off=True)
    assert pack.analyze("lost", {"imageUri": LOST}) == []
    assert pack.analyze_stack() == {
        "ecr-layers-available-preview": [],
        "ecr-layers-unverified": [
            ("layerguard is off: LAYERGUARD=off is set, so no image was checked.", None)
        ],
    }
    assert pack.registry.calls == 0


@pytest.mark.parametrize("mode", list(Mode))
def test_one_line_on_stderr_sums_up_the_run(mode: Mode, capsys: pytest.CaptureFixture[str]) -> None:
    pack = Pack(mode)
    pack.analyze("good", {"imageUri": GOOD})
    # Of another repository, so that no question goes with another by chance.
    pack.analyze("lost", {"imageUri": f"{HOST}/shop/api:lost"})
    pack.analyze_stack()
    assert pack.stderr.getvalue() == (
        "layerguard: 2 image uses, 2 images, 4 layers checked, 1 unavailable, 0 undetermined, "
        "0 pending; 4 calls to ECR in 0.0 s\n"
    )
    assert capsys.readouterr().out == ""


def test_an_update_that_a_gate_stops_is_summed_up_at_once() -> None:
    pack = Pack(Mode.UPDATE)
    pack.analyze("good", {"imageUri": GOOD})
    assert pack.stderr.getvalue() == ""
    pack.analyze("lost", {"imageUri": LOST})
    reported = pack.stderr.getvalue()
    assert reported.startswith("layerguard: 2 image uses, ")
    pack.analyze_stack()
    assert pack.stderr.getvalue() == reported


def test_what_stops_nothing_does_not_hold_up_the_gate_that_stops() -> None:
    config = {"ecr-layers-available": {"waitSeconds": 3600}}
    pack = Pack(Mode.UPDATE, config=config)
    environment = {"variables": {"IMAGE": f"{HOST}/shop/api:absent"}}
    assert pack.analyze("carrier", {"imageUri": GOOD, "environment": environment}) == []
    reported: list[str] = []
    gate = threading.Thread(
        target=lambda: reported.extend(pack.analyze("rejected", {"imageUri": "x/web:1"})),
        daemon=True,
    )
    gate.start()
    gate.join(10)
    assert [each.partition(":")[0] for each in reported] == ["runtime-rejects"]
    assert pack.stderr.getvalue().startswith("layerguard: 2 image uses, ")


class Explosive(Mapping[str, Any]):
    """Inputs that cannot be read."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("boom")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("boom")

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize("mode", list(Mode))
def test_inputs_that_cannot_be_read_are_one_finding_and_hide_no_neighbour(
    mode: Mode,
) -> None:
    pack = Pack(mode)
    assert pack.analyze("broken", Explosive()) == []
    pack.analyze("denied", {"imageUri": DENIED})
    assert pack.analyze_stack()["ecr-layers-unverified"] == [
        ("internal-error: (all inputs)", urn("broken")),
        (f"access-denied: imageUri: {DENIED}", urn("denied")),
    ]


@pytest.mark.parametrize("mode", [Mode.PREVIEW, Mode.UPDATE])
def test_a_wrong_configuration_is_a_violation_that_names_the_option(mode: Mode) -> None:
    words = "The option undetermined is 'nonsense'; allowed: `notice`, `fail`."
    pack = Pack(mode, config={"ecr-layers-available": {"undetermined": "nonsense"}})
    assert pack.analyze("good", {"imageUri": GOOD}) == [words]


def test_a_wrong_configuration_stops_each_resource_of_an_update_and_is_reported_once_before() -> (
    None
):
    config = {"ecr-layers-available": {"nonsense": 1}}
    for mode, times in ((Mode.PREVIEW, 1), (Mode.ANALYZE, 1), (Mode.UPDATE, 3)):
        pack = Pack(mode, config=config)
        reported = [line for name in "abc" for line in pack.analyze(name, {"imageUri": GOOD})]
        assert len(reported) == times
        assert reported[0].startswith("There is no option nonsense; ")


@pytest.mark.parametrize("mode", [Mode.PREVIEW, Mode.ANALYZE])
def test_inputs_that_cannot_be_read_block_where_the_team_fails_closed(mode: Mode) -> None:
    pack = Pack(mode, config={"ecr-layers-available": FAIL})
    pack.analyze("broken", Explosive())
    pack.analyze("lost", {"imageUri": LOST})
    assert pack.analyze_stack()["ecr-layers-available-preview"] == [
        ("internal-error: (all inputs)", urn("broken")),
        (f"layer-missing: imageUri: {LOST}", urn("lost")),
    ]


class Crowd(FakeRegistry):
    """Holds every question back until ``enough`` ask at a time, and a moment for one more."""

    def __init__(self, enough: int) -> None:
        super().__init__()
        self.asking = self.most = 0
        self.enough = enough
        self.complete = asyncio.Event()

    async def images(self, *args: Any) -> Any:
        self.asking += 1
        self.most = max(self.most, self.asking)
        if self.asking == self.enough:
            self.complete.set()
        await asyncio.wait_for(self.complete.wait(), 30)
        await asyncio.sleep(0.1)
        self.asking -= 1
        return await super().images(*args)


@pytest.mark.parametrize("concurrency", [3, 3.0, 60])
def test_as_many_calls_are_under_way_at_a_time_as_the_configuration_says(
    concurrency: float,
) -> None:
    registry = Crowd(int(concurrency))
    config = {"ecr-layers-available": {"concurrency": concurrency}}
    pack = Pack(Mode.PREVIEW, registry, config)
    for number in range(65):
        pack.analyze(f"f{number}", {"imageUri": f"{HOST}/shop/web{number}:1"})
    assert len(pack.analyze_stack()["ecr-layers-available-preview"]) == 65
    assert registry.most == concurrency


class Broken(Checker):
    def start(self, _uses: Iterable[ImageUse]) -> None:
        raise ZeroDivisionError("oh")


def without_places(reports: Iterable[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    return [(without_place(text.partition("\n")[0]), urn) for text, urn in reports]


def bug_in(gate: str) -> tuple[str, str | None]:
    return (
        f"internal-error: This is a bug of Layerguard 0.1.0, in {gate}: ZeroDivisionError: oh",
        None,
    )


def test_a_bug_in_a_gate_is_in_the_notice_and_ends_nothing() -> None:
    registry = a_registry()
    pack = Pack(Mode.PREVIEW, registry, checker=Broken(InProcessBackend(registry)))
    assert pack.analyze("good", {"imageUri": GOOD}) == []
    reports = pack.analyze_stack()
    assert reports["ecr-layers-available-preview"] == []
    assert without_places(reports["ecr-layers-unverified"]) == [
        bug_in(each) for each in ("update gate", "preview gate", "notice")
    ]


@pytest.mark.parametrize("mode", list(Mode))
def test_a_bug_in_a_gate_is_a_violation_of_it_where_the_team_fails_closed(mode: Mode) -> None:
    registry = a_registry()
    checker = Broken(InProcessBackend(registry))
    pack = Pack(mode, registry, {"ecr-layers-available": FAIL}, checker=checker)
    (message,) = pack.analyze("good", {"imageUri": GOOD})
    assert without_places([(message, None)]) == [bug_in("update gate")]
    reports = pack.analyze_stack()
    assert without_places(reports["ecr-layers-available-preview"]) == [bug_in("preview gate")]
    assert without_places(reports["ecr-layers-unverified"]) == [bug_in("notice")]


def test_a_foreign_endpoint_is_in_the_notice_once() -> None:
    registry = a_registry()
    registry.foreign_endpoints = frozenset({"http://127.0.0.1:5000"})
    pack = Pack(Mode.PREVIEW, registry)
    for name in "ab":
        pack.analyze(name, {"imageUri": GOOD})
    assert pack.analyze_stack()["ecr-layers-unverified"] == [
        (
            "ECR was asked at http://127.0.0.1:5000, which is not AWS's own endpoint: the verdicts "
            "are as true as its answers.",
            None,
        )
    ]


def test_in_preview_analyze_returns_while_ecr_has_not_answered() -> None:
    registry = HeldRegistry()
    pack = Pack(Mode.PREVIEW, registry)
    assert pack.analyze("absent", {"imageUri": GOOD}) == []
    registry.let_go.set()
    assert pack.analyze_stack()["ecr-layers-available-preview"] == [
        (f"image-not-found: imageUri: {GOOD}", urn("absent"))
    ]


PUSH = "docker-build:index:Image"
TEAM = Identity(profile="team")
TEAMS = PolicyProviderResource("pulumi:providers:aws", {"profile": "team"}, "urn:team", "team")
OURS = f"{HOST}/team/web:good"


@pytest.fixture
def stack(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a pack in one stack, with a cache folder of its own."""
    return {"XDG_CACHE_HOME": str(tmp_path), "PULUMI_PROJECT": "shop", "PULUMI_STACK": "dev"}


def two_registries() -> tuple[FakeRegistry, FakeRegistry]:
    """Return the registry as the ordinary chain sees it, and as the team does."""
    ordinary, team = a_registry(), a_registry()
    ordinary.others[TEAM] = team
    return ordinary, team


def preview(stack: Mapping[str, str]) -> None:
    pack = Pack(Mode.PREVIEW, two_registries()[0], environment=stack)
    pack.analyze("good", {"imageUri": GOOD})
    pack.analyze("lost", {"imageUri": LOST})
    pack.analyze("ours", {"imageUri": OURS}, provider=TEAMS)
    pack.analyze("push", {"tags": [f"{HOST}/shop/new:1"], "push": True}, PUSH)
    pack.analyze("new", {"imageUri": f"{HOST}/shop/new:1"})
    pack.analyze("later", {"imageUri": UNKNOWN_STRING_VALUE})
    pack.analyze_stack()


def asked(registry: FakeRegistry) -> set[str]:
    return {f"{repository.name}{question}" for repository, question in registry.questions}


def test_a_preview_leaves_a_prefetch_file_without_what_the_stack_pushes(
    stack: Mapping[str, str],
) -> None:
    preview(stack)
    prefetch = PrefetchFile.of(stack).read()
    assert sorted(reference.text for reference, _, _ in prefetch.images) == [GOOD, LOST, OURS]
    assert [each.reference.text for each in prefetch.requests_for(ORDINARY)] == [GOOD, LOST]
    assert [each.reference.text for each in prefetch.requests_for(TEAM)] == [OURS]


@pytest.mark.parametrize("mode", [Mode.UPDATE, Mode.ANALYZE])
def test_only_a_preview_leaves_a_prefetch_file(mode: Mode, stack: Mapping[str, str]) -> None:
    pack = Pack(mode, environment=stack)
    pack.analyze("good", {"imageUri": GOOD})
    pack.analyze_stack()
    assert PrefetchFile.of(stack).read() == Prefetch()


def test_an_update_prefetches_for_each_identity_when_it_comes(
    stack: Mapping[str, str],
) -> None:
    preview(stack)
    ordinary, team = two_registries()
    pack = Pack(Mode.UPDATE, ordinary, environment=stack)
    # Its first resource, which has no image at all.
    assert pack.analyze("bucket", {"name": "x"}, "aws:s3/bucket:Bucket") == []
    wait_until(lambda: asked(ordinary) >= {"shop/web:good", "shop/web:lost"})
    assert team.questions == []
    pack.analyze("other", {"imageUri": f"{HOST}/team/other:1"}, provider=TEAMS)
    wait_until(lambda: "team/web:good" in asked(team))
    assert not any("shop/new" in each for each in asked(ordinary) | asked(team))
    # And nothing of it is asked twice when its resource comes.
    assert pack.analyze("good", {"imageUri": GOOD}) == []
    assert len(ordinary.questions) == len(set(ordinary.questions))


@pytest.mark.parametrize("mode", [Mode.PREVIEW, Mode.ANALYZE])
def test_only_an_update_prefetches(mode: Mode, stack: Mapping[str, str]) -> None:
    preview(stack)
    pack = Pack(mode, environment=stack)
    pack.analyze("bucket", {"name": "x"}, "aws:s3/bucket:Bucket")
    pack.analyze_stack()
    assert pack.registry.calls == 0


def test_an_image_that_a_prefetch_found_lacking_is_checked_again(
    stack: Mapping[str, str],
) -> None:
    preview(stack)
    pack = Pack(Mode.UPDATE, environment=stack)
    pack.analyze("bucket", {"name": "x"}, "aws:s3/bucket:Bucket")
    lost = f"shop/web{digest_of('lost')}"
    wait_until(lambda: lost in asked(pack.registry))
    pack.registry.layer_answers.clear()  # it was pushed since
    assert pack.analyze("lost", {"imageUri": LOST}) == []


def test_an_image_that_is_still_lacking_stops_its_resource(stack: Mapping[str, str]) -> None:
    preview(stack)
    pack = Pack(Mode.UPDATE, environment=stack)
    pack.analyze("bucket", {"name": "x"}, "aws:s3/bucket:Bucket")
    (message,) = pack.analyze("lost", {"imageUri": LOST})
    assert message.startswith(f"layer-missing: imageUri: {LOST}\n")


def notice_of(pack: Pack) -> list[str]:
    """Return the whole messages of the notice."""
    messages: list[str] = []
    notice = pack.stack_policies[-1]

    def report(message: str, _urn: str | None = None) -> None:
        messages.append(message)

    notice.validate(
        StackValidationArgs(list(pack.resources.values()), pack.config.get(notice.name)), report
    )
    return messages


@pytest.mark.parametrize("code", [Code.NO_CREDENTIALS, Code.ACCESS_DENIED, Code.UNREACHABLE])
def test_a_cause_that_many_images_share_is_reported_once(code: Code) -> None:
    registry = a_registry()
    registry.image_answers[ImageId("denied", None)] = RegistryError(code, "So it is.", "do it.")
    pack = Pack(Mode.PREVIEW, registry)
    for number in range(60):
        pack.analyze(f"f{number}", {"imageUri": f"{HOST}/shop/web{number}:denied"})
    (message,) = notice_of(pack)
    lines = message.splitlines()
    assert lines[:5] == [
        f"{code.text}: 60 image uses",
        "  So it is.",
        "  next step: do it.",
        "  not stopped: The option undetermined is 'notice'.",
        "  image uses:",
    ]
    assert lines[5] == f"    {TYPE} f0: imageUri: {HOST}/shop/web0:denied"
    assert lines[-1] == "    and 40 more"
    assert len(lines) == 26


def test_pending_images_are_reported_once_and_what_is_of_one_image_is_not_grouped() -> None:
    pack = Pack(Mode.PREVIEW)
    for number in range(3):
        pack.analyze(f"later{number}", {"imageUri": UNKNOWN_STRING_VALUE})
        pack.analyze(f"lost{number}", {"imageUri": LOST})
    assert pack.analyze_stack() == {
        "ecr-layers-available-preview": [
            (f"layer-missing: imageUri: {LOST}", urn(f"lost{number}")) for number in range(3)
        ],
        "ecr-layers-unverified": [("unknown-in-preview: 3 image uses", None)],
    }
