"""Checking: from an image reference and a platform to a verdict.

``checker`` is what gates and commands use. It hands requests to a backend: ``subprocess_backend``
starts a ``worker`` that runs the checks beside the policy server, ``in_process_backend`` runs them
on an event loop of its own. ``image`` is the check of one image. It asks through ``questions``,
which ``batch_loader`` and ``shared_calls`` gather and ``call_queue`` sends. ``explanations`` come
after the verdict, and ``prefetch`` is what a preview leaves for its update.
"""
