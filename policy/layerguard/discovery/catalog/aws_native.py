"""Rows of the AWS Cloud Control provider (pulumi-aws-native).

Its property names are CloudFormation's with a small first letter, so that these rows serve
CloudFormation templates too.
"""

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
    beanstalk_build,
    code_build,
    ecs_task,
    emr_serverless,
    greengrass,
    lambda_function,
    spark,
)
from layerguard.discovery.platforms.rule import Presumed, linux_amd64, undecided
from layerguard.discovery.platforms.sagemaker import (
    sagemaker_job,
    sagemaker_step,
    sagemaker_supported,
    sagemaker_variant,
)

_AMD64 = Presumed(linux_amd64)
_BATCH = "aws-native:batch:JobDefinition"
_BUILD = "aws-native:codebuild:Project"
_CLEAN_ROOMS = "aws-native:cleanroomsml:ConfiguredModelAlgorithm"
_EMR_ENDPOINT = "aws-native:emrcontainers:Endpoint"
_EMR_JOB = "aws-native:emrcontainers:JobTemplate"
# The configurations nest without a limit; deeper ones are found as whole references.
_EMR_PROPERTIES = (
    "properties",
    "configurations[].properties",
    "configurations[].configurations[].properties",
)
_GAME_LIFT = "aws-native:gamelift:ContainerGroupDefinition"
_MODEL_PACKAGE = "aws-native:sagemaker:ModelPackage"
_MONITORING = "aws-native:sagemaker:MonitoringSchedule"
_NODES = "nodeProperties.nodeRangeProperties[]"
_PIPELINE = "aws-native:codepipeline:Pipeline"
_PIPELINE_ACTION = "stages[].actions[].configuration"
_SAGEMAKER_PIPELINE = "aws-native:sagemaker:Pipeline"
_SAGEMAKER_PIPELINE_BODY = "pipelineDefinition.pipelineDefinitionBody:json"

