"""The catalog: in which property of which resource type an image stands, one row each.

The rows come from the project's checked catalog of every Pulumi input that can carry a container
image (pulumi-aws 7.51, pulumi-aws-native 1.84, pulumi-kubernetes 4.34), its rows of role "pull".
"""

from layerguard.discovery.catalog import aws, aws_native, kubernetes
from layerguard.discovery.catalog.row import Row

ROWS: tuple[Row, ...] = (*aws.ROWS, *aws_native.ROWS, *kubernetes.ROWS)

__all__ = ["ROWS", "Row"]
