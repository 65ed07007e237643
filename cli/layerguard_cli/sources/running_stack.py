"""A running stack by its name, through the pulumi binary."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace

from layerguard_cli.sources.engine_json import read_documents
from layerguard_cli.sources.export import is_export, read_export
from layerguard_cli.sources.source import Source, SourceKind, SourceUnreadable

_SHOWN = 300  # characters of pulumi's error message


@dataclass(frozen=True, slots=True)
class Pulumi:
    """The pulumi binary, None if there is none, and how many seconds it may take.

    It runs in ``environment``, whose login it uses, and is never asked to decrypt secrets.
    """

    binary: str | None
    environment: Mapping[str, str]
    timeout: float = 120.0

    def read_stack(self, name: str) -> Source:
        """Return the image uses of a state; raise SourceUnreadable with pulumi's message."""
        if self.binary is None:
            raise SourceUnreadable(
                "There is no pulumi on PATH to export the stack with; install it, or give a file "
                "that pulumi stack export made."
            )
        documents, _ = read_documents(self._export(self.binary, name))
        if not is_export(documents[0]):
            raise SourceUnreadable("What pulumi stack export printed is no stack export.")
        source = read_export(name, documents[0], self.environment)
        return replace(source, name=name, kind=SourceKind.STACK)

    def _export(self, binary: str, name: str) -> str:
        command = (binary, "stack", "export", f"--stack={name}", "--non-interactive")
        # In a session of its own, so that Ctrl-C can end it with all that it started.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            start_new_session=True,
        )
        with process:
            try:
                output, complaint = process.communicate(timeout=self.timeout)
            except subprocess.TimeoutExpired as error:
                raise SourceUnreadable(
                    f"pulumi stack export did not answer within {self.timeout:g} s."
                ) from error
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if process.returncode:
            reason = " ".join(complaint.decode(errors="replace").split())[:_SHOWN]
            raise SourceUnreadable(f"pulumi stack export failed: {reason or 'without a message.'}")
        return output.decode(errors="replace")
