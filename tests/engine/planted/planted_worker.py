"""A worker with a fault planted into the check or the explanation of ``shop/planted``."""

from __future__ import annotations

import os
from typing import Any

from layerguard.checking.explanations import explain
from layerguard.checking.image import check_image
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.worker import private_pipes, serve
from layerguard.reference import ImageReference
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Verdict

PLANTED = os.environ["LAYERGUARD_PLANTED"]


async def planted_check(reference: ImageReference, *arguments: Any) -> Verdict:
    if PLANTED == "checking" and reference.repository.name == "shop/planted":
        raise ZeroDivisionError("planted")
    return await check_image(reference, *arguments)


async def planted_explanation(reference: ImageReference, *arguments: Any) -> Verdict:
    if PLANTED == "explaining" and reference.repository.name == "shop/planted":
        raise ZeroDivisionError("planted")
    return await explain(reference, *arguments)


if __name__ == "__main__":
    requests, results = private_pipes()
    backend = InProcessBackend(
        Ecr(OrdinaryChain()), check=planted_check, explain=planted_explanation
    )
    serve(backend, requests, results)
    backend.close()
    os._exit(0)
