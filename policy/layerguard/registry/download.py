"""Downloads of small blobs from the addresses that ECR gives for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

from layerguard.errors import InconsistentAnswer, Unreachable
from layerguard.registry.translation import translate

Download: TypeAlias = Callable[[str], str]
"""Returns the text at an address; raises RegistryError when there is none."""

# A config is a few kilobytes; what is larger than this is none.
MAX_BYTES = 4_000_000
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 10


def download(url: str) -> str:
    """Return the text at ``url``, which is presigned: the request has no credentials.

    Goes through botocore's HTTP session, so that the proxies and the certificates of the
    environment count. Raises RegistryError for anything but UTF-8 text of at most MAX_BYTES bytes
    under status 200.
    """
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session
    from botocore.utils import get_environ_proxies

    try:
        session = URLLib3Session(
            verify=os.environ.get("AWS_CA_BUNDLE") or True,
            proxies=get_environ_proxies(url),
            timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
        )
        try:
            response = session.send(AWSRequest("GET", url, stream_output=True).prepare())
            content = response.raw.read(MAX_BYTES + 1)
        finally:
            session.close()
    except Exception as error:
        raise translate(error) from error
    if response.status_code != 200:
        raise Unreachable(f"The address of a config answers with status {response.status_code}.")
    if len(content) > MAX_BYTES:
        raise InconsistentAnswer(f"A config has more than {MAX_BYTES:,} bytes.")
    try:
        return str(content, "utf-8")
    except UnicodeDecodeError as error:
        raise InconsistentAnswer("A config is not text.") from error
