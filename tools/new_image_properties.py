"""Lists the input properties of the installed SDKs that look like images and have no row.

``python -m tools.new_image_properties`` prints a line for each, for a maintainer to judge: the
resource type, the property path, and how its documentation begins.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator

from layerguard.discovery.catalog import ROWS, Row

from tools.provider_sdks import Property, ProviderSdk

PACKAGES = ("pulumi_aws", "pulumi_aws_native", "pulumi_kubernetes")
_NAME = re.compile(
    r"(?:^|[.\]}])(?:\w*(?:image|containerUri)(?:Uri|Url|Identifier|Digest)?s?)\b", re.IGNORECASE
)
_WORDS = re.compile(
    r"\b(?:container|docker|OCI) image|\bECR\b|registry path|image URI", re.IGNORECASE
)
# Machine images, pictures, and settings of images: names and words that are never a reference.
_OTHER_NAMES = re.compile(
    r"imageId|imageUrl|machineImage|imageConfig|imageName|imageVersion|imagePull|imageSetting"
    r"|imageScan|imageTag|imageArn|imageBuilder|imageType|logoImage|[pP]olicy|[aA]rn$|[rR]ole"
    r"|[cC]ommands?$|[aA]rgs$|entryPoint|workingDir|kmsKey|description|architectures|Type$|user$",
)
_OTHER_WORDS = re.compile(
    r"\bAMI\b|Amazon Machine Image|base64|picture|thumbnail|logo", re.IGNORECASE
)


def unlisted(sdk: ProviderSdk, rows: Iterable[Row] = ROWS) -> Iterator[tuple[str, str, str]]:
    """Yield resource type, path and first words of each property that looks like an image."""
    known = {(row.resource_type, _shape(row.path)) for row in rows}
    for resource_type in sorted(sdk.resources):
        for path, value in sdk.leaves(resource_type):
            listed = any((resource_type, each) in known for each in _up(path))
            if not listed and _looks_like_an_image(path, value):
                yield resource_type, path, " ".join(value.words.split())[:80]


def _looks_like_an_image(path: str, value: Property) -> bool:
    name = path.rpartition(".")[2].removesuffix("[]")
    if not _is_text(value) or _OTHER_NAMES.search(name) or _OTHER_WORDS.search(value.words):
        return False
    return bool(_NAME.search(name) or _WORDS.search(value.words))


def _is_text(value: Property) -> bool:
    return "str" in {ast.unparse(node).rpartition(".")[2] for node in ast.walk(value.annotation)}


def _shape(path: str) -> str:
    """Return the part of a row's path that an SDK knows, with the keys of maps as ``{*}``."""
    path = path.partition(":")[0]
    return re.sub(r"\[\w+=[^\]]+\]", "[]", re.sub(r'\["[^"]+"\]|\._CUSTOM_IMAGE', "{*}", path))


def _up(path: str) -> Iterator[str]:
    """Yield a path and those of everything that it stands in."""
    while path:
        yield path
        path = re.sub(r"(?:\[\]|\{\*\}|\.?[^.\[\]{}]+)$", "", path)


def main() -> None:
    """Print the list, and on stderr how long it is."""
    count = 0
    for package in PACKAGES:
        for line in unlisted(ProviderSdk.installed(package)):
            count += 1
            print(*line, sep="\t")
    print(f"{count} properties look like images and have no row.", file=sys.stderr)


if __name__ == "__main__":
    main()
