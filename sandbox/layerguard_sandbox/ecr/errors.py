"""The refusals of ECR that moto does not have, named as the service names them.

Each class's name is its error code in the ECR API reference ("Errors" of every operation); moto
turns a ServiceException into the HTTP answer that the AWS SDKs read.
"""

from moto.core.exceptions import ServiceException


class _Refusal(ServiceException):
    """An error whose code is the name of its class."""

    def __init_subclass__(cls) -> None:
        cls.code = cls.__name__


class EmptyUploadException(_Refusal):
    """CompleteLayerUpload before a single byte arrived."""


class ImageDigestDoesNotMatchException(_Refusal):
    """PutImage names a digest that is not the manifest's."""


class ImageStorageClassUpdateNotSupportedException(_Refusal):
    """UpdateImageStorageClass to the class that the image already has."""


class InvalidLayerException(_Refusal):
    """CompleteLayerUpload names a digest that is not the layer's."""


class LayerAlreadyExistsException(_Refusal):
    """CompleteLayerUpload of a layer that the repository has."""


class LayerInaccessibleException(_Refusal):
    """GetDownloadUrlForLayer of a layer that no image uses, or that is archived."""


class LayersNotFoundException(_Refusal):
    """PutImage or GetDownloadUrlForLayer names layers or a config that are not there."""


class PullThroughCacheRuleAlreadyExistsException(_Refusal):
    """CreatePullThroughCacheRule for a prefix that has one."""


class PullThroughCacheRuleNotFoundException(_Refusal):
    """A pull-through-cache rule is asked for by a prefix that has none."""


class ReferencedImagesNotFoundException(_Refusal):
    """PutImage of an index whose images were not pushed."""


class UnknownOperationException(_Refusal):
    """An operation that the sandbox does not know."""


class UnsupportedUpstreamRegistryException(_Refusal):
    """CreatePullThroughCacheRule for an upstream that ECR cannot cache."""
