"""The smallest inputs of a resource that carry one value at one property path."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from layerguard.discovery import split_references
from layerguard.discovery.catalog import Row
from layerguard.discovery.path import Keys, steps, written
from layerguard.discovery.split_references import ReferenceRule

PIPELINE_ROLE = "arn:aws:iam::123456789012:role/pipeline"


def smallest(row: Row, leaf: object) -> tuple[dict[str, Any], str]:
    """Build inputs with ``leaf`` at the path of ``row``; return them and the concrete path."""
    inputs, keys = _build(steps(row.path), leaf, ())
    _BESIDE.get(row.reference, _nothing)(inputs)
    return inputs, written(keys)


def until_document(path: str) -> str:
    """Return the part of a path that leads through the inputs themselves."""
    return path.partition(":")[0]


def _build(ahead: tuple[str, ...], leaf: object, where: Keys) -> tuple[Any, Keys]:
    if not ahead:
        return leaf, where
    step, rest = ahead[0], ahead[1:]
    if step[0] == ":":
        inner, keys = _build(rest, leaf, where)
        return WRITERS[step[1:]](inner), keys
    if step[0] == "[":
        inner, keys = _build(rest, leaf, (*where, 0))
        if step != "[]":
            key, _, value = step[1:-1].partition("=")
            inner = {key: value, **inner}
        return [inner], keys
    key = "key" if step == "{*}" else step
    inner, keys = _build(rest, leaf, (*where, key))
    return {key: inner}, keys


def _dockerfile(images: list[dict[str, str]]) -> str:
    return "".join(f"FROM {each['image']}\n" for each in images)


def _spark(properties: Mapping[str, str]) -> str:
    return " ".join(f"--conf {key}={value}" for key, value in properties.items())


def _user_data(settings: object) -> str:
    return f"#cloud-config\n{yaml.safe_dump(settings)}"


WRITERS: Mapping[str, Callable[[Any], str]] = {
    "cache": lambda image: f"type=registry,ref={image}",
    "context": lambda image: f"base=docker-image://{image}",
    "docker-uri": lambda image: f"docker:{image}",
    "dockerfile": _dockerfile,
    "exporter": lambda image: f"type=registry,name={image}",
    "json": json.dumps,
    "json-or-text": json.dumps,
    "nomad": json.dumps,
    "spark": _spark,
    "user-data": _user_data,
    "yaml": yaml.safe_dump,
    "yaml-stream": yaml.safe_dump,
}


def _nothing(_inputs: dict[str, Any]) -> None:
    """Most references stand alone."""


def _pipeline_of(provider: str) -> Callable[[dict[str, Any]], None]:
    def add(inputs: dict[str, Any]) -> None:
        inputs["roleArn"] = PIPELINE_ROLE
        inputs["stages"][0]["actions"][0] |= {"provider": provider, "region": "eu-west-1"}

    return add


_BESIDE: Mapping[ReferenceRule, Callable[[dict[str, Any]], None]] = {
    split_references.pipeline_source: _pipeline_of("ECR"),
    split_references.pipeline_scan: _pipeline_of("InspectorScan"),
}
