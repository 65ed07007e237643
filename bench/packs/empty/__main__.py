"""A pack with as many policies as Layerguard's, none of which does anything."""

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)


def see_resource(_args: ResourceValidationArgs, _report: ReportViolation) -> None:
    """Look away."""


def see_stack(_args: StackValidationArgs, _report: ReportViolation) -> None:
    """Look away."""


PolicyPack(
    "empty",
    [
        ResourceValidationPolicy(
            "resource", "Says nothing.", see_resource, EnforcementLevel.MANDATORY
        ),
        StackValidationPolicy("stack", "Says nothing.", see_stack, EnforcementLevel.MANDATORY),
        StackValidationPolicy("notice", "Says nothing.", see_stack, EnforcementLevel.ADVISORY),
    ],
)
