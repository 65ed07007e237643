"""What the principal that asks must be allowed, and what to do where it is not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum

from layerguard.reference import Repository

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

_ACTION = re.compile(r"not authorized to perform: (?P<action>[\w-]+:\w+)", re.ASCII)
_CALLER = re.compile(r"User: (?P<arn>arn:\S+)", re.ASCII)


class Side(Enum):
    """Whose policy refuses. Source: IAM user guide, "Troubleshoot access denied messages"."""

    IDENTITY = "identity-based policy"
    REPOSITORY = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    ORGANIZATION = "service control policy"
    ENDPOINT = "VPC endpoint policy"
    EITHER = "policy"


_WHERE = {
    Side.REPOSITORY: "the repository policy of {repository}",
    Side.BOUNDARY: "the permissions boundary of {caller}",
    Side.SESSION: "the session policy with which {caller} was assumed",
    Side.ORGANIZATION: "the service control policy of the account's organization",
    Side.ENDPOINT: "the policy of the VPC endpoint that the request goes through",
}


@dataclass(frozen=True, slots=True)
class Denial:
    """What a refusal of AWS says: the action, the principal, and whose policy refuses."""

    action: str | None
    caller: str | None
    side: Side
    explicit: bool

    @classmethod
    def read(cls, message: str) -> Denial:
        """Return what ``message`` says; what it leaves out is None, or either side."""
        action, caller = _ACTION.search(message), _CALLER.search(message)
        side = next((each for each in Side if each.value in message), Side.EITHER)
        return cls(
            action["action"] if action else None,
            caller["arn"] if caller else None,
            side,
            "explicit deny" in message,
        )

    def next_step(self, repository: Repository, caller: str | None) -> str:
        """Return which policy must change, and the statement to add."""
        caller = self.caller or caller or "the principal that runs Pulumi"
        name = str(repository)
        if self.explicit:
            where = _WHERE.get(self.side, "the {side}").format(
                repository=name, caller=caller, side=self.side.value
            )
            return f"take away the explicit deny of {self.action or 'the action'} in {where}."
        if self.side is Side.REPOSITORY:
            return (
                f"add to the repository policy of {name}: "
                f"{_statement(repository, self._principal(caller))}"
            )
        if self.side in _WHERE:
            where = _WHERE[self.side].format(repository=name, caller=caller)
            return f"allow it in {where}: {_statement(repository)}"
        both = (
            ""
            if self.side is Side.IDENTITY
            else "; for a repository of another account its repository policy must allow it too"
        )
        return (
            f"add to the identity policy of {caller}: {_statement(repository)}{both} (also for a "
            "role that AWS manages: the pull-only policy has no BatchCheckLayerAvailability)."
        )

    def _principal(self, caller: str) -> str:
        """Return the role itself for a session of it: sessions come and go."""
        session = re.fullmatch(r"(arn:[\w-]+):sts::(\d+):assumed-role/([^/]+)/.+", caller)
        return f"{session[1]}:iam::{session[2]}:role/{session[3]}" if session else caller


def _statement(repository: Repository, principal: str | None = None) -> str:
    partition = "aws-cn" if repository.region.startswith("cn-") else "aws"
    partition = "aws-us-gov" if repository.region.startswith("us-gov-") else partition
    resource = (
        f"arn:{partition}:ecr:{repository.region}:{repository.account}:repository/{repository.name}"
    )
    statement: dict[str, object] = {"Effect": "Allow", "Action": list(ACTIONS)}
    if principal:
        statement["Principal"] = {"AWS": principal}
    else:
        statement["Resource"] = resource
    return json.dumps(statement)
