"""The ``__main__.py`` of a pack with a fault planted into one step of the way.

``LAYERGUARD_PLANTED`` names the step. It fails for the images of the repository ``shop/planted``
alone, or where it is no matter of one image, always. Nothing of the pack is patched: the steps are
what ``policies`` takes as arguments.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from layerguard.checking.subprocess_backend import WORKER
from layerguard.policies import policies
from pulumi_policy import PolicyPack

if TYPE_CHECKING:
    from layerguard.gates import Steps

PLANTED = os.environ["LAYERGUARD_PLANTED"]


class PlantedError(Exception):
    """What a planted step raises, with text that no channel takes as it is."""

    def __init__(self) -> None:
        super().__init__("planted \ud800\n::error::\x1b[31m")


def explode(*_: Any, **__: Any) -> NoReturn:
    raise PlantedError


def for_planted(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``step``, which raises where one of its arguments is about ``shop/planted``."""

    def planted(*arguments: Any, **named: Any) -> Any:
        if any("shop/planted" in text_of(each) for each in arguments):
            raise PlantedError
        return step(*arguments, **named)

    return planted


def text_of(argument: Any) -> str:
    """Return the image that an argument is about, as far as it is about one."""
    use = getattr(argument, "use", argument)
    if isinstance(getattr(use, "text", None), str):
        return str(use.text)
    return "shop/planted" if str(getattr(argument, "urn", "")).endswith("::planted") else ""


def steps() -> Steps:
    """Return the steps of a run with the planted one among them."""
    from layerguard.gates import Steps

    if PLANTED == "making the gates":
        raise PlantedError
    real = Steps()
    planted: Mapping[str, dict[str, Any]] = {
        "discovery": {"read": for_planted(real.read)},
        "settings": {"apply_settings": for_planted(real.apply_settings)},
        "prefetch": {"prefetch_file": explode},
        "deciding": {"decide": for_planted(real.decide)},
        "rendering": {"render": for_planted(real.render)},
        "summing up": {"summarise": explode},
    }
    return Steps(**planted.get(PLANTED, {}))


worker = "planted_worker" if PLANTED in ("checking", "explaining") else WORKER
PolicyPack("layerguard", policies(steps=steps, worker=worker))
