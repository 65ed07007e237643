"""Rows of the Kubernetes provider: every kind with a pod spec, its Patch and its List."""

from collections.abc import Iterator

from layerguard.discovery import pull_rules, runtimes
from layerguard.discovery.catalog.row import Row, carrier, document, not_pulled
from layerguard.discovery.catalog.shapes import POD_SPEC, POD_VOLUMES
from layerguard.discovery.platforms.pods import pod

_TEMPLATE = "spec.template.spec"
_JOB_TEMPLATE = "spec.jobTemplate.spec.template.spec"

# fmt: off
_KINDS = (
    # API group and version     kind                     pod spec            what is read in it
    ("apps/v1",                 "DaemonSet",             _TEMPLATE,          POD_SPEC),
    ("apps/v1",                 "Deployment",            _TEMPLATE,          POD_SPEC),
    ("apps/v1",                 "ReplicaSet",            _TEMPLATE,          POD_SPEC),
    ("apps/v1",                 "StatefulSet",           _TEMPLATE,          POD_SPEC),
    ("apps/v1beta1",            "Deployment",            _TEMPLATE,          POD_SPEC),
    ("apps/v1beta1",            "StatefulSet",           _TEMPLATE,          POD_SPEC),
    ("apps/v1beta2",            "DaemonSet",             _TEMPLATE,          POD_SPEC),
    ("apps/v1beta2",            "Deployment",            _TEMPLATE,          POD_SPEC),
    ("apps/v1beta2",            "ReplicaSet",            _TEMPLATE,          POD_SPEC),
    ("apps/v1beta2",            "StatefulSet",           _TEMPLATE,          POD_SPEC),
    ("batch/v1",                "CronJob",               _JOB_TEMPLATE,      POD_SPEC),
    ("batch/v1",                "Job",                   _TEMPLATE,          POD_SPEC),
    ("batch/v1beta1",           "CronJob",               _JOB_TEMPLATE,      POD_SPEC),
    ("batch/v2alpha1",          "CronJob",               _JOB_TEMPLATE,      POD_SPEC),
    ("core/v1",                 "Pod",                   "spec",             POD_SPEC),
    ("core/v1",                 "PodTemplate",           "template.spec",    POD_SPEC),
    ("core/v1",                 "ReplicationController", _TEMPLATE,          POD_SPEC),
    ("extensions/v1beta1",      "DaemonSet",             _TEMPLATE,          POD_SPEC),
    ("extensions/v1beta1",      "Deployment",            _TEMPLATE,          POD_SPEC),
    ("extensions/v1beta1",      "ReplicaSet",            _TEMPLATE,          POD_SPEC),
    ("settings.k8s.io/v1alpha1", "PodPreset",            "spec",             POD_VOLUMES),
)
# fmt: on


def _rows() -> Iterator[Row]:
    for group, kind, pod_spec, images in _KINDS:
        for image in images:
            path = f"{pod_spec}.{image}"
            runtime = runtimes.IMAGE_VOLUME if image in POD_VOLUMES else runtimes.ANY
            yield Row(f"kubernetes:{group}:{kind}", path, pod, runtime, pull=pull_rules.pod)
            yield Row(f"kubernetes:{group}:{kind}Patch", path, pod, runtime, pull=pull_rules.pod)
            yield Row(
                f"kubernetes:{group}:{kind}List",
                f"items[].{path}",
                pod,
                runtime,
                pull=pull_rules.pod,
            )


# fmt: off
_OTHERS = (
    # Values and manifests whose strings are read for whole references
    document("kubernetes:apps/v1:ControllerRevision",      "data"),
    document("kubernetes:apps/v1beta1:ControllerRevision", "data"),
    document("kubernetes:apps/v1beta2:ControllerRevision", "data"),
    document("kubernetes:helm.sh/v3:Release",              "valueYamlFiles[]:yaml"),
    document("kubernetes:helm.sh/v3:Release",              "values"),
    document("kubernetes:helm.sh/v4:Chart",                "valueYamlFiles[]:yaml"),
    document("kubernetes:helm.sh/v4:Chart",                "values"),
    document("kubernetes:yaml/v2:ConfigGroup",             "objs[]"),
    document("kubernetes:yaml/v2:ConfigGroup",             "yaml:yaml-stream"),

    # Values that are handed on: only a warning
    carrier("kubernetes:core/v1:ConfigMap",                "data"),
    carrier("kubernetes:core/v1:Secret",                   "data"),
    carrier("kubernetes:core/v1:Secret",                   "stringData"),

    # No image to pull
    not_pulled("kubernetes:core/v1:PodList",               "items[].status"),
    not_pulled("kubernetes:helm.sh/v3:Release",            "chart"),
    not_pulled("kubernetes:helm.sh/v4:Chart",              "chart"),
)
# fmt: on

ROWS = (*_rows(), *_OTHERS)
