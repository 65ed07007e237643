"""The command: from the words of the line to an answer and an exit code."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, TextIO
from urllib.parse import urlparse

import jmespath
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, NoRegionError, ProfileNotFound

from layerguard_cli.batch_check.answer_writer import AnswerWriter
from layerguard_cli.batch_check.aws_cli_options import (
    add_globals,
    add_operation,
    globals_pass,
    name_pass,
    operation_pass,
)
from layerguard_cli.batch_check.operation import NAME, Operation, new_session
from layerguard_cli.batch_check.parameters import Values, with_json
from layerguard_cli.exits import INTERRUPTED, UNAVAILABLE

_FAILED = 255
_CONFIGURE = 'by running "aws configure".'
_DEFAULT_TIMEOUT = 60
_LOG_FORMAT = "%(asctime)s - %(threadName)s - %(name)s - %(levelname)s - %(message)s"

_DESCRIPTION = """\
Asks ECR whether layers are in a repository, and prints its answer: the AWS CLI's command of this
name, with its options, output and exit codes. More than 100 digests are asked in several calls."""

_EXAMPLES = """\
examples:
  layerguard batch-check-layer-availability --repository-name shop/web \\
      --layer-digests sha256:... sha256:... --fail-on-unavailable
  layerguard batch-check-layer-availability --generate-cli-skeleton >in.json
  layerguard batch-check-layer-availability --cli-input-json file://in.json --output table
  layerguard batch-check-layer-availability --repository-name shop/web \\
      --layer-digests file://digests.json --query "layers[?layerAvailability!='AVAILABLE']"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all options to the manual, whose help and usage are shown."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = _DESCRIPTION
    parser.epilog = _EXAMPLES
    add_operation(parser, Operation.load(), strict=True)
    add_globals(parser)


def run(arguments: argparse.Namespace, _stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Ask ECR with the options in the words, print its answer and return the exit code."""
    # The first pass expects a word for the service, where the AWS CLI's line has "ecr".
    place = arguments.words.index(arguments.command)
    words = [*arguments.words[:place], "ecr", *arguments.words[place:]]
    shared, rest = globals_pass(arguments.parser).parse_known_args(words)
    try:
        session = new_session()
        _apply(shared, session, stderr)
        return _answer(shared, rest, session, arguments.parser, stdout)
    except UnknownOptions as error:
        arguments.parser.print_usage(stderr)
        print(f"\n{error}", file=stderr)
    except NoRegionError as error:
        print(f"{error} You can also configure your region {_CONFIGURE}", file=stderr)
    except NoCredentialsError as error:
        print(f"{error}. You can configure credentials {_CONFIGURE}", file=stderr)
    except KeyboardInterrupt:
        print(file=stdout)
        return INTERRUPTED
    except BrokenPipeError:
        raise  # main() handles it for every command.
    except Exception as error:
        logging.getLogger("botocore").debug("The command failed.", exc_info=True)
        print(f"\n{error}", file=stderr)
    return _FAILED


class UnknownOptions(Exception):
    """Words are left over that no option takes."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(f"Unknown options: {', '.join(words)}")


def _apply(shared: argparse.Namespace, session: Any, stderr: TextIO) -> None:
    """Check the global options in the AWS CLI's order, and configure the session with them."""
    if shared.query is not None:
        shared.query = _query(shared.query)
    # Python 3.10 takes the address in 127.0.0.1:5000 for a scheme.
    if shared.endpoint_url is not None and not urlparse(shared.endpoint_url).scheme[:1].isalpha():
        raise ValueError(
            f'Bad value for --endpoint-url "{shared.endpoint_url}": scheme is missing.  Must be of '
            "the form http://<hostname>/ or https://<hostname>/"
        )
    config = Config(
        read_timeout=_seconds(shared.read_timeout),
        connect_timeout=_seconds(shared.connect_timeout),
        signature_version=None if shared.sign_request else UNSIGNED,
    )
    session.set_default_client_config(config)
    for name in ("profile", "region"):
        if getattr(shared, name):
            session.set_config_variable(name, getattr(shared, name))
    if shared.debug:
        for name in ("botocore", "urllib3"):
            session.set_stream_logger(name, logging.DEBUG, stderr, _LOG_FORMAT)


def _answer(
    shared: argparse.Namespace,
    rest: Sequence[str],
    session: Any,
    manual: argparse.ArgumentParser,
    stdout: TextIO,
) -> int:
    _, words = name_pass(manual).parse_known_args(rest)
    if words == ["help"]:
        manual.print_help(stdout)
        return 0
    operation = Operation.load()
    parsed, unknown = operation_pass(manual, operation, words).parse_known_args(words)
    if parsed.help == "help":
        manual.print_help(stdout)
        return 0
    unknown += [parsed.help] if parsed.help else []
    if unknown:
        raise UnknownOptions(unknown)
    parameters = Values(_follows_urls(session)).of_options(parsed, operation)
    session.get_scoped_config()  # A profile that does not exist ends the command here.
    if parsed.cli_input_json is not None:
        parameters = with_json(parsed.cli_input_json, parameters)
    if parsed.generate_cli_skeleton == "input":
        print(json.dumps(operation.input_skeleton(), indent=4), file=stdout)
        return 0
    client = session.create_client(
        operation.service,
        region_name=shared.region,
        endpoint_url=shared.endpoint_url,
        verify=shared.ca_bundle if shared.verify_ssl else False,
    )
    call = operation.output_skeleton if parsed.generate_cli_skeleton else operation.call
    answer = call(client, parameters)
    form = shared.output or session.get_config_variable("output")
    AnswerWriter(stdout, form, shared.color, shared.query).write(NAME, answer)
    if parsed.fail_on_unavailable and not (
        parsed.generate_cli_skeleton or _all_there(parameters, answer)
    ):
        return UNAVAILABLE
    return 0


def _query(text: str) -> Any:
    try:
        return jmespath.compile(text)
    except Exception as error:
        raise ValueError(f"Bad value for --query {text}: {error}") from error


def _seconds(text: str | None) -> int | None:
    """Return the timeout, None for no timeout."""
    return (_DEFAULT_TIMEOUT if text is None else int(text)) or None


def _follows_urls(session: Any) -> bool:
    """Return whether a value may be a URL to load: the configuration can forbid it."""
    try:
        follow: object = session.get_scoped_config().get("cli_follow_urlparam", "true")
    except ProfileNotFound:
        return True
    return follow == "true"


def _all_there(parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Return whether the answer has every digest as available, and nothing else."""
    layers = answer.get("layers", ())
    answered = {(layer.get("layerDigest"), layer.get("layerAvailability")) for layer in layers}
    failed = {(failure.get("layerDigest"), None) for failure in answer.get("failures", ())}
    asked = {(digest, "AVAILABLE") for digest in parameters["layerDigests"]}
    return answered | failed == asked
