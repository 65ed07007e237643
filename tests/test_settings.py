"""Settings: wrong configuration is refused with words, never ignored."""

from __future__ import annotations

import pytest
from layerguard.errors import SettingsInvalid
from layerguard.settings import OPTIONS, Settings, Undetermined
from layerguard.verdict import Code, Verdict


def test_without_configuration_an_undetermined_image_is_a_notice() -> None:
    assert Settings.parse({}) == Settings(Undetermined.NOTICE)


def test_a_team_can_fail_closed() -> None:
    assert Settings.parse({"undetermined": "fail"}) == Settings(Undetermined.FAIL)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"undetermined": "stop"},
            "The option undetermined is 'stop'; allowed are notice, fail.",
        ),
        ({"undetermined": None}, "The option undetermined is None; allowed are notice, fail."),
        ({"undetermind": "fail"}, "There is no option undetermind; there are undetermined."),
    ],
)
def test_wrong_configuration_is_refused_by_name(config: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        Settings.parse(config)
    assert str(raised.value) == words


def test_every_option_tells_its_default_in_its_schema() -> None:
    for option in OPTIONS:
        assert option.schema["description"].endswith(f" Default: {option.default}.")
        assert option.default in option.schema["enum"]


@pytest.mark.parametrize(
    ("code", "notice", "fail"),
    [
        (Code.AVAILABLE, False, False),
        (Code.LAYER_MISSING, True, True),
        (Code.ACCESS_DENIED, False, True),
        (Code.UNKNOWN_IN_PREVIEW, False, False),
        (Code.NOT_PRIVATE_ECR, False, False),
    ],
)
def test_pending_never_stops_and_undetermined_only_when_asked_to(
    code: Code, notice: bool, fail: bool
) -> None:
    verdict = Verdict(code, "")
    assert Settings(Undetermined.NOTICE).stops(verdict) is notice
    assert Settings(Undetermined.FAIL).stops(verdict) is fail
