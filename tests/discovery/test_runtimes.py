"""What runtimes refuse although every layer is there."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from layerguard.discovery import api_forms, runtimes
from layerguard.discovery.api_forms import ApiForm
from layerguard.discovery.catalog import ROWS, Role
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.discovery.runtimes import Candidate, Runtime
from layerguard.manifest import ManifestForm
from layerguard.reference import ImageReference

ACCOUNT = "123456789012"
HERE = Placement(ACCOUNT, "eu-west-1")
WEB = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop/web"
DIGEST = f"sha256:{'0' * 64}"
PUBLIC = "public.ecr.aws/nginx/nginx:1"
FIPS = f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com/shop/web:1"
DUAL = f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws/shop/web:1"
CHINA = f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/shop/web:1"
GIB = 1024**3
# The patterns that AWS's API models (botocore 1.44.8) put on image references.
MODELS = {
    (each["service"], each["shape"]): each
    for each in json.loads(Path(__file__).with_name("aws-image-patterns.json").read_text())
}
SINGLE, INDEX = ManifestForm.DOCKER_MANIFEST, ManifestForm.OCI_INDEX


def refusals(
    runtime: Runtime, text: str, placement: Placement = NOWHERE, form: ManifestForm | None = SINGLE
) -> list[tuple[str, bool]]:
    candidate = Candidate(text, ImageReference.parse(text), placement, form)
    prefix = f"{runtime.name} does not run this image: "
    found = runtime.refusals(candidate)
    assert all(each.reason.startswith(prefix) and each.next_step for each in found)
    return [(each.reason.removeprefix(prefix), each.certain) for each in found]


AWAY = "the repository is in eu-west-1, and the resource in us-east-1."
INDEXED = "the reference leads to an OCI index, and it takes a single manifest."
US = Placement(ACCOUNT, "us-east-1")


@pytest.mark.parametrize(
    ("runtime", "text", "placement", "form", "expected"),
    [
        (runtimes.LAMBDA,            f"{WEB}:1",            HERE,                                   SINGLE,                    []),
        (runtimes.LAMBDA,            f"{WEB}:1",            HERE,                                   ManifestForm.OCI_MANIFEST, []),
        (runtimes.LAMBDA,            f"{WEB}:1",            NOWHERE,                                None,                      []),
        (runtimes.LAMBDA,            DUAL,                  HERE,                                   SINGLE,                    []),
        (runtimes.LAMBDA,            f"{WEB}:1",            Placement("210987654321", "eu-west-1"), SINGLE,                    []),
        (runtimes.LAMBDA,            f"{WEB}:1",            US,                                     SINGLE,                    [(AWAY, True)]),
        (runtimes.LAMBDA,            f"{WEB}:1",            HERE,                                   INDEX,                     [(INDEXED, True)]),
        (runtimes.LAMBDA,            f"{WEB}:1",            US,                                     INDEX,                     [(AWAY, True), (INDEXED, True)]),
        (runtimes.LAMBDA,            f"{WEB}:1",            HERE,                                   ManifestForm.DOCKER_LIST,  [("the reference leads to a Docker manifest list, and it takes a single manifest.", True)]),
        (runtimes.LAMBDA,            f"{WEB}:1@{DIGEST}",   HERE,                                   SINGLE,                    [("the reference has a tag and a digest, and it accepts one of them.", True)]),
        (runtimes.LAMBDA,            f"{WEB}@{DIGEST}",     HERE,                                   SINGLE,                    []),
        (runtimes.LAMBDA,            WEB,                   HERE,                                   SINGLE,                    [("the reference has neither a tag nor a digest.", True)]),
        (runtimes.LAMBDA,            FIPS,                  US,                                     SINGLE,                    [("the reference has a FIPS host name.", True)]),
        (runtimes.LAMBDA,            PUBLIC,                HERE,                                   None,                      [("it is not in a private Amazon ECR registry.", True)]),
        (runtimes.LAMBDA,            "nginx:1",             HERE,                                   None,                      [("it is not in a private Amazon ECR registry.", True)]),
        (runtimes.APP_RUNNER,        f"{WEB}:1",            HERE,                                   INDEX,                     []),
        (runtimes.APP_RUNNER,        PUBLIC,                HERE,                                   None,                      []),
        (runtimes.APP_RUNNER,        "nginx:1",             HERE,                                   None,                      [("it is neither in a private Amazon ECR registry nor in ECR Public.", True)]),
        (runtimes.APP_RUNNER,        f"{WEB}:1",            US,                                     SINGLE,                    [(AWAY, False)]),
        (runtimes.APP_RUNNER,        DUAL,                  HERE,                                   SINGLE,                    [(f"it accepts no registry of the form {ACCOUNT}.dkr-ecr.eu-west-1.on.aws.", True)]),
        (runtimes.APP_RUNNER,        CHINA,                 NOWHERE,                                SINGLE,                    [(f"it accepts no registry of the form {ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn.", True)]),
        (runtimes.AGENT_CORE,        CHINA,                 NOWHERE,                                SINGLE,                    []),
        (runtimes.AGENT_CORE,        f"{WEB}:1@{DIGEST}",   HERE,                                   INDEX,                     []),
        (runtimes.AGENT_CORE,        FIPS,                  NOWHERE,                                SINGLE,                    [(f"it accepts no registry of the form {ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com.", True)]),
        (runtimes.EMR_SERVERLESS,    f"{WEB}:1",            HERE,                                   INDEX,                     []),
        (runtimes.EMR_SERVERLESS,    f"{WEB}@{DIGEST}",     HERE,                                   INDEX,                     []),
        (runtimes.EMR_SERVERLESS,    WEB,                   HERE,                                   INDEX,                     [("the reference has neither a tag nor a digest.", True)]),
        (runtimes.EMR_SERVERLESS,    f"{WEB}:1",            US,                                     INDEX,                     [(AWAY, False)]),
        (runtimes.EMR_SERVERLESS,    PUBLIC,                HERE,                                   None,                      [("it is not in a private Amazon ECR registry.", True)]),
        (runtimes.CLEAN_ROOMS_ML,    f"{WEB}:1",            HERE,                                   INDEX,                     []),
        (runtimes.CLEAN_ROOMS_ML,    f"{WEB}@{DIGEST}",     HERE,                                   INDEX,                     [("the reference has a digest, and it accepts tags only.", True)]),
        (runtimes.GAME_LIFT,         f"{WEB}:1",            HERE,                                   INDEX,                     []),
        (runtimes.GAME_LIFT,         PUBLIC,                HERE,                                   None,                      []),
        (runtimes.GAME_LIFT,         f"{WEB}:1",            Placement("210987654321", "us-east-1"), INDEX,                     [(AWAY, True), (f"the repository is in account {ACCOUNT}, and the resource in 210987654321.", True)]),
        (runtimes.GAME_LIFT,         f"{WEB}:1@{DIGEST}",   HERE,                                   INDEX,                     [("the reference has a tag and a digest, and it accepts one of them.", True)]),
        (runtimes.GAME_LIFT,         f"{WEB}{'w' * 201}:1", HERE,                                   INDEX,                     [("the reference has 256 characters, and it accepts 255.", True)]),
        (runtimes.LIGHTSAIL,         f"{WEB}:1",            US,                                     SINGLE,                    [(AWAY, True)]),
        (runtimes.SAGEMAKER,         f"{WEB}:1",            US,                                     INDEX,                     [(AWAY, False)]),
        (runtimes.SAGEMAKER_HOSTING, f"{WEB}:1",            HERE,                                   INDEX,                     [("the reference leads to an OCI index, and users report that it takes Docker's.", False)]),
        (runtimes.ECS_EXPRESS,       DUAL,                  HERE,                                   SINGLE,                    [(f"it accepts no registry of the form {ACCOUNT}.dkr-ecr.eu-west-1.on.aws.", False)]),
        (runtimes.ANY,               PUBLIC,                US,                                     INDEX,                     []),
    ],
)  # fmt: skip
def test_a_runtime_refuses_what_it_does_not_run(
    runtime: Runtime,
    text: str,
    placement: Placement,
    form: ManifestForm | None,
    expected: list[tuple[str, bool]],
) -> None:
    assert refusals(runtime, text, placement, form) == expected


def test_the_runtimes_of_the_catalog_are_those_with_rules() -> None:
    used = {row.runtime.name for row in ROWS if row.role is Role.PULL and row.runtime.rules}
    declared = {
        each.name for each in vars(runtimes).values() if isinstance(each, Runtime) and each.rules
    }
    assert used == declared


FORMS = {
    api_forms.AGENT_CORE: ("bedrock-agentcore-control", "RuntimeContainerUri"),
    api_forms.APP_RUNNER: ("apprunner", "ImageIdentifier"),
    api_forms.CLEAN_ROOMS_ML: ("cleanroomsml", "AlgorithmImage"),
    api_forms.EMR_SERVERLESS: ("emr-serverless", "ImageUri"),
    api_forms.GAME_LIFT: ("gamelift", "ImageUriString"),
    api_forms.SAGEMAKER: ("sagemaker", "ContainerImage"),
}


@pytest.mark.parametrize(("form", "shape"), FORMS.items())
def test_a_form_is_that_of_the_apis_model(form: ApiForm, shape: tuple[str, str]) -> None:
    model = MODELS[shape]
    assert form.pattern.replace("\\/", "/") == model["pattern"].replace("\\/", "/")
    assert form.longest == model["max"]
    assert all(part in form.shape for part in shape)


@pytest.mark.parametrize(
    ("form", "text", "is_accepted"),
    [
        (api_forms.AGENT_CORE, f"{WEB}:1@{DIGEST}", True),
        (api_forms.AGENT_CORE, f"{WEB}__x:1", False),
        (api_forms.AGENT_CORE, FIPS, False),
        (api_forms.AGENT_CORE, DUAL, False),
        (api_forms.APP_RUNNER, f"{WEB}:1", True),
        (api_forms.APP_RUNNER, f"{WEB}@{DIGEST}", True),
        (api_forms.APP_RUNNER, PUBLIC, True),
        (api_forms.APP_RUNNER, f"{WEB}__x:1", False),
        (api_forms.APP_RUNNER, DUAL, False),
        (api_forms.CLEAN_ROOMS_ML, f"{WEB}:1", True),
        (api_forms.EMR_SERVERLESS, f"{WEB}:1", True),
        (api_forms.EMR_SERVERLESS, f"{WEB}@{DIGEST}", True),
        (api_forms.EMR_SERVERLESS, f"{WEB}:1@{DIGEST}", False),
        (api_forms.EMR_SERVERLESS, WEB, False),
        (api_forms.EMR_SERVERLESS, FIPS, False),
        (api_forms.EMR_SERVERLESS, DUAL, False),
        (api_forms.EMR_SERVERLESS, f"{WEB}--x:1", False),
        (api_forms.GAME_LIFT, f"{WEB}:1@{DIGEST}", True),
        (api_forms.GAME_LIFT, f"{WEB}:1 ", False),
        (api_forms.SAGEMAKER, f"{WEB}:1@{DIGEST}", True),
        (api_forms.SAGEMAKER, f"{WEB}:1\n", False),
        *((each, f"{WEB}{'w' * 1024}:1", False) for each in FORMS),
    ],
)
def test_a_form_refuses_what_the_api_refuses(form: ApiForm, text: str, is_accepted: bool) -> None:
    assert (form.refusal(text) is None) is is_accepted


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("part", ["a", "a-", "a/", "a:", "a@", "a.b/", "1", "-", "/", "@:"])
def test_no_text_makes_a_form_slow(form: ApiForm, part: str) -> None:
    registry = WEB.partition("/")[0]
    began = time.process_time()
    for text in (f"{registry}/{part * 10**6}", f"{part * 10**6}!"):
        form.refusal(text)
        for length in (240, 1000):
            form.refusal(f"{text[:length]}!")
            form.refusal(f"{text[:length]}\n")
    assert time.process_time() - began < 1


def test_a_rule_names_the_cause_where_the_form_only_has_a_pattern() -> None:
    (refused,) = refusals(runtimes.EMR_SERVERLESS, f"{WEB}:1@{DIGEST}", HERE)
    assert refused == ("the reference has a tag and a digest, and it accepts one of them.", True)
    ((reason, is_certain),) = refusals(runtimes.EMR_SERVERLESS, f"{WEB}__x:1", HERE)
    assert reason.startswith("its API accepts only references of the form ([0-9]{12})")
    assert is_certain


@pytest.mark.parametrize(
    ("runtime", "compressed", "storage_gib", "is_refused"),
    [
        (runtimes.LAMBDA, None, None, False),
        (runtimes.LAMBDA, 10 * GIB, None, False),
        (runtimes.LAMBDA, 10 * GIB + 1, None, True),
        (runtimes.ECS, None, 20.0, False),
        (runtimes.ECS, 30 * GIB, None, False),
        (runtimes.ECS, 20 * GIB, 20.0, False),
        (runtimes.ECS, 20 * GIB + 1, 20.0, True),
        (runtimes.ECS, 30 * GIB, 60.0, False),
        (runtimes.BATCH, 61 * GIB, 60.0, True),
        (runtimes.ANY, 100 * GIB, 20.0, False),
    ],
)
def test_an_image_that_is_too_large_is_refused(
    runtime: Runtime, compressed: int | None, storage_gib: float | None, is_refused: bool
) -> None:
    text = f"{WEB}:1"
    reference = ImageReference.parse(text)
    candidate = Candidate(text, reference, HERE, SINGLE, compressed, storage_gib)
    found = runtime.refusals(candidate)
    assert bool(found) is is_refused
    assert all(each.certain for each in found)
