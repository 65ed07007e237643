"""Rows of the classic AWS provider (pulumi-aws)."""

from layerguard.discovery import pull_rules, runtimes, split_references, storage
from layerguard.discovery.catalog.row import (
    Row,
    carrier,
    document,
    not_pulled,
    push,
    resource,
    template,
)
from layerguard.discovery.catalog.shapes import (
    BATCH_ECS,
    BATCH_EKS,
    BUILD_BATCHES,
    SAGEMAKER_REQUEST,
    SAGEMAKER_STEPS,
    SPARK_IMAGES,
)
from layerguard.discovery.platforms.aws_services import (
    agent_core,
    batch_job,
    batch_node,
    code_build,
    ecs_task,
    emr_serverless,
    lambda_function,
    spark,
)
from layerguard.discovery.platforms.rule import Presumed, linux_amd64, undecided
from layerguard.discovery.platforms.sagemaker import (
    sagemaker_job,
    sagemaker_step,
    sagemaker_supported,
    sagemaker_training,
)

_AMD64 = Presumed(linux_amd64)
_BATCH = "aws:batch/jobDefinition:JobDefinition"
_BUILD = "aws:codebuild/project:Project"
_EMR_JOB = "aws:emrcontainers/jobTemplate:JobTemplate"
_EMR_JOB_PROPERTIES = ("properties", "configurations[].properties")
_EMR_JOB_SETTINGS = "jobTemplateData.configurationOverrides.applicationConfigurations[]"
_MONITORING = "aws:sagemaker/monitoringSchedule:MonitoringSchedule"
_NODES = "nodeProperties:json.nodeRangeProperties[]"
_PIPELINE = "aws:codepipeline/pipeline:Pipeline"
_PIPELINE_ACTION = "stages[].actions[].configuration"
_SAGEMAKER_PIPELINE = "aws:sagemaker/pipeline:Pipeline"
_TRAINING = "aws:sagemaker/trainingJob:TrainingJob"
_TUNING = "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob"

