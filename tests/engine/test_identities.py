"""Who asks, on the real engine: the sandbox checks the signature of every request."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pulumi
import pulumi_aws
import pulumi_aws_native
import pulumi_kubernetes
import pytest
from layerguard_sandbox.ecr import Answer, Fault, Keys, SandboxEcr, docker_image
from layerguard_sandbox.engine import Outcome

from tests.engine.conftest import Start
from tests.engine.programs import NOTICE, UPDATE, function, resource

MINE, THEIRS, PARTNER = "123456789012", "210987654321", "345678901234"
HOME, AWAY = "eu-west-1", "us-east-1"
PLACES = {  # whose image each repository has, and where
    "pod": (MINE, HOME),
    "static": (MINE, HOME),
    "partner": (PARTNER, HOME),
    "shared": (THEIRS, AWAY),
    "untrusted": (THEIRS, AWAY),
}
TASK = "aws-native:ecs:TaskDefinition"


@pytest.fixture
def images(ecr: SandboxEcr) -> Mapping[str, str]:
    return {
        name: ecr.registry(*place).push(f"shop/{name}", docker_image(name), tag="1").reference
        for name, place in PLACES.items()
    }


@pytest.fixture
def static(ecr: SandboxEcr) -> Keys:
    return ecr.principals.add_user(MINE, "static")


def session(account: str, role: str, name: str = "layerguard") -> str:
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


def native_task(name: str, image: str, provider: pulumi.ProviderResource) -> None:
    containers = [{"name": name, "image": image}]
    resource(TASK, name, {"containerDefinitions": containers}, provider=provider)


@pytest.fixture
def program(ecr: SandboxEcr, images: Mapping[str, str], static: Keys) -> Callable[[], None]:
    """Two accounts, two regions, and five ways to ask, with the providers' own SDKs."""
    hop = ecr.principals.add_role(MINE, "hop", trusts=[ecr.keys.arn], external_id="the-hop")
    reader = ecr.principals.add_role(THEIRS, "reader", trusts=[hop])
    denied = ecr.principals.add_role(THEIRS, "denied", trusts=[ecr.keys.arn])
    closed = ecr.principals.add_role(THEIRS, "closed", trusts=[static.arn])

    def run() -> None:
        roles = pulumi_aws.Provider(
            "roles",
            region=AWAY,
            assume_roles=[
                {"role_arn": hop, "external_id": "the-hop"},
                {"role_arn": reader, "session_name": "deploy"},
            ],
            skip_credentials_validation=True,
            skip_requesting_account_id=True,
            allowed_account_ids=["999999999999"],
        )
        keys = pulumi_aws.Provider(
            "keys", region=HOME, access_key=static.access_key, secret_key=static.secret_key
        )
        refused = pulumi_aws_native.Provider(
            "refused", region=AWAY, assume_role={"role_arn": denied}
        )
        distrusted = pulumi_aws_native.Provider(
            "distrusted", region=AWAY, assume_role={"role_arn": closed}
        )
        cluster = pulumi_kubernetes.Provider("cluster", kubeconfig="{}")
        resource(
            "kubernetes:core/v1:Pod",
            "pod",
            {"spec": {"containers": [{"name": "pod", "image": images["pod"]}]}},
            provider=cluster,
        )
        function("roles", images["shared"], provider=roles)
        function("static", images["static"], provider=keys)
        function("partner", images["partner"], provider=keys)
        native_task("denied", images["shared"], refused)
        native_task("untrusted", images["untrusted"], distrusted)

    return run


@pytest.fixture
def config(ecr: SandboxEcr) -> Mapping[str, object]:
    """An identity for the partner's registry, which wins over the provider's."""
    arn = ecr.principals.add_role(
        PARTNER, "checks", trusts=[ecr.keys.arn], external_id="the-partner"
    )
    identities = {PARTNER: {"roleArn": arn, "externalId": "the-partner"}}
    return {UPDATE: {"identities": identities}}


def test_every_image_is_asked_about_as_its_own_provider_and_one_that_is_denied_is_alone(
    start: Start,
    ecr: SandboxEcr,
    images: Mapping[str, str],
    static: Keys,
    program: Callable[[], None],
    config: Mapping[str, object],
) -> None:
    ecr.faults.add(Fault(Answer.DENIED, principal=session(THEIRS, "denied")))
    engine = start(program, pack_config=config)
    for run in (engine.preview, engine.up):
        ecr.clear_requests()
        outcome = run()
        assert outcome.passed, outcome.output
        assert asked_as(ecr) == {
            (f"shop/{name}", *PLACES[name], principal)
            for name, principal in (
                ("pod", ecr.keys.arn),
                ("static", static.arn),
                ("partner", session(PARTNER, "checks")),
                ("shared", session(THEIRS, "reader", "deploy")),
                ("shared", session(THEIRS, "denied")),
            )
        }
        assert_only_the_denied_are_reported(outcome, images, ecr.keys.arn)
    assert len(engine.asked_to_create()) == 6


def asked_as(ecr: SandboxEcr) -> set[tuple[str, str, str, str]]:
    return {
        (each.repository, each.account, each.region, each.principal)
        for each in ecr.requests
        if each.principal  # a download of a config is not signed
    }


def assert_only_the_denied_are_reported(
    outcome: Outcome, images: Mapping[str, str], ordinary: str
) -> None:
    denied, untrusted = sorted(outcome.messages(NOTICE))
    assert denied.startswith(
        f'access-denied: containerDefinitions[0].image (container "denied"): {images["shared"]}\n'
        f"  ECR says AccessDeniedException: User: {session(THEIRS, 'denied')} is not authorized"
    )
    assert f"next step: add to the identity policy of {session(THEIRS, 'denied')}: " in denied
    assert untrusted.startswith(
        'access-denied: containerDefinitions[0].image (container "untrusted"): '
        f"{images['untrusted']}\n"
        f"  STS says AccessDenied: User: {ordinary} is not authorized to perform: sts:AssumeRole"
    )
    assert f"next step: add to the trust policy of arn:aws:iam::{THEIRS}:role/closed: " in untrusted


def test_a_denial_is_reported_without_the_caller_where_sts_does_not_name_it(
    start: Start, ecr: SandboxEcr, images: Mapping[str, str], static: Keys
) -> None:
    def program() -> None:
        wrong = pulumi_aws.Provider(
            "wrong", region=HOME, access_key=static.access_key, secret_key="another-secret"
        )
        function("static", images["static"], provider=wrong)

    outcome = start(program).preview()
    assert outcome.passed
    (message,) = outcome.messages(NOTICE)
    assert message.startswith(f"no-credentials: imageUri: {images['static']}\n")
    assert not {each.principal for each in ecr.requests}


def test_a_configured_identity_asks_although_the_providers_own_is_not_known_yet(
    start: Start, ecr: SandboxEcr, images: Mapping[str, str], config: Mapping[str, object]
) -> None:
    def program() -> None:
        role = resource("aws:iam/role:Role", "role", {"name": "deploy"})
        later = pulumi_aws.Provider(
            "later", region=HOME, assume_roles=[{"role_arn": role.id.apply(str)}]
        )
        function("partner", images["partner"], provider=later)
        function("static", images["static"], provider=later)

    outcome = start(program, pack_config=config).preview()
    assert outcome.headlines(NOTICE) == [f"unknown-in-preview: imageUri: {images['static']}"]
    assert {each.principal for each in ecr.requests if each.principal} == {
        session(PARTNER, "checks")
    }
