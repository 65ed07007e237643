"""The policy pack: what the Pulumi engine starts."""

from layerguard.policies import policies
from pulumi_policy import PolicyPack

PolicyPack("layerguard", policies())
