"""The image references that AWS's APIs accept: the patterns and lengths of their models.

Source: the service models in botocore 1.44.8, the shape that each form names. Its API refuses what
does not match as a whole before anything is pulled. Braket's ``Uri`` and IoT SiteWise's ``EcrUri``
are in the table for the requests that a state machine makes: no other resource has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"


@dataclass(frozen=True, slots=True)
class ApiForm:
    """A shape of an API's model: a pattern for the whole text, and its greatest length.

    The length is compared first, so that no pattern sees a long text.
    """

    shape: str
    pattern: str
    longest: int
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", re.compile(self.pattern, re.ASCII))

    def refusal(self, text: str) -> str | None:
        """Return why the API refuses ``text``, None where it does not."""
        if len(text) > self.longest:
            return f"the reference has {len(text)} characters, and it accepts {self.longest}."
        if self._compiled.fullmatch(text):
            return None
        return f"its API accepts only references of the form {self.pattern} ({self.shape})."

    @property
    def next_step(self) -> str:
        """What to do about a reference that the API refuses."""
        return (
            "write the reference as ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG, with at "
            f"most {self.longest} characters, or copy the image into a repository whose name has "
            "single separators only."
        )


AGENT_CORE = ApiForm(
    "RuntimeContainerUri of bedrock-agentcore-control",
    r"(([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?|public\.ecr\.aws)/"
    rf"({_NAME})(?::([^:@]{{1,300}}))?(?:@(.+))?",
    1024,
)
APP_RUNNER = ApiForm(
    "ImageIdentifier of apprunner",
    rf"([0-9]{{12}}.dkr.ecr.[a-z\-]+-[0-9]{{1}}.amazonaws.com\/({_NAME})"
    r"(:([\w\d+\-=._:\/@])+|@([\w\d\:]+))?)"
    rf"|(^public\.ecr\.aws\/.+\/({_NAME})(:([\w\d+\-=._:\/@])+|@([\w\d\:]+))?)",
    1024,
)
CLEAN_ROOMS_ML = ApiForm("AlgorithmImage of cleanroomsml", r".*", 255)
EMR_SERVERLESS = ApiForm(
    "ImageUri of emr-serverless",
    r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+).([a-z0-9._-]+)\/"
    r"((?:[a-z0-9]+(?:[-._][a-z0-9]+)*/)*[a-z0-9]+(?:[-._][a-z0-9]+)*)"
    r"(?::([a-zA-Z0-9_]+[a-zA-Z0-9-._]*)|@(sha256:[0-9a-f]{64}))",
    1024,
)
GAME_LIFT = ApiForm("ImageUriString of gamelift", r"^[a-zA-Z0-9-_\.@\/:]+$", 255)
SAGEMAKER = ApiForm("ContainerImage and ImageUri of sagemaker", r"[\S]+", 255)
