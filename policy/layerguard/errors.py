"""The errors that Layerguard raises itself, as one tree.

::

    LayerguardError
    |-- ReferenceInvalid     a text is no reference to an image, or to a registry that is none
    |-- PlatformInvalid      a text is not a platform such as linux/arm64
    |-- ManifestInvalid      bytes that are neither an image manifest nor an image index
    |-- DigestMismatch       bytes that do not hash to the digest that they were asked for by
    |-- SettingsInvalid      a configuration value that is not allowed
    `-- RegistryError        ECR did not answer a question (registry/answers.py)
"""

from __future__ import annotations

from typing import NoReturn


class LayerguardError(Exception):
    """Base of every error that Layerguard raises itself; its text is a whole sentence."""


class ReferenceInvalid(LayerguardError):
    """The text is no image reference, or names a registry that is meant to be ECR's and is none.

    ``is_certain`` is False where there may be such an image all the same.
    """

    def __init__(self, reason: str, *, is_certain: bool = True) -> None:
        super().__init__(reason)
        self.is_certain = is_certain


class PlatformInvalid(LayerguardError):
    """The text is not a platform such as linux/arm64."""


class ManifestInvalid(LayerguardError):
    """The bytes are neither an image manifest nor an image index that can be checked."""


class DigestMismatch(LayerguardError):
    """The bytes do not hash to the digest that they were asked for by."""


class SettingsInvalid(LayerguardError):
    """A configuration value is not allowed; the text names option, value and what is allowed."""


def assert_never(value: NoReturn) -> NoReturn:
    """Make a branch over an enum fail the type check where it leaves a member out.

    ``typing`` has it from Python 3.11 on.
    """
    raise AssertionError(value)
