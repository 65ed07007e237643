"""The error tree: what the module's docstring draws is what there is."""

from __future__ import annotations

import inspect

from layerguard import errors
from layerguard.registry import RegistryError


def test_the_docstring_draws_every_error() -> None:
    drawn = errors.__doc__ or ""
    for name, kind in [
        *inspect.getmembers(errors, inspect.isclass),
        ("RegistryError", RegistryError),
    ]:
        assert issubclass(kind, errors.LayerguardError)
        assert f" {name}" in drawn or name == "LayerguardError"
