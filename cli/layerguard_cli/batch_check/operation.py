"""The operation as botocore's model has it, and the call of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.exceptions import ParamValidationError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.stub import Stubber
from botocore.utils import ArgumentGenerator
from botocore.validate import ParamValidator
from layerguard import __version__

NAME = "BatchCheckLayerAvailability"
_SERVICE = "ecr"
_METHOD = "batch_check_layer_availability"
# Name in the configuration, environment variable, default. The AWS CLI has an output format, and
# retries as its recorded runs do: five attempts, no retry of TooManyRequestsException.
_VARIABLES = {
    "output": ("output", "AWS_DEFAULT_OUTPUT", "json", None),
    "retry_mode": ("retry_mode", "AWS_RETRY_MODE", "legacy", None),
}


def new_session() -> Any:
    """Return a botocore session that reads what the AWS CLI reads."""
    session = botocore.session.Session(_VARIABLES)
    session.user_agent_name = "layerguard"
    session.user_agent_version = __version__
    return session


@dataclass(frozen=True, slots=True)
class Operation:
    """BatchCheckLayerAvailability: the shapes of its input and its output."""

    model: Any

    @classmethod
    def load(cls) -> Operation:
        """Return the operation as the installed botocore has it, whatever is configured."""
        service = ServiceModel(Loader().load_service_model(_SERVICE, "service-2"), _SERVICE)
        return cls(service.operation_model(NAME))

    @property
    def service(self) -> str:
        """The name of the service in botocore."""
        return _SERVICE

    @property
    def members(self) -> Mapping[str, Any]:
        """The shape of each member of the input, by name."""
        members: Mapping[str, Any] = self.model.input_shape.members
        return members

    @property
    def required(self) -> frozenset[str]:
        """The names of the members that an input must have."""
        return frozenset(self.model.input_shape.required_members)

    def input_skeleton(self) -> dict[str, Any]:
        """Return an input whose values are empty."""
        skeleton: dict[str, Any] = ArgumentGenerator().generate_skeleton(self.model.input_shape)
        return skeleton

    def output_skeleton(self, client: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return an answer whose values are its members' names, if ``parameters`` are valid."""
        generator = ArgumentGenerator(use_member_names=True)
        with Stubber(client) as stubber:
            stubber.add_response(_METHOD, generator.generate_skeleton(self.model.output_shape))
            return _without_metadata(getattr(client, _METHOD)(**parameters))

    def call(self, client: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to ``parameters``.

        A list that is longer than the model allows is asked in parts, in its order, and the lists
        of the answers are joined. All of it is validated before the first part is asked.
        """
        method = getattr(client, _METHOD)
        long = next((name for name in parameters if self._too_long(parameters, name)), None)
        if long is None:
            return _without_metadata(method(**parameters))
        report = ParamValidator().validate(parameters, self.model.input_shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        step = self.members[long].metadata["max"]
        answer: dict[str, Any] = {}
        for start in range(0, len(parameters[long]), step):
            part = {**parameters, long: parameters[long][start : start + step]}
            for name, value in _without_metadata(method(**part)).items():
                answer[name] = answer[name] + value if isinstance(answer.get(name), list) else value
        return answer

    def _too_long(self, parameters: Mapping[str, Any], name: str) -> bool:
        shape, value = self.members.get(name), parameters[name]
        if shape is None or shape.type_name != "list" or not isinstance(value, list):
            return False
        most: int = shape.metadata.get("max", len(value))
        return len(value) > most


def _without_metadata(response: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}
