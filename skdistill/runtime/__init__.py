"""Fitted models without their framework: numpy and the standard library only."""

from ._spec import CategoryColumn, EncoderSpec, NumberColumn

__all__ = ["CategoryColumn", "EncoderSpec", "NumberColumn"]
