"""``layerguard batch-check-layer-availability``: AWS's command of this name, and its exit code.

Output, exit codes and messages are those of the AWS CLI (v1, whose runs are recorded in
``tests/cli/aws_cli_cases.jsonl``). The options, their types, the validation and the skeletons
come from botocore's model of the operation. Two things are added: more than 100 digests are asked
in several calls, and ``--fail-on-unavailable`` makes an exit code of the answer.
"""

from layerguard_cli.batch_check.command import add_arguments, run

__all__ = ["add_arguments", "run"]
