"""Settings: one declaration per option gives its schema, its parsing and its documentation."""

from layerguard.settings.kinds import DEFAULT_ACCOUNT, Exemption
from layerguard.settings.options import OPTIONS, Option, RuleLevel, Settings, Undetermined

__all__ = [
    "DEFAULT_ACCOUNT",
    "OPTIONS",
    "Exemption",
    "Option",
    "RuleLevel",
    "Settings",
    "Undetermined",
]
