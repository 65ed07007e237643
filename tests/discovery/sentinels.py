"""The strings that stand for unknown values in what the policy SDK hands over."""

from pulumi_policy import proxy

SENTINELS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))