# fmt: off
ROWS = (
    # An image that a runtime pulls: resource type, property path, platform, runtime, how it is read
    Row("aws:amplify/app:App",          "environmentVariables._CUSTOM_IMAGE",                                     _AMD64),
    Row("aws:amplify/app:App",          "autoBranchCreationConfig.environmentVariables._CUSTOM_IMAGE",            _AMD64),
    Row("aws:amplify/branch:Branch",    "environmentVariables._CUSTOM_IMAGE",                                     _AMD64),
    Row("aws:apprunner/service:Service", "sourceConfiguration.imageRepository.imageIdentifier",                   linux_amd64,         runtimes.APP_RUNNER),
    Row(_BATCH,                         "containerProperties:json.image",                                         batch_job, runtimes.BATCH, storage=storage.batch_job),
    Row(_BATCH,                        f"ecsProperties:json.{BATCH_ECS}",                                         batch_job, runtimes.BATCH, storage=storage.batch_job),
    *(Row(_BATCH,                      f"eksProperties.{path}",                                                   undecided, pull=pull_rules.pod) for path in BATCH_EKS),
    Row(_BATCH,                        f"{_NODES}.container.image",                                               batch_node),
    Row(_BATCH,                        f"{_NODES}.ecsProperties.{BATCH_ECS}",                                     batch_node),
    *(Row(_BATCH,                      f"{_NODES}.eksProperties.{path}",                                          batch_node, pull=pull_rules.pod) for path in BATCH_EKS),
    Row("aws:bedrock/agentcoreAgentRuntime:AgentcoreAgentRuntime", "agentRuntimeArtifact.containerConfiguration.containerUri", agent_core, runtimes.AGENT_CORE),
    Row("aws:bedrock/agentcoreHarness:AgentcoreHarness", "environmentArtifact.containerConfiguration.containerUri", agent_core,         runtimes.AGENT_CORE),
    Row("aws:codecatalyst/devEnvironment:DevEnvironment", "ides.runtime",                                         undecided),
    Row(_BUILD,                         "environment.image",                                                      code_build),
    *(Row(_BUILD,                      f"source.buildspec:yaml.batch.{path}",                                     code_build, runtimes.ANY, split_references.unless_interpolated) for path in BUILD_BATCHES),
    *(Row(_BUILD,                      f"secondarySources[].buildspec:yaml.batch.{path}",                         code_build, runtimes.ANY, split_references.unless_interpolated) for path in BUILD_BATCHES),
    Row(_PIPELINE,                     f"{_PIPELINE_ACTION}.RepositoryName",                                      undecided,           runtimes.ANY, split_references.pipeline_source),
    Row(_PIPELINE,                     f"{_PIPELINE_ACTION}.ECRRepositoryName",                                   undecided,           runtimes.ANY, split_references.pipeline_scan),
    Row("aws:ecs/daemonTaskDefinition:DaemonTaskDefinition", "containerDefinitions[].image",                      undecided),
    Row("aws:ecs/expressGatewayService:ExpressGatewayService", "primaryContainer.image",                          _AMD64,              runtimes.ECS_EXPRESS),
    Row("aws:ecs/taskDefinition:TaskDefinition", "containerDefinitions:json[].image",                             ecs_task, runtimes.ECS, storage=storage.ecs_task),
    *(Row(_EMR_JOB,                    f"{_EMR_JOB_SETTINGS}.{properties}{image}",                                spark, runtimes.ANY, split_references.unless_interpolated) for properties in _EMR_JOB_PROPERTIES for image in SPARK_IMAGES),
    *(Row(_EMR_JOB,                    f"jobTemplateData.jobDriver.sparkSubmitJobDriver.sparkSubmitParameters:spark{image}", spark, runtimes.ANY, split_references.unless_interpolated) for image in SPARK_IMAGES),
    *(Row(_EMR_JOB,                    f"jobTemplateData.jobDriver.sparkSqlJobDriver.sparkSqlParameters:spark{image}", spark, runtimes.ANY, split_references.unless_interpolated) for image in SPARK_IMAGES),
    Row("aws:emrserverless/application:Application", "imageConfiguration.imageUri",                               emr_serverless,      runtimes.EMR_SERVERLESS),
    Row("aws:imagebuilder/containerRecipe:ContainerRecipe", "parentImage",                                        undecided, runtimes.ANY, split_references.unless_resource),
    Row("aws:lambda/function:Function", "imageUri",                                                               lambda_function,     runtimes.LAMBDA),
    Row("aws:lightsail/containerServiceDeploymentVersion:ContainerServiceDeploymentVersion", "containers[].image", _AMD64,              runtimes.LIGHTSAIL, split_references.unless_of_lightsail),
    Row("aws:sagemaker/algorithm:Algorithm", "trainingSpecification.trainingImage",                               sagemaker_supported, runtimes.SAGEMAKER_WITH_DIGEST, split_references.with_training_digest),
    Row("aws:sagemaker/algorithm:Algorithm", "inferenceSpecification.containers[].image",                         sagemaker_supported, runtimes.SAGEMAKER_WITH_DIGEST, split_references.with_image_digest),
    Row("aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition", "dataQualityAppSpecification.imageUri", sagemaker_job,      runtimes.SAGEMAKER),
    Row(_TUNING,                        "trainingJobDefinition.algorithmSpecification.trainingImage",             sagemaker_training,  runtimes.SAGEMAKER),
    Row(_TUNING,                        "trainingJobDefinitions[].algorithmSpecification.trainingImage",          sagemaker_training,  runtimes.SAGEMAKER),
    Row("aws:sagemaker/imageVersion:ImageVersion", "baseImage",                                                   _AMD64,              runtimes.SAGEMAKER),
    Row("aws:sagemaker/model:Model",    "containers[].image",                                                     undecided,           runtimes.SAGEMAKER_HOSTING),
    Row("aws:sagemaker/model:Model",    "primaryContainer.image",                                                 undecided,           runtimes.SAGEMAKER_HOSTING),
    Row(_MONITORING,                    "monitoringScheduleConfig.monitoringJobDefinition.monitoringAppSpecification.imageUri", sagemaker_job, runtimes.SAGEMAKER),
    *(Row(_SAGEMAKER_PIPELINE,         f"pipelineDefinition:json.{step}.{image}",                                 sagemaker_step,      runtimes.SAGEMAKER) for step in SAGEMAKER_STEPS for image in SAGEMAKER_REQUEST),
    Row(_TRAINING,                      "algorithmSpecification.trainingImage",                                   sagemaker_training,  runtimes.SAGEMAKER),
    Row(_TRAINING,                      "debugRuleConfigurations[].ruleEvaluatorImage",                           _AMD64,              runtimes.SAGEMAKER),
    Row(_TRAINING,                      "profilerRuleConfigurations[].ruleEvaluatorImage",                        _AMD64,              runtimes.SAGEMAKER),

    # A document whose strings are read for whole references
    document("aws:ec2/instance:Instance",           "userData:user-data"),
    document("aws:ec2/instance:Instance",           "userDataBase64:user-data"),
    document("aws:ec2/launchConfiguration:LaunchConfiguration", "userData:user-data"),
    document("aws:ec2/launchConfiguration:LaunchConfiguration", "userDataBase64:user-data"),
    document("aws:ec2/launchTemplate:LaunchTemplate", "userData:user-data"),
    document("aws:ec2/spotFleetRequest:SpotFleetRequest", "launchSpecifications[].userData:user-data"),
    document("aws:ec2/spotInstanceRequest:SpotInstanceRequest", "userData:user-data"),
    document("aws:ec2/spotInstanceRequest:SpotInstanceRequest", "userDataBase64:user-data"),
    document("aws:eks/addon:Addon",                 "configurationValues:yaml"),
    document("aws:emr/cluster:Cluster",             "configurations:json-or-text"),
    document("aws:emr/cluster:Cluster",             "configurationsJson:json"),
    document("aws:imagebuilder/component:Component", "data:yaml"),
    document("aws:imagebuilder/workflow:Workflow",  "data:yaml"),
    document("aws:lightsail/instance:Instance",     "userData:user-data"),
    document(_SAGEMAKER_PIPELINE,                   "pipelineDefinition:json"),
    document("aws:scheduler/schedule:Schedule",     "target.input:json-or-text"),
    document("aws:sfn/stateMachine:StateMachine",   "definition:json"),
    document("aws:ssm/document:Document",           "content:yaml"),
    document("aws:imagebuilder/containerRecipe:ContainerRecipe", "dockerfileTemplateData:dockerfile"),

    # CloudFormation
    template("aws:cloudformation/stack:Stack",       "templateBody:yaml"),
    template("aws:cloudformation/stackSet:StackSet", "templateBody:yaml"),
    resource("aws:cloudcontrol/resource:Resource",   "desiredState:json"),

    # Values that are handed on: only a warning
    carrier(_BUILD, "source.buildspec:yaml"),
    carrier(_BUILD, "secondarySources[].buildspec:yaml"),
    carrier("aws:cloudformation/stack:Stack",                           "parameters"),
    carrier("aws:cloudformation/stackInstances:StackInstances",         "parameterOverrides"),
    carrier("aws:cloudformation/stackSet:StackSet",                     "parameters"),
    carrier("aws:cloudformation/stackSetInstance:StackSetInstance",     "parameterOverrides"),
    carrier("aws:emr/cluster:Cluster",                                  "steps[].hadoopJarStep.args[]"),
    carrier("aws:glue/connection:Connection",                           "connectionProperties"),
    carrier("aws:secretsmanager/secretVersion:SecretVersion",           "secretString"),
    carrier("aws:serverlessrepository/cloudFormationStack:CloudFormationStack", "parameters"),
    carrier("aws:servicecatalog/provisionedProduct:ProvisionedProduct", "provisioningParameters[].value"),
    carrier("aws:ssm/parameter:Parameter",                              "value"),
    carrier("aws:ssm/parameter:Parameter",                              "insecureValue"),

    # An image that the resource writes
    push("aws:imagebuilder/containerRecipe:ContainerRecipe", "targetRepository.repositoryName"),
    push("aws:imagebuilder/distributionConfiguration:DistributionConfiguration", "distributions[].containerDistributionConfiguration.targetRepository.repositoryName"),

    # No image to pull
    not_pulled("aws:ecr/pullThroughCacheRule:PullThroughCacheRule", "upstreamRegistryUrl"),
    not_pulled("aws:sagemaker/modelCard:ModelCard", "content"),
)
# fmt: on
