"""Enforcement: what a gate does about an image use, as a table, and in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery import ImageUse, Naming, ResourceGraph, runtimes
from layerguard.discovery.placement import Placement
from layerguard.discovery.provisions import Provides, Provision
from layerguard.enforcement import (
    RULES,
    Enforcement,
    Finding,
    Mode,
    Run,
    apply_settings,
    decide,
    decide_or_bug,
    grouped,
    may_block,
)
from layerguard.identity import Identity
from layerguard.manifest import ManifestForm
from layerguard.platform import Platform
from layerguard.reference import ImageReference
from layerguard.settings import Exemption, RuleLevel, Settings, Undetermined
from layerguard.verdict import Code, Follows, State, Verdict, bug_in

from tests.discovery.test_resource_graph import Resource
from tests.fakes import HOST, use

NONE, WARN, BLOCK = Enforcement.NONE, Enforcement.WARN, Enforcement.BLOCK
ELSEWHERE = Placement("123456789012", "us-east-1")
FAIL = {"undetermined": Undetermined.FAIL}


def a_use(**changes: Any) -> ImageUse:
    """Return a use of ``shop/web:1`` in eu-west-1 by a resource in us-east-1."""
    return replace(use(), placement=ELSEWHERE, **changes)


def a_verdict(code: Code, **changes: Any) -> Verdict:
    return Verdict(code, "It is so.", "do it", **changes)


@pytest.mark.parametrize(
    ("code", "changes", "settings", "run", "enforcement"),
    [
        # State alone
        (Code.AVAILABLE,          {}, {},   Run(), NONE),
        (Code.NOT_PRIVATE_ECR,    {}, {},   Run(), NONE),
        (Code.UNKNOWN_IN_PREVIEW, {}, {},   Run(), WARN),
        (Code.LAYER_MISSING,      {}, {},   Run(), BLOCK),
        (Code.ACCESS_DENIED,      {}, {},   Run(), WARN),
        (Code.INTERNAL_ERROR,     {}, {},   Run(), WARN),
        # Fail closed
        (Code.AVAILABLE,          {}, FAIL, Run(), NONE),
        (Code.NOT_PRIVATE_ECR,    {}, FAIL, Run(), NONE),
        (Code.UNKNOWN_IN_PREVIEW, {}, FAIL, Run(Mode.PREVIEW), WARN),
        # Nothing comes after an update, so that nothing is pending in one
        (Code.UNKNOWN_IN_PREVIEW, {}, FAIL, Run(Mode.UPDATE),  BLOCK),
        (Code.UNKNOWN_IN_PREVIEW, {}, {},   Run(Mode.UPDATE),  WARN),
        (Code.UNKNOWN_IN_PREVIEW, {}, FAIL, Run(Mode.ANALYZE), BLOCK),
        (Code.ACCESS_DENIED,      {}, FAIL, Run(), BLOCK),
        (Code.INTERNAL_ERROR,     {}, FAIL, Run(), BLOCK),
        # In what sense the place names the image
        (Code.LAYER_MISSING,      {"naming": Naming.FOUND},    {},   Run(), BLOCK),
        (Code.LAYER_MISSING,      {"naming": Naming.OPTIONAL}, {},   Run(), WARN),
        (Code.LAYER_MISSING,      {"naming": Naming.CARRIED},  {},   Run(), WARN),
        (Code.IMAGE_NOT_FOUND,    {"naming": Naming.DORMANT},  {},   Run(), WARN),
        (Code.ACCESS_DENIED,      {"naming": Naming.OPTIONAL}, FAIL, Run(), WARN),
        (Code.ACCESS_DENIED,      {"naming": Naming.CARRIED},  FAIL, Run(), WARN),
        (Code.AVAILABLE,          {"naming": Naming.CARRIED},  {},   Run(), NONE),
        # A chart, or another artifact, where nothing says that a container runs it
        (Code.NOT_AN_IMAGE,       {"naming": Naming.FOUND},    {},   Run(), WARN),
        (Code.NOT_AN_IMAGE,       {"naming": Naming.FOUND},    FAIL, Run(), BLOCK),
        (Code.NOT_AN_IMAGE,       {"naming": Naming.PULLED},   {},   Run(), BLOCK),
        # A component, whose children were checked when they came up
        (Code.LAYER_MISSING,      {}, {},   Run(Mode.UPDATE, components=frozenset({"urn"})),  WARN),
        (Code.ACCESS_DENIED,      {}, FAIL, Run(Mode.UPDATE, components=frozenset({"urn"})),  WARN),
        (Code.LAYER_MISSING,      {}, {},   Run(Mode.PREVIEW, components=frozenset({"urn"})), BLOCK),
        (Code.LAYER_MISSING,      {}, {},   Run(Mode.UPDATE, components=frozenset({"other"})), BLOCK),
        # A platform that is only presumed, and the options for rules
        (Code.PLATFORM_MISSING,   {"platform_is_presumed": True}, {}, Run(), WARN),
        (Code.LAYER_MISSING,      {"platform_is_presumed": True}, {}, Run(), BLOCK),
        (Code.PLATFORM_MISSING,   {}, {}, Run(), BLOCK),
        (Code.PLATFORM_MISSING,   {}, {"platform_rules": RuleLevel.NOTICE}, Run(), WARN),
        (Code.LAYER_MISSING,      {}, {"platform_rules": RuleLevel.NOTICE}, Run(), BLOCK),
        (Code.RUNTIME_REJECTS,    {}, {"runtime_rules": RuleLevel.NOTICE},  Run(), WARN),
        (Code.RUNTIME_REJECTS,    {}, {"platform_rules": RuleLevel.NOTICE}, Run(), BLOCK),
        # What the runtime refuses: certain or only likely
        (Code.AVAILABLE,          {"runtime": runtimes.LAMBDA},    {}, Run(), BLOCK),
        (Code.AVAILABLE,          {"runtime": runtimes.SAGEMAKER}, {}, Run(), WARN),
        (Code.ACCESS_DENIED,      {"runtime": runtimes.LAMBDA},    {}, Run(), BLOCK),
        (Code.AVAILABLE,          {"runtime": runtimes.LAMBDA}, {"runtime_rules": RuleLevel.NOTICE}, Run(), WARN),
        # An exemption goes before everything
        (Code.LAYER_MISSING,      {}, {"exempt": (Exemption("*", "Why"),)}, Run(), WARN),
        (Code.ACCESS_DENIED,      {}, {"exempt_resources": (Exemption("ur?", "Why"),), **FAIL}, Run(), WARN),
        (Code.LAYER_MISSING,      {}, {"exempt_resources": (Exemption("other", "Why"),)}, Run(), BLOCK),
    ],
)  # fmt: skip
def test_what_is_done(
    code: Code,
    changes: dict[str, Any],
    settings: dict[str, Any],
    run: Run,
    enforcement: Enforcement,
) -> None:
    finding = decide(a_use(**changes), a_verdict(code), Settings(**settings), run)
    assert finding.enforcement is enforcement
    assert finding.why.endswith(".")


uses = st.builds(
    a_use,
    naming=st.sampled_from(Naming),
    platform_is_presumed=st.booleans(),
    runtime=st.sampled_from([runtimes.ANY, runtimes.LAMBDA, runtimes.SAGEMAKER]),
    is_secret=st.booleans(),
)
settings_of_a_team = st.builds(
    Settings,
    undetermined=st.sampled_from(Undetermined),
    runtime_rules=st.sampled_from(RuleLevel),
    platform_rules=st.sampled_from(RuleLevel),
)
runs = st.builds(Run, st.sampled_from(Mode), components=st.sampled_from([frozenset(), {"urn"}]))


@given(use=uses, code=st.sampled_from(Code), settings=settings_of_a_team, run=runs)
def test_silence_means_available_or_skipped(
    use: ImageUse, code: Code, settings: Settings, run: Run
) -> None:
    finding = decide(use, a_verdict(code), settings, run)
    quiet = finding.verdict.state in (State.AVAILABLE, State.SKIPPED)
    assert (finding.enforcement is NONE) is (quiet and finding.verdict.code is not Code.EXEMPT)


@given(use=uses, code=st.sampled_from(Code), settings=settings_of_a_team, run=runs)
def test_what_cannot_block_never_blocks_and_only_what_is_proven_blocks_without_fail(
    use: ImageUse, code: Code, settings: Settings, run: Run
) -> None:
    finding = decide(use, a_verdict(code), settings, run)
    if finding.enforcement is BLOCK:
        assert may_block(use, run)
        is_proven = finding.verdict.state is State.UNAVAILABLE
        assert is_proven or settings.undetermined is Undetermined.FAIL


def test_every_rule_decides_something_and_the_last_one_the_rest() -> None:
    assert len(RULES) == len({rule.why for rule in RULES}) == 18
    anything: Any = None
    assert RULES[-1].applies(anything)


@pytest.mark.parametrize("code", [Code.AVAILABLE, Code.NOT_AN_IMAGE], ids=str)
def test_what_container_runtimes_differ_about_is_a_notice(code: Code) -> None:
    verdict = a_verdict(code, is_certain=False)
    finding = decide(a_use(), verdict, Settings(), Run())
    assert finding.enforcement is WARN
    assert finding.why == "Container runtimes differ in what they do with this image."
    refused = decide(a_use(runtime=runtimes.LAMBDA), verdict, Settings(), Run())
    assert refused.enforcement is BLOCK
    assert refused.verdict.code is Code.RUNTIME_REJECTS


@pytest.mark.parametrize(
    ("code", "naming", "enforcement"),
    [
        (Code.AVAILABLE, Naming.PULLED, WARN),
        (Code.NOT_AN_IMAGE, Naming.PULLED, BLOCK),
        (Code.NOT_AN_IMAGE, Naming.CARRIED, WARN),
    ],
)
def test_what_only_some_runtimes_run_is_not_proven_where_that_is_to_fail(
    code: Code, naming: Naming, enforcement: Enforcement
) -> None:
    settings = Settings(undetermined=Undetermined.FAIL)
    verdict = a_verdict(code, is_certain=False)
    assert decide(a_use(naming=naming), verdict, settings, Run()).enforcement is enforcement


def test_a_volume_mounts_what_is_no_container_image() -> None:
    artifact = a_verdict(Code.NOT_AN_IMAGE)
    mounted = decide(a_use(runtime=runtimes.IMAGE_VOLUME), artifact, Settings(), Run())
    assert (mounted.verdict.code, mounted.enforcement) == (Code.AVAILABLE, NONE)
    assert decide(a_use(), artifact, Settings(), Run()).enforcement is BLOCK


MISSING = a_verdict(Code.LAYER_MISSING, form=ManifestForm.OCI_INDEX)
AVAILABLE = a_verdict(Code.AVAILABLE, form=ManifestForm.OCI_INDEX)


@pytest.mark.parametrize(
    ("runtime", "verdict", "code"),
    [
        # What the image lacks is named first.
        (runtimes.LAMBDA, MISSING, Code.LAYER_MISSING),
        (runtimes.SAGEMAKER, MISSING, Code.LAYER_MISSING),
        (runtimes.LAMBDA, AVAILABLE, Code.RUNTIME_REJECTS),
        (runtimes.ANY, AVAILABLE, Code.AVAILABLE),
        # What is certain is known although ECR could not be asked.
        (runtimes.LAMBDA, a_verdict(Code.ACCESS_DENIED), Code.RUNTIME_REJECTS),
        (runtimes.SAGEMAKER, a_verdict(Code.ACCESS_DENIED), Code.ACCESS_DENIED),
    ],
)
def test_the_image_goes_before_the_runtime_and_the_certain_before_the_likely(
    runtime: runtimes.Runtime, verdict: Verdict, code: Code
) -> None:
    assert decide(a_use(runtime=runtime), verdict, Settings(), Run()).verdict.code is code


def test_no_reason_is_lost() -> None:
    missing = decide(a_use(runtime=runtimes.LAMBDA), MISSING, Settings(), Run()).verdict
    assert missing.reason == (
        "It is so. "
        "AWS Lambda does not run this image: the repository is in eu-west-1, and the resource in "
        "us-east-1. "
        "AWS Lambda does not run this image: the reference leads to an OCI index, and it takes a "
        "single manifest."
    )
    denied = decide(
        a_use(runtime=runtimes.LAMBDA), a_verdict(Code.ACCESS_DENIED), Settings(), Run()
    ).verdict
    assert denied.reason.endswith("us-east-1. It is so.")
    assert denied.next_step.startswith("copy the image into a repository of the resource's own")


def test_a_certain_refusal_goes_before_a_platform_that_is_only_presumed() -> None:
    finding = decide(
        a_use(runtime=runtimes.LIGHTSAIL, platform_is_presumed=True),
        a_verdict(Code.PLATFORM_MISSING),
        Settings(),
        Run(),
    )
    assert (finding.verdict.code, finding.enforcement) == (Code.RUNTIME_REJECTS, BLOCK)


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.NOT_PRIVATE_ECR])
def test_the_rules_of_a_runtime_are_about_references(code: Code) -> None:
    verdict = a_verdict(code)
    unknown = a_use(runtime=runtimes.LAMBDA, target=verdict, text="some text")
    assert decide(unknown, verdict, Settings(), Run()).verdict == verdict


@pytest.mark.parametrize("glob", ["*", f"{HOST}/shop/*", "*/shop/web:1"])
def test_an_exemption_repeats_its_reason_with_what_was_found(glob: str) -> None:
    settings = Settings(exempt=(Exemption(glob, "It goes away."),))
    exempt = decide(a_use(), a_verdict(Code.LAYER_MISSING), settings, Run()).verdict
    assert exempt.reason == (
        "The configuration exempts it: It goes away. Without that it would be layer-missing: "
        "It is so."
    )
    fine = decide(a_use(), a_verdict(Code.AVAILABLE), settings, Run()).verdict
    assert fine.reason == "The configuration exempts it: It goes away."


PUSH = Provision("build", Provides.IMAGE, "123456789012", "eu-west-1", "shop/web", "1")
REPOSITORY = Provision("repository", Provides.REPOSITORY, None, None, "shop/web")


def before(code: Code, *provisions: Provision, waits: bool = True) -> Finding:
    """Return the finding in a preview of a stack that waits for its build, or does not."""
    build = Resource("build")
    graph = ResourceGraph([build, Resource("urn", None, [build] if waits else [])])
    run = Run(Mode.PREVIEW, provisions, graph)
    return decide(use(), a_verdict(code), Settings(), run)


@pytest.mark.parametrize("code", list(Code))
def test_a_push_may_mend_what_its_row_says_and_nothing_else(code: Code) -> None:
    after = before(code, REPOSITORY, PUSH).verdict.code
    is_mended = Follows.MENDED_BY_PUSH in code.follows
    assert after is (Code.PUSHED_BY_THIS_STACK if is_mended else code)


@pytest.mark.parametrize("code", list(Code))
def test_a_new_repository_mends_only_its_own_absence(code: Code) -> None:
    after = before(code, REPOSITORY).verdict
    if code is not Code.REPOSITORY_NOT_FOUND:
        assert after.code is code
        return
    assert after.code is Code.REPOSITORY_CREATED_BY_THIS_STACK
    assert after.reason == "It is so. This stack's resource repository creates the repository."


def test_a_push_of_another_tag_mends_nothing() -> None:
    other = replace(PUSH, tag="2")
    assert before(Code.IMAGE_NOT_FOUND, other).verdict.code is Code.IMAGE_NOT_FOUND


def test_a_dependency_that_is_missing_is_named_before_and_during_the_update() -> None:
    assert before(Code.IMAGE_NOT_FOUND, PUSH).verdict.next_step.startswith("nothing to do")
    racing = before(Code.IMAGE_NOT_FOUND, PUSH, waits=False).verdict
    assert racing.next_step.startswith("let the resource depend on build")
    run = Run(Mode.UPDATE, (PUSH,))
    stopped = decide(use(), a_verdict(Code.IMAGE_NOT_FOUND), Settings(), run)
    assert (stopped.verdict.code, stopped.enforcement) == (Code.IMAGE_NOT_FOUND, BLOCK)
    assert "build pushes the image, and it is not there now" in stopped.verdict.reason
    assert stopped.verdict.next_step.startswith("if the resource does not depend on build")


@pytest.mark.parametrize(
    ("pusher", "naming", "enforcement"),
    [
        ("urn", Naming.FOUND, WARN),
        ("other", Naming.FOUND, BLOCK),
        # The base of its own build is needed before it pushes anything.
        ("urn", Naming.PULLED, BLOCK),
    ],
)
def test_what_pushes_an_image_is_not_stopped_because_it_is_not_there_yet(
    pusher: str, naming: Naming, enforcement: Enforcement
) -> None:
    image = Provision(pusher, Provides.IMAGE, "123456789012", "eu-west-1", "shop/web", "1")
    run = Run(Mode.UPDATE, (image,))
    verdict = a_verdict(Code.IMAGE_NOT_FOUND)
    assert decide(a_use(naming=naming), verdict, Settings(), run).enforcement is enforcement


def test_what_is_deployed_is_not_pending() -> None:
    run = Run(Mode.ANALYZE, (PUSH,))
    finding = decide(use(), a_verdict(Code.IMAGE_NOT_FOUND), Settings(), run)
    assert (finding.verdict.code, finding.enforcement) == (Code.IMAGE_NOT_FOUND, BLOCK)


def test_an_image_that_the_stack_pushes_may_change_on_the_way() -> None:
    assert Run(provisions=(REPOSITORY, PUSH)).pushes(use().target)
    assert not Run(provisions=(REPOSITORY,)).pushes(use().target)
    assert not Run(provisions=(PUSH,)).pushes(a_verdict(Code.UNKNOWN_IN_PREVIEW))


def test_an_unknown_value_names_what_it_comes_from() -> None:
    first, second = Resource("first"), Resource("second")
    third = Resource("urn", None, [], {"image": [second, first]})
    run = Run(Mode.PREVIEW, graph=ResourceGraph([first, second, third]))
    unknown = a_use(target=a_verdict(Code.UNKNOWN_IN_PREVIEW), path="image")
    finding = decide(unknown, a_verdict(Code.UNKNOWN_IN_PREVIEW), Settings(), run)
    assert finding.verdict.reason == "It is so. It depends on first, second."
    other = replace(unknown, path="other")
    finding = decide(other, a_verdict(Code.UNKNOWN_IN_PREVIEW), Settings(), run)
    assert finding.verdict.reason == "It is so."


@pytest.mark.parametrize(
    ("use", "run", "expected"),
    [
        (a_use(), Run(), True),
        (a_use(naming=Naming.FOUND), Run(Mode.UPDATE), True),
        (a_use(naming=Naming.OPTIONAL), Run(), False),
        (a_use(naming=Naming.CARRIED), Run(), False),
        (a_use(), Run(Mode.UPDATE, components=frozenset({"urn"})), False),
    ],
)
def test_what_may_block_is_what_an_update_waits_for(
    use: ImageUse, run: Run, expected: bool
) -> None:
    assert may_block(use, run) is expected


def lines(finding: Finding) -> tuple[str, ...]:
    assert finding.message == "\n".join(finding.lines)
    return finding.lines


def test_what_did_not_stop_says_why_not() -> None:
    finding = decide(
        a_use(container="web", naming=Naming.CARRIED),
        a_verdict(Code.LAYER_MISSING),
        Settings(),
        Run(),
    )
    assert lines(finding) == (
        f'layer-missing: path (container "web"): {HOST}/shop/web:1',
        "  It is so.",
        "  next step: do it",
        "  not stopped: The text is only handed on, so it is not certain that anything pulls it.",
    )
    stopped = decide(a_use(), a_verdict(Code.LAYER_MISSING), Settings(), Run())
    assert lines(stopped) == (
        f"layer-missing: path: {HOST}/shop/web:1",
        "  It is so.",
        "  next step: do it",
    )


@given(text=st.text())
def test_a_message_is_encodable_and_has_only_the_lines_that_it_was_given(text: str) -> None:
    finding = decide(
        a_use(container=text, path=text, text=text),
        Verdict(Code.KMS, text, text),
        Settings(),
        Run(),
    )
    message = finding.message
    message.encode()
    assert len(message.split("\n")) == len(finding.lines)
    assert not any(line.lstrip().startswith(("::", "##")) for line in message.splitlines())


def test_a_reference_that_is_a_secret_is_shown_without_its_account() -> None:
    secret = a_use(is_secret=True)
    verdict = Verdict(
        Code.LAYER_MISSING, f"The text {HOST}/shop/web:1 is bad.", f"docker push {HOST}/shop/web:1"
    )
    finding = decide(secret, verdict, Settings(), Run())
    assert lines(finding) == (
        "layer-missing: path: ***.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1",
        "  The text ***.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1 is bad.",
        "  next step: docker push ***.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1",
    )


def test_a_secret_that_is_no_reference_is_not_shown_at_all() -> None:
    verdict = Verdict(Code.REFERENCE_INVALID, "'hidden' is not a digest.", "correct it")
    finding = decide(
        a_use(is_secret=True, text="hidden", target=verdict), verdict, Settings(), Run()
    )
    assert "hidden" not in finding.message


def test_a_bug_is_a_verdict_that_names_the_step() -> None:
    verdict = bug_in("deciding", ZeroDivisionError("oh"))
    assert verdict.code is Code.INTERNAL_ERROR
    assert verdict.reason == "This is a bug of Layerguard 0.1.0, in deciding: ZeroDivisionError: oh"
    assert verdict.next_step == Code.INTERNAL_ERROR.next_step


WEB = replace(use(platform=Platform("linux", "arm64")), runtime=runtimes.LAMBDA)


def test_a_rule_may_be_off() -> None:
    assert apply_settings(WEB, Settings()) == WEB
    assert apply_settings(WEB, Settings(runtime_rules=RuleLevel.OFF)).runtime is runtimes.ANY
    assert apply_settings(WEB, Settings(platform_rules=RuleLevel.OFF)).platform is None


def test_an_identity_of_the_settings_wins_over_the_providers() -> None:
    own = replace(WEB, identity=Identity(profile="provider"))
    team, others = Identity(profile="team"), Identity(profile="others")
    settings = Settings(identities={"123456789012": team, "default": others})
    assert apply_settings(own, settings).identity == team
    assert apply_settings(own, Settings(identities={"default": others})).identity == others
    assert apply_settings(own, Settings(identities={"210987654321": team})) == own
    unknown = replace(own, target=Verdict(Code.UNKNOWN_IN_PREVIEW, ""))
    assert apply_settings(unknown, settings) == unknown


def test_the_identity_of_a_provider_need_not_be_known_where_the_settings_name_one() -> None:
    later = Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")
    unknown = replace(use(), identity_unknown=later)
    assert apply_settings(unknown, Settings()).target is later
    settings = Settings(identities={"default": Identity(profile="checks")})
    known = apply_settings(unknown, settings)
    assert (known.target, known.identity) == (use().target, Identity(profile="checks"))


@pytest.mark.parametrize(
    ("trusted", "code"),
    [
        ((), Code.ENDPOINT_UNTRUSTED),
        (("https://ecr.example:444",), Code.ENDPOINT_UNTRUSTED),
        (("https://ECR.example/",), None),
    ],
)
def test_an_endpoint_that_the_stack_chose_proves_nothing_unless_it_is_trusted(
    trusted: tuple[str, ...], code: Code | None
) -> None:
    identity = Identity(ecr_endpoint="https://user:hidden@ecr.example")
    target = apply_settings(
        replace(use(), identity=identity), Settings(trusted_endpoints=trusted)
    ).target
    if code is None:
        assert target == use().target
        return
    assert isinstance(target, Verdict)
    assert target.code is code
    assert "https://ecr.example as ECR's endpoint" in target.reason
    assert "hidden" not in target.reason


def test_a_bug_in_deciding_shows_no_account_of_a_secret() -> None:
    secret = replace(use(), is_secret=True)

    def step(*_: object) -> Finding:
        raise ValueError(secret.text)

    finding = decide_or_bug(secret, a_verdict(Code.AVAILABLE), Settings(), Run(), step)
    assert finding.verdict.code is Code.INTERNAL_ERROR
    assert "123456789012" not in finding.message


@pytest.mark.parametrize(
    ("registry", "next_step"),
    [
        (
            "602401143452.dkr.ecr.eu-west-1",
            "nothing to change there: exempt the image (option exempt), or copy it into a "
            "repository of your own; 602401143452 is the account that serves eu-west-1.",
        ),
        (
            "602401143452.dkr.ecr.eu-south-1",
            "refer to the registry of the region: account 590381155156 serves eu-south-1, not "
            "602401143452.",
        ),
        (
            "877085696533.dkr.ecr.us-iso-east-1",
            "look up in AWS's documentation which account serves us-iso-east-1; 877085696533 "
            "serves af-south-1.",
        ),
        ("763104351884.dkr.ecr.me-south-1", "refer to the registry of the region: account 217643126080 serves me-south-1, not 763104351884."),
        ("123456789012.dkr.ecr.eu-west-1", "do it"),
    ],
)  # fmt: skip
def test_where_a_registry_of_awss_own_denies_its_policy_is_not_the_next_step(
    registry: str, next_step: str
) -> None:
    suffix = "c2s.ic.gov" if "iso" in registry else "amazonaws.com"
    target = ImageReference.parse(f"{registry}.{suffix}/eks/kube-proxy:v1")
    assert target is not None
    denied = decide(use(target), a_verdict(Code.ACCESS_DENIED), Settings(), Run()).verdict
    assert denied.next_step == next_step
    missing = decide(use(target), a_verdict(Code.LAYER_MISSING), Settings(), Run()).verdict
    assert missing.next_step == "do it"


def test_findings_of_one_registry_that_differ_in_the_repository_alone_are_one_group() -> None:
    def finding(rest: str, code: Code = Code.ACCESS_DENIED, reason: str = "No {}.") -> Finding:
        name = rest.partition(":")[0]
        verdict = Verdict(code, reason.format(name), f"allow {name}.")
        return decide(use(rest), verdict, Settings(), Run())

    one, two = finding("shop/web:1"), finding("shop/api:1")
    other_cause = finding("shop/web:2", reason="No key for {}.")
    missing = [finding("shop/web:1", Code.LAYER_MISSING) for _ in range(2)]
    groups = grouped([one, missing[0], other_cause, two, missing[1]])
    assert [each.findings for each in groups] == [
        (one, two),
        (missing[0],),
        (other_cause,),
        (missing[1],),
    ]
    assert groups[0].message.splitlines() == [
        "access-denied: 2 image uses",
        "  No shop/web.",
        "  next step: allow shop/web.",
        "  the same for the other repositories",
        "  not stopped: The option undetermined is 'notice'.",
        "  image uses:",
        f"    type urn: path: {HOST}/shop/web:1",
        f"    type urn: path: {HOST}/shop/api:1",
    ]
