"""What a team's settings change of a finding."""

from __future__ import annotations

from dataclasses import replace

import pytest
from layerguard.discovery import Voice, runtimes
from layerguard.enforcement.finding import Finding
from layerguard.enforcement.rules import configured, stops, under
from layerguard.identity import Identity
from layerguard.platform import Platform
from layerguard.settings import Exemption, RuleLevel, Settings, Undetermined
from layerguard.verdict import Code, Verdict

from tests.fakes import HOST, use

WEB = replace(use(platform=Platform("linux", "arm64")), runtime=runtimes.LAMBDA)


def judged(code: Code) -> Finding:
    return Finding(WEB, Verdict(code, "It is so.", "do it"))


@pytest.mark.parametrize("glob", ["*", f"{HOST}/shop/*", "*/shop/web:1"])
def test_an_exempt_image_stops_nobody_and_the_reason_is_said_with_what_was_found(glob: str) -> None:
    settings = Settings(exempt=(Exemption(glob, "It goes away."),))
    exempt = under(settings, judged(Code.LAYER_MISSING))
    assert (exempt.verdict.code, exempt.voice) == (Code.EXEMPT, Voice.NOTICE)
    assert exempt.verdict.reason == (
        "The configuration exempts it: It goes away. Without that it would be layer-missing: "
        "It is so."
    )
    fine = under(settings, judged(Code.AVAILABLE))
    assert fine.verdict.reason == "The configuration exempts it: It goes away."


def test_a_resource_may_be_exempt() -> None:
    settings = Settings(exempt_resources=(Exemption("ur?", "A canary"),))
    assert under(settings, judged(Code.LAYER_MISSING)).verdict.code is Code.EXEMPT
    other = Settings(exempt_resources=(Exemption("other", "A canary"),))
    assert under(other, judged(Code.LAYER_MISSING)) == judged(Code.LAYER_MISSING)


@pytest.mark.parametrize(
    ("code", "settings", "voice"),
    [
        (Code.RUNTIME_REJECTS, Settings(runtime_rules=RuleLevel.NOTICE), Voice.NOTICE),
        (Code.RUNTIME_REJECTS, Settings(platform_rules=RuleLevel.NOTICE), Voice.GATE),
        (Code.PLATFORM_MISSING, Settings(platform_rules=RuleLevel.NOTICE), Voice.NOTICE),
        (Code.PLATFORM_MISSING, Settings(), Voice.GATE),
        (Code.LAYER_MISSING, Settings(platform_rules=RuleLevel.NOTICE), Voice.GATE),
    ],
)
def test_a_rule_may_speak_through_the_notice(code: Code, settings: Settings, voice: Voice) -> None:
    assert under(settings, judged(code)).voice is voice


def test_a_rule_may_be_off() -> None:
    assert configured(WEB, Settings()) == WEB
    assert configured(WEB, Settings(runtime_rules=RuleLevel.OFF)).runtime is runtimes.ANY
    assert configured(WEB, Settings(platform_rules=RuleLevel.OFF)).platform is None


def test_an_identity_of_the_settings_wins_over_the_providers() -> None:
    own = replace(WEB, identity=Identity(profile="provider"))
    team, everybody = Identity(profile="team"), Identity(profile="everybody")
    settings = Settings(identities={"123456789012": team, "default": everybody})
    assert configured(own, settings).identity == team
    assert configured(own, Settings(identities={"default": everybody})).identity == everybody
    assert configured(own, Settings(identities={"210987654321": team})).identity == own.identity
    unknown = replace(own, target=Verdict(Code.UNKNOWN_IN_PREVIEW, ""))
    assert configured(unknown, settings) == unknown


def test_as_whom_a_provider_asks_need_not_be_known_where_the_settings_say_it() -> None:
    later = Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")
    identity_unknown = replace(use(), identity_unknown=later)
    assert configured(identity_unknown, Settings()).target is later
    settings = Settings(identities={"default": Identity(profile="checks")})
    asked = configured(identity_unknown, settings)
    assert (asked.target, asked.identity) == (use().target, Identity(profile="checks"))


@pytest.mark.parametrize(
    ("code", "notice", "fail"),
    [
        (Code.AVAILABLE, False, False),
        (Code.LAYER_MISSING, True, True),
        (Code.ACCESS_DENIED, False, True),
        (Code.UNKNOWN_IN_PREVIEW, False, False),
        (Code.NOT_PRIVATE_ECR, False, False),
        (Code.EXEMPT, False, False),
    ],
)
def test_pending_never_stops_and_undetermined_only_when_asked_to(
    code: Code, notice: bool, fail: bool
) -> None:
    assert stops(Settings(), judged(code)) is notice
    assert stops(Settings(Undetermined.FAIL), judged(code)) is fail
    assert not stops(Settings(Undetermined.FAIL), replace(judged(code), voice=Voice.NOTICE))
