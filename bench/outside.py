"""What one would run outside Pulumi: the AWS CLI and crane, in a loop over the images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cells import Subject
from bench.images import Image
from bench.server import RunningServer


@dataclass(frozen=True)
class Outside:
    """The commands that this machine has."""

    places: Mapping[Subject, Path]

    def has(self, subject: Subject) -> bool:
        """Tell whether there is such a command."""
        return subject in self.places

    def commands(
        self, subject: Subject, images: Sequence[Image], server: RunningServer
    ) -> Iterator[list[str]]:
        """Yield the command that looks at each image.

        The AWS CLI sees that an image is there; crane asks for each of its layers too.
        """
        command = str(self.places[subject])
        for image in images:
            if subject is Subject.CRANE:
                reference = f"{server.host}/{image.repository}:{image.tag}"
                yield [command, "validate", "--fast", "--insecure", "--remote", reference]
            else:
                asked = ["--repository-name", image.repository]
                asked += ["--image-ids", f"imageTag={image.tag}"]
                asked += ["--endpoint-url", server.endpoint]
                yield [command, "ecr", "describe-images", *asked]
