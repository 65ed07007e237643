"""An offline provider in place of those of AWS, Docker and Kubernetes, which announces itself.

It accepts every resource of every type, keeps nothing, and connects to the engine that started it
only. The engine finds it on PATH as ``pulumi-resource-NAME`` and runs it as
``python -m layerguard_sandbox.provider NAME ENGINE_ADDRESS``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

NAMES = ("aws", "aws-native", "docker", "docker-build", "kubernetes")
JOURNAL_VARIABLE = "LAYERGUARD_SANDBOX_JOURNAL"
# Newer than any SDK requires.
VERSION = "999.0.0"
ACCOUNT, REGION = "123456789012", "eu-west-1"

# Outputs that a real provider computes, and that programs read. {name} is the resource's own name.
OUTPUTS: Mapping[str, Mapping[str, str]] = {
    "aws:ecr/repository:Repository": {
        "registryId": ACCOUNT,
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{{name}}",
    },
}
DEFAULT_OUTPUTS = {"arn": f"arn:aws:sandbox:{REGION}:{ACCOUNT}:{{name}}"}


class OfflineProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine as a provider does whose cloud accepts everything.

    What a real provider computes is left out in preview, which makes it unknown there. Creations,
    updates and deletions go to the ``journal``, a line of JSON each, where there is one.
    """

    def __init__(self, journal: Path | None) -> None:
        self._journal = journal
        self._lock = threading.Lock()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        """Return a version that satisfies every SDK."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Handshake(self, _request: Any, _context: Any) -> Any:
        """Take secrets and references to resources as they come."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def Configure(self, _request: Any, _context: Any) -> Any:
        """Accept any configuration."""
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, acceptResources=True, supportsPreview=True
        )

    def CheckConfig(self, request: Any, _context: Any) -> Any:
        """Find every configuration valid."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> Any:
        """Never replace a provider."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Check(self, request: Any, _context: Any) -> Any:
        """Find all inputs valid, unknown ones too."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, _context: Any) -> Any:
        """Compare inputs: any change is an update in place."""
        kinds = provider_pb2.DiffResponse
        same = request.old_inputs == request.news
        return kinds(changes=kinds.DIFF_NONE if same else kinds.DIFF_SOME)

    def Create(self, request: Any, _context: Any) -> Any:
        """Make a resource out of nothing but its inputs."""
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        name = _name(request.urn, request.properties)
        self._write("create", request.urn)
        return provider_pb2.CreateResponse(
            id=name, properties=_with_outputs(request.urn, name, request.properties)
        )

    def Update(self, request: Any, _context: Any) -> Any:
        """Take the new inputs."""
        if request.preview:
            return provider_pb2.UpdateResponse(properties=request.news)
        self._write("update", request.urn)
        return provider_pb2.UpdateResponse(
            properties=_with_outputs(request.urn, request.id, request.news)
        )

    def Read(self, request: Any, _context: Any) -> Any:
        """Find a resource as it was left."""
        return provider_pb2.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    def Delete(self, request: Any, _context: Any) -> Any:
        """Delete nothing: no resource was kept."""
        self._write("delete", request.urn)
        return empty_pb2.Empty()

    def _write(self, operation: str, urn: str) -> None:
        if self._journal:
            with self._lock, self._journal.open("a") as journal:
                journal.write(json.dumps({"operation": operation, "urn": urn}) + "\n")


def _name(urn: str, properties: struct_pb2.Struct) -> str:
    given = properties.fields["name"].string_value if "name" in properties.fields else ""
    return given or urn.rpartition("::")[2]


def _with_outputs(urn: str, name: str, inputs: struct_pb2.Struct) -> struct_pb2.Struct:
    resource_type = urn.split("::")[2].rpartition("$")[2]
    outputs = struct_pb2.Struct()
    for key, template in (DEFAULT_OUTPUTS | dict(OUTPUTS.get(resource_type, {}))).items():
        outputs[key] = template.format(name=name)
    outputs.MergeFrom(inputs)
    return outputs


def announce(name: str, engine_address: str) -> None:
    """Log in the engine's output that no cloud is behind this provider."""
    with grpc.insecure_channel(engine_address) as channel:
        engine_pb2_grpc.EngineStub(channel).Log(
            engine_pb2.LogRequest(
                severity=engine_pb2.INFO,
                message=f"the {name} provider is Layerguard's offline stand-in: "
                "nothing is created anywhere",
            )
        )


def serve(journal: Path | None) -> tuple[grpc.Server, int]:
    """Start a provider on 127.0.0.1; return it and its port."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(OfflineProvider(journal), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main(arguments: list[str]) -> None:
    """Serve until the engine ends this process, or has ended itself."""
    name, *rest = arguments
    journal = os.environ.get(JOURNAL_VARIABLE)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    server, port = serve(Path(journal) if journal else None)
    print(port, flush=True)
    if rest:
        announce(name, rest[0])
    engine = os.getppid()
    while os.getppid() == engine and not ended.wait(0.5):
        pass
    server.stop(None)


if __name__ == "__main__":
    main(sys.argv[1:])
