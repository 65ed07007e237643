"""Secrets taken out of texts in which a service may repeat what it received."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from layerguard.identity import Identity

# Anything shorter is no key of AWS, and may be part of any word.
_SHORTEST_SECRET = 8
_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# Of a profile. Source: AWS CLI user guide, "Configuration and credential file settings".
_SETTINGS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "external_id")


class Redaction:
    """The secrets that one identity may show to a service.

    Those of the identity and of the environment are known from the beginning; others are added
    when they are resolved.
    """

    def __init__(self, identity: Identity) -> None:
        self._secrets: frozenset[str] = frozenset()
        self.add(identity.secrets)
        self.add(os.environ.get(name) for name in _VARIABLES)

    def add(self, secrets: Iterable[str | None]) -> None:
        """Take ``secrets`` out from now on, unless they are too short to be keys."""
        # A line break at the end is a common mistake, and is shown as something else.
        bare = ((each or "").strip() for each in secrets)
        # Replaced as a whole, since credentials are resolved on another thread.
        self._secrets |= {each for each in bare if len(each) >= _SHORTEST_SECRET}

    def add_profiles(self, profiles: Mapping[str, Any]) -> None:
        """Add the secrets of all ``profiles``: one may be the source of another's role."""
        for profile in profiles.values():
            self.add(profile.get(name) for name in _SETTINGS)

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text
