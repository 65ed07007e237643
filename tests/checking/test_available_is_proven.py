"""Available means that every digest of every manifest that decides is there.

A state machine of hypothesis pushes images, breaks and mends them in any order, and checks them in
between. What is true is worked out from what was done, not by the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from layerguard.checking.checker import Checker
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId
from layerguard.registry import Availability, ImageAnswer, LayerAnswer, RegistryError
from layerguard.verdict import Code, State

from tests.fakes import Document, FakeRegistry, digest_of, index, manifest, use

PLATFORMS = ("linux/amd64", "linux/arm64", "windows/amd64")
ERRORS = st.sampled_from(
    [
        Code.ACCESS_DENIED,
        Code.IMAGE_NOT_FOUND,
        Code.INCONSISTENT_ANSWER,
        Code.INTERNAL_ERROR,
        Code.THROTTLED,
        Code.TIMED_OUT,
        Code.UNREACHABLE,
    ]
).map(lambda code: RegistryError(code, "Words."))
LAYERS = st.lists(st.sampled_from([f"layer {number}" for number in range(8)]), max_size=4)


@dataclass
class Image:
    """What was pushed under one tag: its manifests, with their platforms in an index.

    ``indexes`` are those between the top and the manifests.
    """

    top: Digest
    manifests: tuple[tuple[str | None, Digest, frozenset[Digest]], ...]
    indexes: tuple[Digest, ...] = ()


class Images(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.registry = FakeRegistry()
        self.images: dict[str, Image] = {}
        self.made = 0

    def put(self, layers: list[str]) -> tuple[Document, frozenset[Digest]]:
        self.made += 1
        config = f"config {self.made}"
        document = self.registry.put(manifest(*layers, config=config))
        return document, frozenset(map(digest_of, [*layers, config]))

    @initialize(layers=LAYERS)
    def begin(self, layers: list[str]) -> None:
        self.push(layers)

    @rule(layers=LAYERS)
    def push(self, layers: list[str]) -> None:
        document, digests = self.put(layers)
        tag = str(len(self.images))
        self.registry.put(document, tag)
        self.images[tag] = Image(document.digest, ((None, document.digest, digests),))

    @rule(
        children=st.lists(st.tuples(st.sampled_from(PLATFORMS), LAYERS), max_size=3),
        nested=st.booleans(),
    )
    def push_index(self, children: list[tuple[str, list[str]]], *, nested: bool) -> None:
        made = [(platform, *self.put(layers)) for platform, layers in children]
        attestation, _ = self.put(["provenance"])
        entries = [document.child(platform) for platform, document, _ in made]
        top = index(*entries, attestation.child("unknown/unknown"))
        indexes: tuple[Digest, ...] = ()
        if nested:
            indexes = (self.registry.put(top).digest,)
            top = index(top.child())
        tag = str(len(self.images))
        self.registry.put(top, tag)
        manifests = tuple(
            (platform, document.digest, digests) for platform, document, digests in made
        )
        self.images[tag] = Image(top.digest, manifests, indexes)

    @rule(
        data=st.data(),
        answer=ERRORS | st.sampled_from(list(Availability)).map(lambda each: LayerAnswer(each)),
    )
    def set_the_answer_about_a_layer(
        self, data: st.DataObject, answer: LayerAnswer | RegistryError
    ) -> None:
        known = sorted(
            {
                digest
                for image in self.images.values()
                for _, _, digests in image.manifests
                for digest in digests
            }
        )
        if known:
            self.registry.layer_answers[data.draw(st.sampled_from(known))] = answer

    @rule(data=st.data(), error=ERRORS)
    def lose_a_manifest(self, data: st.DataObject, error: RegistryError) -> None:
        image_id = data.draw(st.sampled_from(sorted(self.registry.image_answers, key=str)))
        self.registry.image_answers[image_id] = error

    @rule(data=st.data())
    def change_the_bytes_of_a_manifest(self, data: st.DataObject) -> None:
        image_id = data.draw(st.sampled_from(sorted(self.registry.image_answers, key=str)))
        answer = self.registry.image_answers[image_id]
        if isinstance(answer, ImageAnswer):
            self.registry.image_answers[image_id] = ImageAnswer(
                answer.digest, answer.manifest + " "
            )

    @rule()
    def mend_every_layer(self) -> None:
        self.registry.layer_answers.clear()

    @rule(data=st.data(), wanted=st.sampled_from([None, *PLATFORMS]))
    def check(self, data: st.DataObject, wanted: str | None) -> None:
        tag = data.draw(st.sampled_from(sorted(self.images)))
        platform = Platform.parse(wanted) if wanted else None
        checker = Checker.in_process(self.registry)
        (verdict,) = checker.check([use(f"shop/web:{tag}", platform)])
        checker.close()
        assert (verdict.code is Code.AVAILABLE) is self.is_there(tag, wanted)
        assert verdict.state in (State.AVAILABLE, State.UNAVAILABLE, State.UNDETERMINED)
        assert "bug" not in verdict.reason

    def is_there(self, tag: str, wanted: str | None) -> bool:
        """Work out whether every digest of every manifest that may be pulled is there.

        Of several manifests for one platform the first one decides, as runtimes take it.
        """
        image = self.images[tag]
        pulled = [
            (digest, digests)
            for platform, digest, digests in image.manifests
            if wanted is None or platform in (None, wanted)
        ]
        if wanted is not None:
            pulled = pulled[:1]
        asked = [ImageId(tag, None), *(ImageId(None, each) for each in image.indexes)]
        asked += (ImageId(None, digest) for digest, _ in pulled if digest != image.top)
        needed = (digest for _, digests in pulled for digest in digests)
        return (
            bool(pulled) and all(map(self.is_given, asked)) and all(map(self.is_available, needed))
        )

    def is_available(self, digest: Digest) -> bool:
        answer = self.registry.layer_answers.get(digest, LayerAnswer(Availability.AVAILABLE))
        return isinstance(answer, LayerAnswer) and answer.availability is Availability.AVAILABLE

    def is_given(self, image_id: ImageId) -> bool:
        answer = self.registry.image_answers[image_id]
        return isinstance(answer, ImageAnswer) and digest_of(answer.manifest) == answer.digest


TestImages = Images.TestCase
TestImages.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
