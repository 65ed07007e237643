"""The inventory page is that of the rows."""

from __future__ import annotations

from layerguard.discovery import runtimes
from layerguard.discovery.catalog import Role, Row
from layerguard.discovery.platforms.rule import linux_amd64

from tools.inventory import PAGE, page


def test_the_page_in_the_documentation_is_the_one_of_the_rows() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.inventory"


def test_a_new_row_changes_the_page() -> None:
    row = Row("aws:new/thing:Thing", "image", linux_amd64, runtimes.LAMBDA)
    assert "| `aws:new/thing:Thing` | `image` | linux amd64 | [AWS Lambda](#runtimes) |" in page(
        [row]
    )
    never = Row("aws:new/thing:Thing", "image", role=Role.NOT_PULLED)
    assert "\n| `aws:new/thing:Thing` | `image` |\n" in page([never])


def test_every_rule_of_a_platform_and_of_a_runtime_has_words() -> None:
    legend = page().partition("## Platforms")[2]
    assert "|  |" not in legend
    assert "| AWS Lambda | One manifest, and no index | block |" in page()
    assert "| lambda function | Linux on ``architectures[0]``, by default x86_64. |" in page()
