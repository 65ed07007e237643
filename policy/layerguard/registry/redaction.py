"""Secrets taken out of texts in which a service may repeat what it received."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from layerguard import log
from layerguard.identity import Identity
from layerguard.secret_texts import KEY_VARIABLES, SecretTexts

# Of a profile. Source: AWS CLI user guide, "Configuration and credential file settings".
_SETTINGS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "external_id")


class Redaction(SecretTexts):
    """The secrets that one identity may show to a service. What it knows is never logged either.

    Those of the identity and of the environment are known from the beginning; others are added
    when they are resolved.
    """

    def __init__(self, identity: Identity) -> None:
        super().__init__()
        self.add(identity.secrets)
        self.add(os.environ.get(name) for name in KEY_VARIABLES)

    def add(self, secrets: Iterable[str | None]) -> None:
        """Take ``secrets`` out from now on, unless they are too short to be keys."""
        secrets = tuple(secrets)
        super().add(secrets)
        log.HIDDEN.add(secrets)

    def add_profiles(self, profiles: Mapping[str, Any]) -> None:
        """Add the secrets of all ``profiles``: one may be the source of another's role."""
        for profile in profiles.values():
            self.add(profile.get(name) for name in _SETTINGS)
