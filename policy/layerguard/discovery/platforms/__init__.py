"""Which platform a runtime will pull, read from the resource around the image.

A rule gets the leaf where the image stands and returns the platform, or None where the resource
does not decide it (then every runnable platform of the image is checked).
Source of the rules: the ``platform`` column of the project's catalog of image properties, made
from the providers' schemas and the AWS and Kubernetes documentation.
"""
