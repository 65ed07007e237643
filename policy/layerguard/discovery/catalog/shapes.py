"""Objects with images in them that stand in the inputs of many resource types."""

# Kubernetes API reference, PodSpec.
POD_SPEC = (
    "containers[].image",
    "initContainers[].image",
    "ephemeralContainers[].image",
    "volumes[].image.reference",
)
POD_VOLUMES = ("volumes[].image.reference",)
# AWS Batch API reference, EcsProperties and EksProperties.
BATCH_ECS = "taskProperties[].containers[].image"
BATCH_EKS = (
    "podProperties.containers[].image",
    "podProperties.initContainers[].image",
)
