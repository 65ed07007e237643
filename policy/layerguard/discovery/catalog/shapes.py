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
# Amazon EMR on EKS development guide, "Spark properties" and "custom kernel images".
SPARK_IMAGES = (
    '["spark.kubernetes.container.image"]',
    '["spark.kubernetes.driver.container.image"]',
    '["spark.kubernetes.executor.container.image"]',
    '["container-image"]',
)
# Amazon SageMaker API reference: the arguments of a pipeline's step and of a state machine's
# task, whose names are those of the request that they make.
SAGEMAKER_REQUEST = (
    "AlgorithmSpecification.TrainingImage",
    "AppSpecification.ImageUri",
    "Containers[].Image",
    "InferenceSpecification.Containers[].Image",
    "PrimaryContainer.Image",
    "TrainingJobDefinition.AlgorithmSpecification.TrainingImage",
    "TrainingJobDefinitions[].AlgorithmSpecification.TrainingImage",
)
# AWS documentation, "Batch build buildspec reference" of CodeBuild.
BUILD_BATCHES = (
    "build-graph[].env.image",
    "build-list[].env.image",
    "build-matrix.dynamic.env.image[]",
    "build-matrix.static.env.image",
)
# Amazon SageMaker's pipeline definition schema: steps, and those inside of a condition.
SAGEMAKER_STEPS = (
    "Steps[].Arguments",
    "Steps[].Arguments.ElseSteps[].Arguments",
    "Steps[].Arguments.IfSteps[].Arguments",
)
