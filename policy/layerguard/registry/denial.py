"""Access denied messages of AWS: parsed, and the policy change that each asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from layerguard.reference import Repository
from layerguard.registry.permissions import ACTIONS

# STS leaves the colon out where the request is not signed (AssumeRoleWithWebIdentity).
_ACTION = re.compile(r"(?i:not authorized to perform:?) (?P<action>[\w-]+:\w+)", re.ASCII)
_CALLER = re.compile(r"User: (?P<arn>arn:\S+)", re.ASCII)
_RESOURCE = re.compile(r"on resource: (?P<arn>arn:\S+)", re.ASCII)
_SESSION = re.compile(r"(arn:[\w-]+):sts::(\d+):assumed-role/([^/]+)/.+", re.ASCII)
_UNKNOWN_CALLER = "the principal that runs Pulumi"
_WITH_TOKEN = "sts:AssumeRoleWithWebIdentity"


class Side(Enum):
    """The kind of policy that denies, as a message names it.

    Source: IAM user guide, "Troubleshoot access denied error messages".
    """

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    ORGANIZATION = "service control policy"
    RESOURCES_OF_ORGANIZATION = "resource control policy"
    ENDPOINT = "VPC endpoint policy"
    EITHER = "policy"


_WHERE = {
    Side.IDENTITY: "the identity policy of {caller}",
    Side.RESOURCE: "{policy}",
    Side.BOUNDARY: "the permissions boundary of {caller}",
    Side.SESSION: "the session policy with which {caller} was assumed",
    Side.ORGANIZATION: "the service control policy of the organization of {caller}",
    Side.RESOURCES_OF_ORGANIZATION: "the resource control policy of the organization that owns it",
    Side.ENDPOINT: "the policy of the VPC endpoint that the request goes through",
    Side.EITHER: "a policy that applies",
}


@dataclass(frozen=True, slots=True)
class Denial:
    """An access denied message: the denied action, the caller, the resource, the kind of policy."""

    action: str | None
    caller: str | None
    resource: str | None
    side: Side
    explicit: bool

    @classmethod
    def parse(cls, message: str) -> Denial:
        """Return the parts of ``message``; absent ones are None, and the side is EITHER."""
        action, caller = _ACTION.search(message), _CALLER.search(message)
        resource = _RESOURCE.search(message)
        side = next((each for each in Side if each.value in message), Side.EITHER)
        return cls(
            action["action"] if action else None,
            caller["arn"] if caller else None,
            resource["arn"].rstrip(".") if resource else None,
            side,
            "explicit deny" in message,
        )

    @property
    def is_of_a_role(self) -> bool:
        """Whether STS denies a role, so that ECR was not asked at all."""
        return (self.action or "").startswith("sts:")

    def next_step(self, repository: Repository, caller: str | None = None) -> str:
        """Return which policy must change, and the statement to add.

        ``caller`` is the ARN of the principal, for a message that does not name it.
        """
        caller = self.caller or caller or _UNKNOWN_CALLER
        policy = f"the repository policy of {repository}"
        if self.explicit:
            return self._without_deny(caller, policy)
        if self.side is Side.RESOURCE:
            return f"add to {policy}: {_statement(self._actions, principal=caller)}"
        allowed = _statement(self._actions, self._on(repository))
        if self.side not in (Side.IDENTITY, Side.EITHER):
            return f"allow it in {self._where(caller, policy)}: {allowed}"
        return (
            f"add to the identity policy of {caller}: {allowed}"
            f"{self._other_side(repository, caller)}{self._managed}"
        )

    def next_step_for_role(self, role: str | None = None) -> str:
        """Return which policy must change so that the role can be assumed.

        ``role`` is the ARN of the role, for a message that does not name it.
        """
        caller, role = self.caller or _UNKNOWN_CALLER, self.resource or role or "the role"
        action, policy = self.action or "sts:AssumeRole", f"the trust policy of {role}"
        if self.explicit:
            return self._without_deny(caller, policy)
        if action == _WITH_TOKEN:
            trust = _statement([action], provider="the identity provider that issued the token")
            return f"let the role trust the token: add to {policy}: {trust}"
        trust = f"add to {policy}: {_statement([action], principal=caller)}"
        allow = f"add to the identity policy of {caller}: {_statement([action], role)}"
        if self.side is Side.RESOURCE:
            return f"{trust}{_CONDITIONS}"
        if self.side is Side.IDENTITY:
            return f"{allow}; and {policy} must allow it too"
        if self.side is Side.EITHER:
            return f"{trust}; and {allow}{_CONDITIONS}"
        return f"allow it in {self._where(caller, policy)}: {_statement([action], role)}"

    def _without_deny(self, caller: str, policy: str) -> str:
        where = self._where(caller, policy)
        return f"remove the explicit deny of {self.action or 'the action'} in {where}."

    def _where(self, caller: str, policy: str) -> str:
        return _WHERE[self.side].format(caller=caller, policy=policy)

    @property
    def _actions(self) -> Sequence[str]:
        if self.action is None or self.action in ACTIONS:
            return ACTIONS
        # A pull-through cache needs further actions, and the message names the one that is missing.
        return (*ACTIONS, self.action) if self.action.startswith("ecr:") else (self.action,)

    def _on(self, repository: Repository) -> str:
        is_of_ecr = (self.action or "ecr:").startswith("ecr:")
        return repository.arn if is_of_ecr else self.resource or "*"

    def _other_side(self, repository: Repository, caller: str) -> str:
        """Return the condition that a repository of another account adds."""
        if caller == _UNKNOWN_CALLER:
            return "; for a repository of another account its repository policy must allow it too"
        if caller.split(":")[4:5] == [repository.account]:
            return ""
        return f"; and the repository policy of {repository} must allow it too"

    @property
    def _managed(self) -> str:
        if self.action not in (None, ACTIONS[0]):
            return ""
        return f" (the pull-only policy that AWS manages lacks {ACTIONS[0]})"


_CONDITIONS = (
    "; where the trust policy has conditions, such as an external ID, what the provider or the "
    "configuration gives must meet them"
)


def _statement(
    actions: Sequence[str],
    resource: str | None = None,
    *,
    principal: str | None = None,
    provider: str | None = None,
) -> str:
    """Return a policy statement; resource-based ones name a principal or an identity provider."""
    statement: dict[str, object] = {"Effect": "Allow", "Action": list(actions)}
    if resource:
        statement["Resource"] = resource
    if principal:
        statement["Principal"] = {"AWS": _role_of(principal)}
    if provider:
        statement["Principal"] = {"Federated": provider}
    return json.dumps(statement)


def _role_of(principal: str) -> str:
    """Return the role of an assumed-role session, and any other principal as it is."""
    session = _SESSION.fullmatch(principal)
    return f"{session[1]}:iam::{session[2]}:role/{session[3]}" if session else principal
