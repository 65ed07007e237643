"""The server: what it answers, what it remembers, and that nothing of it is left."""

import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from layerguard_sandbox.ecr import Answer, Fault, Request, Samples, SandboxEcr

from tests.processes import wait_until


def test_an_operation_that_it_does_not_know_is_refused_by_name(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.get_account_setting(name="BASIC_SCAN_TYPE_VERSION")
    assert str(caught.value) == (
        "An error occurred (UnknownOperationException) when calling the GetAccountSetting "
        "operation: the sandbox does not know ecr:GetAccountSetting"
    )
    with pytest.raises(ClientError, match="the sandbox does not know ecr:GetAccountSetting"):
        client.get_account_setting(name="BLOB_MOUNTING")


def test_it_says_who_the_caller_is_and_knows_nothing_else_of_sts(connect: Any) -> None:
    sts = connect("sts")
    assert sts.get_caller_identity()["Account"] == "123456789012"
    with pytest.raises(ClientError) as caught:
        sts.get_session_token()
    assert str(caught.value) == (
        "An error occurred (UnknownOperationException) when calling the GetSessionToken "
        "operation: the sandbox does not know sts:GetSessionToken"
    )


def test_another_service_is_refused_by_name(ecr: SandboxEcr, connect: Any) -> None:
    ecs = connect("ecs", endpoint_url=ecr.endpoint)
    with pytest.raises(ClientError, match="the sandbox does not know ecs:ListClusters"):
        ecs.list_clusters()
    s3 = connect("s3", endpoint_url=ecr.endpoint)
    with pytest.raises(ClientError, match="the sandbox does not know s3:GET /"):
        s3.list_buckets()


def test_it_remembers_what_it_was_asked_and_by_whom(
    ecr: SandboxEcr, client: Any, samples: Samples
) -> None:
    digest, layers = samples.web.digest, samples.web.layers[:2]
    client.batch_get_image(
        registryId="123456789012",
        repositoryName="shop/web",
        imageIds=[{"imageTag": "1.4.2"}, {"imageTag": "1.4.2", "imageDigest": digest}],
    )
    client.batch_check_layer_availability(repositoryName="shop/web", layerDigests=list(layers))
    common = ("123456789012", "eu-west-1", "shop/web")
    caller = (
        "AKIALAYERGUARDSANDBX",
        "arn:aws:sts::123456789012:assumed-role/sandbox/session",
    )
    assert ecr.requests == (
        Request("BatchGetImage", *common, ("1.4.2", f"1.4.2@{digest}"), (), *caller),
        Request("BatchCheckLayerAvailability", *common, (), layers, *caller),
    )
    ecr.clear_requests()
    assert not ecr.requests


@pytest.mark.usefixtures("samples")
def test_forty_threads_are_answered_on_kept_connections(ecr: SandboxEcr, connect: Any) -> None:
    client = connect(config=Config(max_pool_connections=40))
    ecr.faults.add(Fault(latency=0.02))

    def ask(_: int) -> int:
        got = client.batch_get_image(repositoryName="shop/web", imageIds=[{"imageTag": "1.4.2"}])
        assert "connection" not in got["ResponseMetadata"]["HTTPHeaders"]
        return len(got["images"])

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(ask, range(400))) == 400
    assert len(ecr.requests) == 400


def test_nothing_is_left_when_it_ends_even_while_a_request_hangs() -> None:
    before = set(threading.enumerate())
    with SandboxEcr() as ecr:
        port = int(ecr.endpoint.rpartition(":")[2])
        ecr.faults.add(Fault(Answer.HANG))
        idle = socket.create_connection(("127.0.0.1", port))
        hanging = socket.create_connection(("127.0.0.1", port))
        hanging.sendall(
            b"GET /layers?account=123456789012&region=eu-west-1 HTTP/1.1\r\nHost: sandbox\r\n\r\n"
        )
        wait_until(lambda: ecr.requests)
    assert set(threading.enumerate()) == before
    with idle, hanging:
        assert (idle.recv(1), hanging.recv(1)) == (b"", b"")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_plain_request_is_refused_too(ecr: SandboxEcr) -> None:
    with pytest.raises(OSError, match="HTTP Error 400") as caught, urlopen(ecr.endpoint):
        pass
    with caught.value as answer:  # type: ignore[attr-defined]
        assert b"the sandbox does not know unsigned:GET /" in answer.read()


def test_a_process_with_its_environment_uses_nothing_of_the_user(
    ecr: SandboxEcr, samples: Samples
) -> None:
    users = {**os.environ, "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "theirs"}
    script = (
        "import boto3, json; session = boto3.session.Session(); "
        "names = session.client('ecr').describe_repositories()['repositories']; "
        "print(json.dumps([session.region_name, [name['repositoryName'] for name in names]]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=ecr.isolate(users),
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(ended.stdout) == [
        "eu-west-1",
        [pushed.repository for pushed in (samples.web, samples.worker, samples.report)],
    ]


def test_importing_it_does_not_load_every_backend_of_moto() -> None:
    script = (
        "import sys, layerguard_sandbox.ecr; "
        "print(sorted({m.split('.')[1] for m in sys.modules if m.startswith('moto.')}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert "s3" not in ended.stdout
    assert "ec2" not in ended.stdout
