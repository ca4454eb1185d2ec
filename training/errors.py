"""Errors of training.

TrainingError
 ├─ SourceError     what a model is made from is missing, changed or of a kind that cannot be used
 └─ ReleaseError    a release is missing, damaged, of another format, or cannot be kept
"""

from __future__ import annotations


class TrainingError(Exception):
    """Base of this package. The message says what to do."""


class SourceError(TrainingError):
    pass


class ReleaseError(TrainingError):
    pass
