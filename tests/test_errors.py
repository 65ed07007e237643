"""The error tree: what the module's docstring draws is what there is."""

from __future__ import annotations

import inspect

from layerguard import errors
from layerguard.registry import RegistryError


def test_the_docstring_draws_every_error() -> None:
    drawn = errors.__doc__ or ""
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)} | {RegistryError}
    for kind in kinds - {errors.LayerguardError}:
        assert issubclass(kind, errors.LayerguardError)
        assert f"- {kind.__name__} " in drawn
