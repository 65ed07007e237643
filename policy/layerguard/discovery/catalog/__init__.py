"""The catalog: in which property of which resource type an image stands, one row each.

The rows come from the project's checked catalog of every Pulumi input that can carry a container
image (pulumi-aws 7.51, pulumi-aws-native 1.84, pulumi-kubernetes 4.34, awsx, eks, docker,
docker-build, nomad).
"""

from layerguard.discovery.catalog import aws, aws_native, builds, kubernetes
from layerguard.discovery.catalog.row import Role, Row

ROWS: tuple[Row, ...] = (*aws.ROWS, *aws_native.ROWS, *builds.ROWS, *kubernetes.ROWS)

__all__ = ["ROWS", "Role", "Row"]
