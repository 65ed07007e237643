"""Configuration properties in the arguments of spark-submit, as Amazon EMR on EKS takes them.

Sources: Spark documentation, "Submitting Applications"; EMR on EKS API, ``SparkSubmitJobDriver``.
"""

from __future__ import annotations

import shlex

from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Tree


def spark_properties(arguments: str) -> dict[str, Tree]:
    """Return the properties that ``--conf`` and ``-c`` set; the last of a repeated key wins.

    Raises DocumentUnreadable where a quotation mark or a backslash at the end leaves a word open.
    """
    try:
        words = iter(shlex.split(arguments))
    except ValueError as error:
        raise DocumentUnreadable("The arguments end inside a quotation.") from error
    properties: dict[str, Tree] = {}
    for word in words:
        if word in ("--conf", "-c"):
            setting = next(words, "")
        elif word.startswith("--conf="):
            setting = word.removeprefix("--conf=")
        else:
            continue
        key, separator, value = setting.partition("=")
        if separator:
            properties[key] = value
    return properties
