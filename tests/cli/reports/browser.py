"""A headless Chromium, for tests that read a page as a person does.

``python -m tests.cli.reports.browser`` makes the picture in docs/ anew.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

from layerguard_cli.reports.as_html import render
from PIL import Image

from tests.cli.reports import reports

PICTURE = Path(__file__).parents[3] / "docs" / "audit.png"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_SECONDS = 60


def find() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page in a new, empty profile. ``folder`` keeps what is made."""

    def __init__(self, chromium: str, folder: Path, html: str) -> None:
        self._chromium, self._folder = chromium, folder
        self._page = folder / "page.html"
        self._page.write_text(html, encoding="utf-8")

    def picture(self, width: int = 1120, height: int = 1400, *, dark: bool = False) -> Image.Image:
        """Return what a window of this size, in pixels, shows of the page."""
        out = self._folder / "picture.png"
        theme = ("--blink-settings=preferredColorScheme=0",) if dark else ()
        self._run(f"--window-size={width},{height}", f"--screenshot={out}", *theme)
        return Image.open(io.BytesIO(out.read_bytes())).convert("RGB")

    def pdf(self) -> Path:
        """Return the file that the page is printed to."""
        out = self._folder / "page.pdf"
        self._run(f"--print-to-pdf={out}", "--no-pdf-header-footer")
        return out

    def _run(self, *options: str) -> None:
        profile = self._folder / "profile"
        shutil.rmtree(profile, ignore_errors=True)
        subprocess.run(
            [
                self._chromium,
                *_QUIET,
                f"--user-data-dir={profile}",
                *options,
                self._page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=_SECONDS,
        )


def main() -> None:
    """Write the picture, in few colours so that it is small."""
    from tempfile import TemporaryDirectory

    chromium = find()
    if chromium is None:
        sys.exit("There is no Chromium here.")
    with TemporaryDirectory() as folder:
        picture = Browser(chromium, Path(folder), render(reports.full())).picture()
    picture.quantize(64, dither=Image.Dither.NONE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
