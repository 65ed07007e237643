"""Secrets taken out of texts: those that are known, and those that their form gives away."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""The environment variables with keys."""

# Anything shorter is no key of AWS, and may be part of any word.
_SHORTEST_SECRET = 8
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/?#\s]*@")
# A JSON web token. Source: RFC 7519; its header is an object, which begins so in base64.
_WEB_TOKEN = re.compile(r"eyJ[\w.-]{20,}", re.ASCII)


class SecretTexts:
    """A growing set of secrets. Thread-safe."""

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def add(self, secrets: Iterable[str | None]) -> None:
        """Take ``secrets`` out from now on, unless they are too short to be keys."""
        # A line break at the end is a common mistake, and is shown as something else.
        bare = ((each or "").strip() for each in secrets)
        new = {each for each in bare if len(each) >= _SHORTEST_SECRET}
        if not new <= self._secrets:
            with self._lock:
                self._secrets |= new

    def forget(self) -> None:
        """Forget them all."""
        with self._lock:
            self._secrets = frozenset()

    def __call__(self, text: str) -> str:
        """Return ``text`` without the secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def without_tokens(text: str) -> str:
    """Return ``text`` without the credentials in its URLs and without JSON web tokens."""
    return _WEB_TOKEN.sub("***", _CREDENTIALS_IN_URL.sub("", text))
