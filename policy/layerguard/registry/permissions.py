"""The IAM actions that the pack calls."""

from __future__ import annotations

ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages")
"""Required. The last one distinguishes archived images from absent ones."""

OPTIONAL_ACTIONS = (
    "ecr:DescribePullThroughCacheRules",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
)
"""For pull-through caches that are not filled, suggested names, and platforms without an index.

Without one of them the same images are checked, and less is known about them.
"""

PERMISSIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": [*ACTIONS, *OPTIONAL_ACTIONS], "Resource": "*"},
    ],
}
"""The IAM policy that allows all of them."""
