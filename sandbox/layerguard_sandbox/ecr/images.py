"""Container images as bytes: manifests, configs and layers as real build tools make them.

Formats: OCI image specification 1.1 and Docker's image manifest version 2, schema 2.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from layerguard_sandbox.ecr.blobs import BUILT, Blob, Descriptor, layer, sha256

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Image:
    """One manifest with the blobs to upload before it, and its entry in an index."""

    manifest: str
    media_type: str
    blobs: tuple[Blob, ...]
    platform: Descriptor | None = None
    annotations: Descriptor | None = None

    @property
    def digest(self) -> str:
        """The digest that a registry gives the manifest."""
        return sha256(self.manifest.encode())

    @property
    def descriptor(self) -> Descriptor:
        """How an index refers to this image."""
        return _descriptor_in_index(self)


@dataclass(frozen=True)
class ImageIndex:
    """An index (or Docker manifest list) with the images to push before it."""

    manifest: str
    media_type: str
    children: tuple["Image | ImageIndex", ...]
    platform: Descriptor | None = None
    annotations: Descriptor | None = None

    @property
    def digest(self) -> str:
        """The digest that a registry gives the index."""
        return sha256(self.manifest.encode())

    @property
    def descriptor(self) -> Descriptor:
        """How an outer index refers to this one."""
        return _descriptor_in_index(self)


def oci_image(
    name: str,
    architecture: str = "amd64",
    os: str = "linux",
    layers: int = 3,
    *,
    variant: str = "",
    os_version: str = "",
) -> Image:
    """Build the OCI image `name`: a base layer of its platform, and layers of its own above it."""
    platform = _platform(architecture, os, variant, os_version)
    return _image(name, platform, layers, (OCI_MANIFEST, OCI_CONFIG, OCI_LAYER))


def docker_image(
    name: str,
    architecture: str = "amd64",
    os: str = "linux",
    layers: int = 3,
    *,
    variant: str = "",
    os_version: str = "",
) -> Image:
    """Build the image `name` in Docker's own format, as `docker push` uploads it."""
    platform = _platform(architecture, os, variant, os_version)
    return _image(name, platform, layers, (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER))


def image_index(
    children: Sequence[Image | ImageIndex], *, attestations: bool = False, docker: bool = False
) -> ImageIndex:
    """Build an index of `children`; with `attestations` as buildx makes it, one for each image."""
    listed = (*children, *map(attestation, children)) if attestations else tuple(children)
    media_type = DOCKER_LIST if docker else OCI_INDEX
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [child.descriptor for child in listed],
    }
    return ImageIndex(_json(document), media_type, listed)


def attestation(subject: Image | ImageIndex) -> Image:
    """Build the provenance attestation that buildx puts beside `subject` in an index.

    Platform and annotations as in BuildKit's "Image attestation storage" document.
    """
    platform = _platform("unknown", "unknown")
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "_", "digest": {"sha256": subject.digest.partition(":")[2]}}],
        "predicate": {"builder": {"id": ""}, "buildType": "https://mobyproject.org/buildkit@v1"},
    }
    provenance = Blob(_json(statement).encode(), IN_TOTO)
    config = Blob(
        _json(
            {
                **platform,
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [provenance.digest]},
            }
        ).encode(),
        OCI_CONFIG,
    )
    described = {
        **provenance.descriptor,
        "annotations": {"in-toto.io/predicate-type": statement["predicateType"]},
    }
    return Image(
        _manifest(OCI_MANIFEST, config.descriptor, [described]),
        OCI_MANIFEST,
        (config, provenance),
        platform,
        {
            "vnd.docker.reference.digest": subject.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
    )


def artifact(name: str, artifact_type: str = "application/vnd.example.report.v1+json") -> Image:
    """Build an OCI artifact: a manifest of something that no runtime can start."""
    empty = Blob(b"{}", "application/vnd.oci.empty.v1+json")
    report = Blob(_json({"about": name}).encode(), artifact_type)
    manifest = _manifest(
        OCI_MANIFEST, empty.descriptor, [report.descriptor], artifactType=artifact_type
    )
    return Image(manifest, OCI_MANIFEST, (empty, report))


def with_foreign_layer(image: Image) -> Image:
    """Return `image` above a layer that only its vendor distributes, as old Windows bases."""
    document = json.loads(image.manifest)
    foreign = {
        **Blob(b"a vendor's base layer", DOCKER_FOREIGN_LAYER).descriptor,
        "urls": ["https://vendor.example/base.tar.gz"],
    }
    document["layers"].insert(0, foreign)
    return replace(image, manifest=_json(document))


def _image(name: str, platform: Descriptor, layers: int, types: tuple[str, str, str]) -> Image:
    manifest_type, config_type, layer_type = types
    key = "/".join(platform.values())
    files = [
        layer(f"base {key}" if depth == 0 else f"{name} {key} {depth}", depth)
        for depth in range(layers)
    ]
    history = ["ADD rootfs.tar.gz /", "RUN install dependencies", "COPY . /app"]
    config = {
        "created": BUILT,
        **platform,
        "config": {
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
            "Entrypoint": [f"/app/{name}"],
            "WorkingDir": "/app",
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id for diff_id, _ in files]},
        "history": [
            {"created": BUILT, "created_by": history[min(depth, 2)]} for depth in range(layers)
        ],
    }
    config_blob = Blob(_json(config).encode(), config_type)
    layer_blobs = tuple(Blob(packed, layer_type) for _, packed in files)
    manifest = _manifest(
        manifest_type, config_blob.descriptor, [blob.descriptor for blob in layer_blobs]
    )
    return Image(manifest, manifest_type, (config_blob, *layer_blobs), platform)


def _platform(
    architecture: str, os: str, variant: str = "", os_version: str = ""
) -> dict[str, str]:
    platform = {
        "architecture": architecture,
        "os": os,
        "os.version": os_version,
        "variant": variant,
    }
    return {key: value for key, value in platform.items() if value}


def _descriptor_in_index(entry: Image | ImageIndex) -> Descriptor:
    described = Blob(entry.manifest.encode(), entry.media_type).descriptor
    optional = {"platform": entry.platform, "annotations": entry.annotations}
    return {**described, **{key: value for key, value in optional.items() if value}}


def _manifest(
    media_type: str, config: Descriptor, layers: Sequence[Descriptor], **more: str
) -> str:
    return _json(
        {"schemaVersion": 2, "mediaType": media_type, **more, "config": config, "layers": layers}
    )


def _json(document: Descriptor) -> str:
    return json.dumps(document, indent=2)
