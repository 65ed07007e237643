"""Everything that can go wrong, as one tree.

::

    LayerguardError
    |-- ReferenceInvalid          a text names a private ECR registry but no image in it
    |-- ManifestInvalid           bytes that are no image manifest and no image index
    |-- SettingsInvalid           a configuration value that is not allowed
    |-- SourceUnreadable          something that was to be audited cannot be read
    |   `-- NotASource            it can, and is nothing that names images
    `-- RegistryError             ECR did not answer the question; has the code of a verdict
        |-- RepositoryNotFound    repository-not-found
        |-- ImageNotFound         image-not-found
        |-- ImageArchived         image-archived
        |-- TagMoved              tag-moved
        |-- AccessDenied          access-denied
        |-- NoCredentials         no-credentials
        |-- Throttled             throttled
        |-- Unreachable           unreachable
        |-- TimedOut              timed-out
        |-- KmsFailed             kms
        |-- UpstreamFailed        upstream
        |-- CacheNotFilled        cache-not-filled
        |-- InconsistentAnswer    inconsistent-answer
        `-- NotUnderstood         internal-error
"""

from __future__ import annotations

from typing import ClassVar


class LayerguardError(Exception):
    """Base of every error that Layerguard raises itself; its text is a whole sentence."""


class ReferenceInvalid(LayerguardError):
    """The text names a private ECR registry, but is not a valid image reference."""


class ManifestInvalid(LayerguardError):
    """The bytes are neither an image manifest nor an image index that can be checked."""


class SettingsInvalid(LayerguardError):
    """A configuration value is not allowed; the text names option, value and what is allowed."""


class SourceUnreadable(LayerguardError):
    """What was to be audited cannot be read; the text says what and why."""


class NotASource(SourceUnreadable):
    """What was to be audited can be read, and is nothing that names images."""


class RegistryError(LayerguardError):
    """ECR did not answer a question. ``code`` is the code of the verdict that follows from it.

    ``next_step`` is what can be done, where the error itself knows it better than its code.
    """

    code: ClassVar[str]

    def __init__(self, text: str, next_step: str = "") -> None:
        super().__init__(text)
        self.next_step = next_step

    def with_reason(self, text: str) -> RegistryError:
        """Return the same error in other words."""
        return type(self)(text, self.next_step)


class RepositoryNotFound(RegistryError):
    """The registry has no repository of that name."""

    code = "repository-not-found"


class ImageNotFound(RegistryError):
    """The repository has no image with that tag or digest."""

    code = "image-not-found"


class ImageArchived(RegistryError):
    """The image is in ECR's archive storage class: it cannot be pulled until it is restored."""

    code = "image-archived"


class TagMoved(RegistryError):
    """A tag and a digest were given, and the tag points to another digest."""

    code = "tag-moved"


class AccessDenied(RegistryError):
    """The principal that asked may not ask."""

    code = "access-denied"


class NoCredentials(RegistryError):
    """There are no credentials, or ECR does not accept them."""

    code = "no-credentials"


class Throttled(RegistryError):
    """ECR turned the question away because of too many requests, after all retries."""

    code = "throttled"


class Unreachable(RegistryError):
    """No connection to ECR, or only server errors, after all retries."""

    code = "unreachable"


class TimedOut(RegistryError):
    """ECR accepted the connection and did not answer in time."""

    code = "timed-out"


class KmsFailed(RegistryError):
    """ECR could not use the repository's encryption key."""

    code = "kms"


class UpstreamFailed(RegistryError):
    """A pull-through cache could not reach or use its upstream registry."""

    code = "upstream"


class CacheNotFilled(RegistryError):
    """The repository is a pull-through cache, and nobody has pulled this through it yet."""

    code = "cache-not-filled"


class InconsistentAnswer(RegistryError):
    """ECR's answer does not account for everything asked, or contradicts itself."""

    code = "inconsistent-answer"


class NotUnderstood(RegistryError):
    """ECR answered something that Layerguard has no meaning for."""

    code = "internal-error"
