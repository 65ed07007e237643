"""A small shop: one image for each runtime that a team is likely to have.

``registry`` and the tags come from the stack's configuration.
"""

import json

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
registry = config.get("registry") or "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
web = f"{registry}/shop/web:{config.get('webTag') or '1.4.2'}"
worker = f"{registry}/shop/worker:{config.get('workerTag') or '1.4.2'}"
report = f"{registry}/shop/report:{config.get('reportTag') or '1.4.2'}"


def role(name: str, service: str) -> aws.iam.Role:
    """Return a role that an AWS service can assume."""
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return aws.iam.Role(name, assume_role_policy=json.dumps(policy))


task_role = role("task", "ecs-tasks.amazonaws.com")

aws.ecs.TaskDefinition(
    "web",
    family="web",
    requires_compatibilities=["FARGATE"],
    network_mode="awsvpc",
    cpu="256",
    memory="512",
    execution_role_arn=task_role.arn,
    runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
        operating_system_family="LINUX",
        cpu_architecture=config.get("webArchitecture") or "ARM64",
    ),
    container_definitions=json.dumps(
        [
            {
                "name": "web",
                "image": web,
                "essential": True,
                "portMappings": [{"containerPort": 8080}],
            },
            {
                "name": "proxy",
                "image": "public.ecr.aws/nginx/nginx:1.27",
                "essential": False,
            },
        ]
    ),
)

aws.lambda_.Function(
    "worker",
    package_type="Image",
    image_uri=worker,
    architectures=["x86_64"],
    role=role("worker", "lambda.amazonaws.com").arn,
    timeout=60,
)

aws.apprunner.Service(
    "report",
    service_name="report",
    source_configuration=aws.apprunner.ServiceSourceConfigurationArgs(
        authentication_configuration=aws.apprunner.ServiceSourceConfigurationAuthenticationConfigurationArgs(
            access_role_arn=role("report", "build.apprunner.amazonaws.com").arn,
        ),
        image_repository=aws.apprunner.ServiceSourceConfigurationImageRepositoryArgs(
            image_identifier=report,
            image_repository_type="ECR",
        ),
    ),
)

aws.batch.JobDefinition(
    "nightly",
    type="container",
    platform_capabilities=["FARGATE"],
    container_properties=task_role.arn.apply(
        lambda arn: json.dumps(
            {
                "image": report,
                "command": ["nightly"],
                "executionRoleArn": arn,
                "resourceRequirements": [
                    {"type": "VCPU", "value": "0.25"},
                    {"type": "MEMORY", "value": "512"},
                ],
            }
        )
    ),
)

kubernetes.apps.v1.Deployment(
    "web",
    spec={
        "replicas": 2,
        "selector": {"match_labels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "node_selector": {"kubernetes.io/arch": "amd64"},
                "init_containers": [{"name": "migrate", "image": web, "args": ["migrate"]}],
                "containers": [{"name": "web", "image": web}],
            },
        },
    },
)
