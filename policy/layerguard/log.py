"""The log: what happens inside, for whoever looks for a cause. Silent unless somebody asks for it.

The loggers are ``layerguard.discovery``, ``.registry``, ``.checking`` and ``.gates`` of Python's
``logging``. ``info`` has the steps, ``debug`` every call to ECR, ``warning`` what was done without,
and ``error`` bugs, with their tracebacks. Every record leaves through one formatter, which takes
secrets out and makes lines legible; the loggers of botocore, which print secrets, are left alone.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from layerguard import __version__
from layerguard.errors import SettingsInvalid
from layerguard.legible import legible_line
from layerguard.secret_texts import KEY_VARIABLES, SecretTexts, without_tokens

VARIABLE = "LAYERGUARD_LOG"
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
HIDDEN = SecretTexts()
"""What is in no line of the log of this process."""

_ALLOWED = "allowed are debug, info, warning and error, each also with :FILE, a whole path"
_SILENT = logging.CRITICAL + 1
_MOST_LINES = 100
_LOGGER = logging.getLogger("layerguard")
# The variables that decide how ECR is asked; of those that are not among them, such as keys, the
# value is not shown. Not compiled, which takes longer than all else here and is not needed often.
_NAMED = r"AWS_\w+"
_SHOWN = (
    r"AWS_(?:DEFAULT_)?(?:PROFILE|REGION)|AWS_(?:CONFIG|SHARED_CREDENTIALS)_FILE|AWS_CA_BUNDLE"
    r"|AWS_ENDPOINT_URL\w*|AWS_EC2_METADATA_DISABLED|(?i:(?:https?|all|no)_proxy)|PULUMI_DRY_RUN"
)


class Destination(NamedTuple):
    """Where a log goes, and from which level on; without a ``file`` to standard error."""

    level: int
    file: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Destination | None:
        """Return the destination in ``LEVEL`` or ``LEVEL:FILE``, None if ``text`` is empty.

        Raises SettingsInvalid for anything else.
        """
        name, colon, file = text.strip().partition(":")
        if not name and not colon:
            return None
        level = LEVELS.get(name.lower())
        # The pack's working folder is its own, which is published: nobody would look there.
        if level is None or (colon and not file.startswith(("/", "~"))):
            raise SettingsInvalid(f"{VARIABLE} is '{text}': {_ALLOWED}; there is no log.")
        return cls(level, Path(file) if file else None)


def begin(environment: Mapping[str, str]) -> None:
    """Log as LAYERGUARD_LOG says, from now on; one sentence on standard error where that fails.

    Secrets of a run before, in the same process, are forgotten.
    """
    HIDDEN.forget()
    HIDDEN.add(environment.get(name) for name in KEY_VARIABLES)
    try:
        log_to(Destination.parse(environment.get(VARIABLE, "")))
    except SettingsInvalid as error:
        log_to(None)
        print(f"layerguard: {legible_line(str(error))}", file=sys.stderr, flush=True)
    _LOGGER.info("%s", _Start(environment))


def log_to(destination: Destination | None) -> None:
    """Log to ``destination`` and nowhere else; nothing at all if it is None.

    Raises SettingsInvalid where its file cannot be written.
    """
    write: Callable[[str], object] = _write_to_stderr
    if destination and destination.file:
        write = _Appended(destination.file)
    for handler in [each for each in _LOGGER.handlers if isinstance(each, _Lines)]:
        _LOGGER.removeHandler(handler)
        handler.close()
    _LOGGER.setLevel(destination.level if destination else _SILENT)
    # Handlers of the root, such as Pulumi's, have another formatter.
    _LOGGER.propagate = destination is None
    if destination:
        _LOGGER.addHandler(_Lines(write))


def is_heard(level: int) -> bool:
    """Tell whether records of ``level`` may go anywhere."""
    return _LOGGER.isEnabledFor(level)


class Texts(logging.Formatter):
    """Makes the text of a record: without secrets, each line legible."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message after time, process, level and logger; then the traceback."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        head = f"{seconds}.{int(record.msecs):03}Z {record.process} {record.levelname}"
        message, trace = self.message(record), self.traceback(record)
        lines = [legible_line(f"{head} {record.name}: {message}")]
        lines += [f"    {legible_line(line)}" for line in trace.split("\n") if line]
        return "\n".join(lines)

    def message(self, record: logging.LogRecord) -> str:
        """Return the message without secrets."""
        return without_tokens(HIDDEN(record.getMessage()))

    def traceback(self, record: logging.LogRecord) -> str:
        """Return the last lines of the traceback without secrets, empty if there is none."""
        text = record.exc_text or ""
        if record.exc_info and not text:
            text = "".join(traceback.format_exception(*record.exc_info))
        return without_tokens(HIDDEN("\n".join(text.rstrip("\n").split("\n")[-_MOST_LINES:])))


class _Lines(logging.Handler):
    """Gives the text of each record to ``write``; one that cannot be written is lost."""

    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__()
        self._write = write
        self.setFormatter(Texts())

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # a full disk, say: no log is worth a deployment
            self._write(f"{self.format(record)}\n")

    def close(self) -> None:
        if isinstance(self._write, _Appended):
            self._write.close()
        super().close()


def _write_to_stderr(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


class _Appended:
    """Appends to a file of this user that nobody else can read, and that may be written by several.

    Raises SettingsInvalid where it cannot be opened, or is no such file.
    """

    def __init__(self, path: Path) -> None:
        # A pipe or a device must not block, and a link must not lead elsewhere.
        flags = (
            os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        )
        try:
            self._file = os.open(path.expanduser(), flags, stat.S_IRUSR | stat.S_IWUSR)
        # A path may have a character that none can have, and a user no home.
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SettingsInvalid(
                f"{VARIABLE} names {path}, which cannot be written ({reason}); there is no log."
            ) from error
        status = os.fstat(self._file)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            self.close()
            raise SettingsInvalid(
                f"{VARIABLE} names {path}, which is no regular file of this user; there is no log."
            )
        os.fchmod(self._file, stat.S_IRUSR | stat.S_IWUSR)

    def __call__(self, text: str) -> None:
        # In one piece, so that the lines of several processes do not mix.
        os.write(self._file, text.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        os.close(self._file)


class _Start:
    """The first line of a log, made only if it is logged."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __str__(self) -> str:
        from layerguard.identity import without_credentials  # which a start has no time for

        python = ".".join(map(str, sys.version_info[:3]))
        variables = [
            f"{name}={without_credentials(value)}" if re.fullmatch(_SHOWN, name) else name
            for name, value in sorted(self._environment.items())
            if re.fullmatch(_SHOWN, name) or re.fullmatch(_NAMED, name)
        ]
        environment = ", ".join(variables) or "nothing of AWS and no proxy"
        return f"Layerguard {__version__}, Python {python}; environment: {environment}"
