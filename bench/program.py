"""A program that makes a stack, and its language host: both cost next to nothing.

A program in Python, with Pulumi's SDK, costs a preview about as much as the packs that are
compared, and would hide what those cost. This one is what is left of a program without an SDK:
it registers all of its resources at once, and waits for them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import (
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
    resource_pb2,
    resource_pb2_grpc,
)

_STACK = "pulumi:pulumi:Stack"


class Program(language_pb2_grpc.LanguageRuntimeServicer):
    """Serves ``resources``, types and inputs, to engines that are given its ``address``.

    The resources do not depend on each other. Source: Pulumi's ``language.proto`` and
    ``resource.proto``.
    """

    def __init__(self, resources: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        self._requests = [
            _request(kind, f"r{number}", inputs) for number, (kind, inputs) in enumerate(resources)
        ]

    def __enter__(self) -> Program:
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4))
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        """Have no version."""
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, _request: Any, _context: Any) -> Any:
        """Need nothing that is not there."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, _request: Any, _context: Any) -> Any:
        """Need nothing that is not there."""
        return language_pb2.GetRequiredPluginsResponse()

    def About(self, _request: Any, _context: Any) -> Any:
        """Return the version of Python."""
        return language_pb2.AboutResponse(version=platform.python_version())

    def Run(self, request: Any, _context: Any) -> Any:
        """Register every resource, and return when the engine has made all of them."""
        with grpc.insecure_channel(request.monitor_address) as channel:
            monitor = resource_pb2_grpc.ResourceMonitorStub(channel)
            name = f"{request.project}-{request.stack}"
            stack = monitor.RegisterResource(
                resource_pb2.RegisterResourceRequest(type=_STACK, name=name)
            )
            try:
                made = []
                for each in self._requests:
                    each.parent = stack.urn
                    made.append(monitor.RegisterResource.future(each))
                for each in made:
                    each.result()
                monitor.RegisterResourceOutputs(
                    resource_pb2.RegisterResourceOutputsRequest(urn=stack.urn)
                )
                monitor.SignalAndWaitForShutdown(empty_pb2.Empty())
            except grpc.RpcError as error:
                return language_pb2.RunResponse(error=error.details())
        return language_pb2.RunResponse()


def _request(kind: str, name: str, inputs: Mapping[str, Any]) -> Any:
    properties = struct_pb2.Struct()
    properties.update(inputs)
    return resource_pb2.RegisterResourceRequest(
        type=kind,
        name=name,
        custom=True,
        object=properties,
        acceptSecrets=True,
        acceptResources=True,
        supportsPartialValues=True,
        supportsResultReporting=True,
    )
