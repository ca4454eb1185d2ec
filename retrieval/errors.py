"""Errors of retrieval.

RetrievalError
 ├─ EncoderError     the model folder is missing, damaged, or could not run
 ├─ RerankerError    the same of a reranker's folder
 └─ BundleError      an index bundle is missing, damaged, or made by another encoder
"""

from __future__ import annotations


class RetrievalError(Exception):
    """Base of this package. The message says what to do."""


class EncoderError(RetrievalError):
    pass


class RerankerError(RetrievalError):
    pass


class BundleError(RetrievalError):
    pass
