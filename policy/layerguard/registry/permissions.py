"""What the principal that asks must be allowed."""

from __future__ import annotations

ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages")
"""What it must be allowed; the last only makes better words of a failure."""

OPTIONAL_ACTIONS = (
    "ecr:DescribePullThroughCacheRules",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
)
"""What tells a cache that is not filled, suggests names, and compares platforms without an index.

Without one of them the same images are checked, and less is said.
"""

PERMISSIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": [*ACTIONS, *OPTIONAL_ACTIONS], "Resource": "*"},
    ],
}
"""The IAM policy for it."""
