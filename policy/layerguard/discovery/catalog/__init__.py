"""The catalog: in which property of which resource type an image stands, one row each.

The rows come from the project's checked catalog of every Pulumi input that can carry a container
image (pulumi-aws 7.51, pulumi-aws-native 1.84, pulumi-kubernetes 4.34, awsx, eks, docker,
docker-build, nomad).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from layerguard.discovery.catalog import aws, aws_native, builds, files, kubernetes, terraform
from layerguard.discovery.catalog.row import Role, Row

ROWS: tuple[Row, ...] = (
    *aws.ROWS,
    *aws_native.ROWS,
    *builds.ROWS,
    *files.ROWS,
    *kubernetes.ROWS,
    *terraform.ROWS,
)


def _by_type() -> Mapping[str, Sequence[Row]]:
    table: defaultdict[str, list[Row]] = defaultdict(list)
    for row in ROWS:
        table[row.resource_type].append(row)
    return dict(table)


_ROWS_BY_TYPE = _by_type()


def rows_of(resource_type: str) -> Sequence[Row]:
    """Return the rows for resources of a type, none for a type that the catalog does not have."""
    return _ROWS_BY_TYPE.get(resource_type, ())


__all__ = ["ROWS", "Role", "Row", "rows_of"]
