"""The sandbox's ECR at a given port."""

import socket

from layerguard_sandbox.ecr import SandboxEcr


class SandboxEcrAtPort(SandboxEcr):
    """A sandbox that listens at `port` of 127.0.0.1, or at one that the system gives for 0.

    Raises OSError where the port is taken or not allowed.
    """

    def __init__(self, region: str, port: int) -> None:
        super().__init__(region)
        if not port:
            return
        server = self._server
        server.socket.close()
        server.socket = socket.socket(server.address_family, server.socket_type)
        server.server_address = ("127.0.0.1", port)
        try:
            server.server_bind()
            server.server_activate()
        except OSError:
            server.server_close()
            raise
