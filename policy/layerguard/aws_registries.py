"""ECR registries of AWS's own, whose repository policies only AWS can change.

Each serves some regions with the same repositories. Sources: Amazon EKS user guide, "Amazon
container image registries for Amazon EKS add-ons"; the ``image_uri_config`` of AWS's
sagemaker-python-sdk (Deep Learning Containers, scikit-learn and XGBoost, built-in algorithms).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AwsRegistry:
    """What AWS publishes, and the account that serves it in each region."""

    name: str
    accounts: Mapping[str, str]


def _by_region(text: str) -> Mapping[str, str]:
    """Return the account of each region; a line or a part of one is an account and its regions."""
    fields = (part.split() for part in text.replace(",", "\n").strip().splitlines())
    return {region: account for account, *regions in fields for region in regions}


_REGISTRIES = (
    AwsRegistry(
        "the Amazon EKS add-ons",
        _by_region(
            """
            602401143452 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1
            602401143452 ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 eu-west-1 eu-west-2
            602401143452 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2
            877085696533 af-south-1, 800184023465 ap-east-1, 900889452093 ap-south-2
            296578399912 ap-southeast-3, 491585149902 ap-southeast-4, 761377655185 ca-west-1
            918309763551 cn-north-1, 961992271922 cn-northwest-1, 900612956339 eu-central-2
            590381155156 eu-south-1, 455263428931 eu-south-2, 066635153087 il-central-1
            558608220178 me-south-1, 759879836304 me-central-1, 151742754352 us-gov-east-1
            013241004608 us-gov-west-1
            """
        ),
    ),
    AwsRegistry(
        "the AWS Deep Learning Containers",
        _by_region(
            """
            763104351884 ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2
            763104351884 ca-central-1 eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3
            763104351884 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2
            727897471807 cn-north-1 cn-northwest-1
            626614931356 af-south-1, 871362719292 ap-east-1, 364406365360 ap-northeast-3
            772153158452 ap-south-2, 907027046896 ap-southeast-3, 457447274322 ap-southeast-4
            550225433462 ap-southeast-5, 590183813437 ap-southeast-7, 204538143572 ca-west-1
            380420809688 eu-central-2, 692866216735 eu-south-1, 503227376785 eu-south-2
            780543022126 il-central-1, 914824155844 me-central-1, 217643126080 me-south-1
            637423239942 mx-central-1, 446045086412 us-gov-east-1, 442386744353 us-gov-west-1
            886529160074 us-iso-east-1
            """
        ),
    ),
    AwsRegistry(
        "Amazon SageMaker's scikit-learn and XGBoost",
        _by_region(
            """
            510948584623 af-south-1, 651117190479 ap-east-1, 354813040037 ap-northeast-1
            366743142698 ap-northeast-2, 867004704886 ap-northeast-3, 720646828776 ap-south-1
            628508329040 ap-south-2, 121021644041 ap-southeast-1, 783357654285 ap-southeast-2
            951798379941 ap-southeast-3, 106583098589 ap-southeast-4, 341280168497 ca-central-1
            450853457545 cn-north-1, 451049120500 cn-northwest-1, 492215442770 eu-central-1
            680994064768 eu-central-2, 662702820516 eu-north-1, 978288397137 eu-south-1
            104374241257 eu-south-2, 141502667606 eu-west-1, 764974769150 eu-west-2
            659782779980 eu-west-3, 272398656194 me-central-1, 801668240914 me-south-1
            737474898029 sa-east-1, 683313688378 us-east-1, 257758044811 us-east-2
            237065988967 us-gov-east-1, 414596584902 us-gov-west-1, 833128469047 us-iso-east-1
            281123927165 us-isob-east-1, 746614075791 us-west-1, 246618743249 us-west-2
            """
        ),
    ),
    AwsRegistry(
        "Amazon SageMaker's algorithms for images and text",
        _by_region(
            """
            286214385809 ap-east-1, 501404015308 ap-northeast-1, 306986355934 ap-northeast-2
            991648021394 ap-south-1, 475088953585 ap-southeast-1, 544295431143 ap-southeast-2
            469771592824 ca-central-1, 390948362332 cn-north-1, 387376663083 cn-northwest-1
            813361260812 eu-central-1, 669576153137 eu-north-1, 685385470294 eu-west-1
            644912444149 eu-west-2, 749696950732 eu-west-3, 249704162688 me-south-1
            855470959533 sa-east-1, 811284229777 us-east-1, 825641698319 us-east-2
            226302683700 us-gov-west-1, 490574956308 us-iso-east-1, 632365934929 us-west-1
            433757028032 us-west-2
            """
        ),
    ),
    AwsRegistry(
        "Amazon SageMaker's algorithms for tables",
        _by_region(
            """
            351501993468 ap-northeast-1, 835164637446 ap-northeast-2, 712309505854 ap-southeast-2
            664544806723 eu-central-1, 438346466558 eu-west-1, 382416733822 us-east-1
            404615174143 us-east-2, 174872318107 us-west-2
            """
        ),
    ),
)

_BY_ACCOUNT = {
    account: registry for registry in _REGISTRIES for account in registry.accounts.values()
}


def aws_registry(account: str) -> AwsRegistry | None:
    """Return what AWS publishes in ``account``, None for an account that is not known as AWS's."""
    return _BY_ACCOUNT.get(account)
