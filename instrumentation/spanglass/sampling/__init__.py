"""Sampling: at a trace's beginning by a ratio, or at its end by what it was; kept spans say what they stand for."""

from __future__ import annotations

from spanglass.sampling.head import RatioSampler, head_sampler
from spanglass.sampling.tail import TailErrorLogProcessor, TailSamplingProcessor

__all__ = ["RatioSampler", "TailErrorLogProcessor", "TailSamplingProcessor", "head_sampler"]