# fmt: off
ROWS = (
    # An image that a runtime pulls: resource type, property path, platform, runtime, how it is read
    Row("aws-native:amplify:App",              "environmentVariables[name=_CUSTOM_IMAGE].value",                  _AMD64),
    Row("aws-native:amplify:Branch",           "environmentVariables[name=_CUSTOM_IMAGE].value",                  _AMD64),
    Row("aws-native:apprunner:Service",        "sourceConfiguration.imageRepository.imageIdentifier",             linux_amd64,         runtimes.APP_RUNNER),
    Row(_BATCH,                                "containerProperties.image",                                       batch_job, runtimes.BATCH, storage=storage.batch_job),
    Row(_BATCH,                               f"ecsProperties.{BATCH_ECS}",                                       batch_job, runtimes.BATCH, storage=storage.batch_job),
    *(Row(_BATCH,                             f"eksProperties.{path}",                                            undecided, pull=pull_rules.pod) for path in BATCH_EKS),
    Row(_BATCH,                               f"{_NODES}.container.image",                                        batch_node),
    Row(_BATCH,                               f"{_NODES}.ecsProperties.{BATCH_ECS}",                              batch_node),
    *(Row(_BATCH,                             f"{_NODES}.eksProperties.{path}",                                   batch_node, pull=pull_rules.pod) for path in BATCH_EKS),
    Row("aws-native:bedrockagentcore:Harness", "environmentArtifact.containerConfiguration.containerUri",         agent_core,          runtimes.AGENT_CORE),
    Row("aws-native:bedrockagentcore:Runtime", "agentRuntimeArtifact.containerConfiguration.containerUri",        agent_core,          runtimes.AGENT_CORE),
    Row(_CLEAN_ROOMS,                          "inferenceContainerConfig.imageUri",                               _AMD64,              runtimes.CLEAN_ROOMS_ML),
    Row(_CLEAN_ROOMS,                          "trainingContainerConfig.imageUri",                                _AMD64,              runtimes.CLEAN_ROOMS_ML),
    Row(_BUILD,                                "environment.image",                                               code_build),
    *(Row(_BUILD,                             f"source.buildSpec:yaml.batch.{path}",                              code_build, runtimes.ANY, split_references.unless_interpolated) for path in BUILD_BATCHES),
    *(Row(_BUILD,                             f"secondarySources[].buildSpec:yaml.batch.{path}",                  code_build, runtimes.ANY, split_references.unless_interpolated) for path in BUILD_BATCHES),
    Row(_PIPELINE,                            f"{_PIPELINE_ACTION}.RepositoryName",                               undecided,           runtimes.ANY, split_references.pipeline_source),
    Row(_PIPELINE,                            f"{_PIPELINE_ACTION}.ECRRepositoryName",                            undecided,           runtimes.ANY, split_references.pipeline_scan),
    Row("aws-native:ecs:DaemonTaskDefinition", "containerDefinitions[].image",                                    undecided),
    Row("aws-native:ecs:ExpressGatewayService", "primaryContainer.image",                                         _AMD64,              runtimes.ECS_EXPRESS),
    Row("aws-native:ecs:TaskDefinition",       "containerDefinitions[].image",                                    ecs_task, runtimes.ECS, storage=storage.ecs_task),
    Row("aws-native:elasticbeanstalk:ApplicationVersion", "buildConfiguration.image",                             undecided, runtimes.ANY, split_references.unless_resource),
    Row("aws-native:elasticbeanstalk:ApplicationVersion", "imageConfiguration.build.buildpack",                   beanstalk_build, runtimes.ANY, split_references.unless_resource),
    Row("aws-native:elasticbeanstalk:ApplicationVersion", "imageConfiguration.source.uri",                        undecided, runtimes.ANY, split_references.unless_resource),
    *(Row(_EMR_ENDPOINT,                      f"configurationOverrides.applicationConfiguration[].{properties}{image}", spark) for properties in _EMR_PROPERTIES for image in SPARK_IMAGES),
    *(Row(_EMR_JOB,                           f"jobTemplateData.configurationOverrides.applicationConfiguration[].{properties}{image}", spark, runtimes.ANY, split_references.unless_interpolated) for properties in _EMR_PROPERTIES for image in SPARK_IMAGES),
    *(Row(_EMR_JOB,                           f"jobTemplateData.jobDriver.sparkSubmitJobDriver.sparkSubmitParameters:spark{image}", spark, runtimes.ANY, split_references.unless_interpolated) for image in SPARK_IMAGES),
    *(Row(_EMR_JOB,                           f"jobTemplateData.jobDriver.sparkSqlJobDriver.sparkSqlParameters:spark{image}", spark, runtimes.ANY, split_references.unless_interpolated) for image in SPARK_IMAGES),
    Row("aws-native:emrserverless:Application", "imageConfiguration.imageUri",                                    emr_serverless,      runtimes.EMR_SERVERLESS),
    Row("aws-native:emrserverless:Application", "workerTypeSpecifications{*}.imageConfiguration.imageUri",        emr_serverless,      runtimes.EMR_SERVERLESS),
    Row(_GAME_LIFT,                            "gameServerContainerDefinition.imageUri",                          undecided,           runtimes.GAME_LIFT),
    Row(_GAME_LIFT,                            "supportContainerDefinitions[].imageUri",                          undecided,           runtimes.GAME_LIFT),
    Row("aws-native:greengrassv2:ComponentVersion", "inlineRecipe:yaml.Manifests[].Artifacts[].Uri:docker-uri",   greengrass),
    Row("aws-native:imagebuilder:ContainerRecipe", "parentImage",                                                 undecided, runtimes.ANY, split_references.unless_resource),
    Row("aws-native:iotanalytics:Dataset",     "actions[].containerAction.image",                                 _AMD64),
    Row("aws-native:lambda:Function",          "code.imageUri",                                                   lambda_function,     runtimes.LAMBDA),
    Row("aws-native:lightsail:Container",      "containerServiceDeployment.containers[].image",                   _AMD64,              runtimes.LIGHTSAIL, split_references.unless_of_lightsail),
    Row("aws-native:omics:Workflow",           "containerRegistryMap.imageMappings[].destinationImage",           linux_amd64,         runtimes.HEALTH_OMICS),
    Row("aws-native:omics:WorkflowVersion",    "containerRegistryMap.imageMappings[].destinationImage",           linux_amd64,         runtimes.HEALTH_OMICS),
    Row("aws-native:robomaker:RobotApplication", "environment",                                                   undecided, runtimes.ANY, split_references.unless_resource),
    Row("aws-native:robomaker:SimulationApplication", "environment",                                              undecided, runtimes.ANY, split_references.unless_resource),
    Row("aws-native:sagemaker:Algorithm",      "trainingSpecification.trainingImage",                             sagemaker_supported, runtimes.SAGEMAKER_WITH_DIGEST, split_references.with_training_digest),
    Row("aws-native:sagemaker:Algorithm",      "inferenceSpecification.containers[].image",                       sagemaker_supported, runtimes.SAGEMAKER_WITH_DIGEST, split_references.with_image_digest),
    Row("aws-native:sagemaker:DataQualityJobDefinition", "dataQualityAppSpecification.imageUri",                  sagemaker_job,       runtimes.SAGEMAKER),
    Row("aws-native:sagemaker:ImageVersion",   "baseImage",                                                       _AMD64,              runtimes.SAGEMAKER),
    Row("aws-native:sagemaker:InferenceComponent", "specification.container.image",                               undecided,           runtimes.SAGEMAKER_HOSTING),
    Row("aws-native:sagemaker:InferenceComponent", "specifications[].container.image",                            sagemaker_variant,   runtimes.SAGEMAKER_HOSTING),
    Row("aws-native:sagemaker:Model",          "containers[].image",                                              undecided,           runtimes.SAGEMAKER_HOSTING),
    Row("aws-native:sagemaker:Model",          "primaryContainer.image",                                          undecided,           runtimes.SAGEMAKER_HOSTING),
    Row("aws-native:sagemaker:ModelBiasJobDefinition", "modelBiasAppSpecification.imageUri",                      sagemaker_job,       runtimes.SAGEMAKER),
    Row("aws-native:sagemaker:ModelExplainabilityJobDefinition", "modelExplainabilityAppSpecification.imageUri",  sagemaker_job,       runtimes.SAGEMAKER),
    Row(_MODEL_PACKAGE,                        "inferenceSpecification.containers[].image",                       sagemaker_supported, runtimes.SAGEMAKER_WITH_DIGEST, split_references.with_image_digest),
    Row(_MODEL_PACKAGE,                        "additionalInferenceSpecifications[].containers[].image",          sagemaker_supported, runtimes.SAGEMAKER_WITH_DIGEST, split_references.with_image_digest),
    Row(_MODEL_PACKAGE,                        "additionalInferenceSpecificationsToAdd[].containers[].image",     sagemaker_supported, runtimes.SAGEMAKER_WITH_DIGEST, split_references.with_image_digest),
    Row("aws-native:sagemaker:ModelQualityJobDefinition", "modelQualityAppSpecification.imageUri",                sagemaker_job,       runtimes.SAGEMAKER),
    Row(_MONITORING,                           "monitoringScheduleConfig.monitoringJobDefinition.monitoringAppSpecification.imageUri", sagemaker_job, runtimes.SAGEMAKER),
    *(Row(_SAGEMAKER_PIPELINE,                f"{_SAGEMAKER_PIPELINE_BODY}.{step}.{image}",                       sagemaker_step,      runtimes.SAGEMAKER) for step in SAGEMAKER_STEPS for image in SAGEMAKER_REQUEST),
    Row("aws-native:sagemaker:ProcessingJob",  "appSpecification.imageUri",                                       sagemaker_job,       runtimes.SAGEMAKER),

    # A document whose strings are read for whole references
    document("aws-native:autoscaling:LaunchConfiguration",      "userData:user-data"),
    document("aws-native:ec2:Instance",                         "userData:user-data"),
    document("aws-native:ec2:LaunchTemplate",                   "launchTemplateData.userData:user-data"),
    document("aws-native:ec2:SpotFleet",                        "spotFleetRequestConfigData.launchSpecifications[].userData:user-data"),
    document("aws-native:eks:Addon",                            "configurationValues:yaml"),
    document("aws-native:imagebuilder:Component",               "data:yaml"),
    document("aws-native:imagebuilder:ContainerRecipe",         "dockerfileTemplateData:dockerfile"),
    document("aws-native:imagebuilder:Workflow",                "data:yaml"),
    document("aws-native:lightsail:Instance",                   "userData:user-data"),
    document(_SAGEMAKER_PIPELINE,                               _SAGEMAKER_PIPELINE_BODY),
    document("aws-native:scheduler:Schedule",                   "target.input:json-or-text"),
    document("aws-native:ssm:Document",                         "content:yaml"),
    document("aws-native:stepfunctions:StateMachine",           "definitionString:json"),

    # CloudFormation
    resource("aws-native:index:ExtensionResource",              "properties"),
    template("aws-native:cloudformation:ChangeSet",             "templateBody:yaml"),
    template("aws-native:cloudformation:Stack",                 "templateBody:yaml"),
    template("aws-native:cloudformation:StackSet",              "templateBody:yaml"),
    template("aws-native:serverlessrepo:Application",           "templateBody:yaml"),

    # Values that are handed on: only a warning
    carrier(_BUILD, "source.buildSpec:yaml"),
    carrier(_BUILD, "secondarySources[].buildSpec:yaml"),
    carrier("aws-native:cloudformation:CustomResourceEmulator", "customResourceProperties"),
    carrier("aws-native:cloudformation:Stack",                  "parameters"),
    carrier("aws-native:cloudformation:StackSet",               "parameters[].parameterValue"),
    carrier("aws-native:cloudformation:StackSet",               "stackInstancesGroup[].parameterOverrides[].parameterValue"),
    carrier("aws-native:deadline:Fleet",                        "hostConfiguration.scriptBody"),
    carrier("aws-native:deadline:QueueEnvironment",             "template:yaml"),
    carrier("aws-native:emr:Step",                              "hadoopJarStep.args[]"),
    carrier(_EMR_JOB,                                           "jobTemplateData.parameterConfiguration{*}.defaultValue"),
    carrier("aws-native:eventsv2:Subscriber",                   "invokeConfiguration.universalTargetParameters.input:json"),
    carrier("aws-native:glue:Connection",                       "connectionInput.connectionProperties"),
    carrier("aws-native:greengrassv2:Deployment",               "components{*}.configurationUpdate.merge:json"),
    carrier("aws-native:iot:Command",                           "payload.content:json"),
    carrier("aws-native:iot:Job",                               "document:json"),
    carrier("aws-native:iot:JobTemplate",                       "document:json"),
    carrier("aws-native:iot:SoftwarePackageVersion",            "recipe:json"),
    carrier("aws-native:secretsmanager:Secret",                 "secretString"),
    carrier("aws-native:servicecatalog:CloudFormationProvisionedProduct", "provisioningParameters[].value"),
    carrier("aws-native:ssm:Parameter",                         "value"),
    carrier("aws-native:stepfunctions:StateMachine",            "definitionSubstitutions"),

    # An image that the resource writes
    push("aws-native:imagebuilder:ContainerRecipe",             "targetRepository.repositoryName"),
    push("aws-native:imagebuilder:DistributionConfiguration",   "distributions[].containerDistributionConfiguration.targetRepository.repositoryName"),

    # No image to pull
    not_pulled("aws-native:agentregistry:RegistryRecord",       "descriptors.mcpServer.data"),
    not_pulled("aws-native:ecr:PullThroughCacheRule",           "upstreamRegistryUrl"),
    not_pulled("aws-native:omics:Workflow",                     "containerRegistryMap.imageMappings[].sourceImage"),
    not_pulled("aws-native:omics:WorkflowVersion",              "containerRegistryMap.imageMappings[].sourceImage"),
    not_pulled("aws-native:sagemaker:InferenceComponent",       "specification.container.deployedImage"),
    not_pulled("aws-native:sagemaker:ModelCard",                "content"),
    not_pulled(_MODEL_PACKAGE,                                  "modelCard"),
)
# fmt: on
