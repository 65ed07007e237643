"""The catalog's rows against the installed SDKs: a new version shows here what has vanished."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from layerguard.discovery.catalog import ROWS, Row
from layerguard.discovery.path import steps

from tools.provider_sdks import ProviderSdk

PACKAGES = {
    "aws": "pulumi_aws",
    "aws-native": "pulumi_aws_native",
    "kubernetes": "pulumi_kubernetes",
}
SDK_ROWS = [row for row in ROWS if row.resource_type.partition(":")[0] in PACKAGES]


@pytest.fixture(scope="module")
def sdks() -> Mapping[str, ProviderSdk]:
    return {name: ProviderSdk.installed(package) for name, package in PACKAGES.items()}


@pytest.mark.parametrize("row", SDK_ROWS, ids=lambda row: f"{row.resource_type} {row.path}")
def test_every_row_is_in_its_providers_sdk(row: Row, sdks: Mapping[str, ProviderSdk]) -> None:
    provider = row.resource_type.partition(":")[0]
    sdks[provider].follow(row.resource_type, steps(row.path))
