"""Layers."""
from graphcore.nn.layers.activation import *  # noqa: F403
from graphcore.nn.layers.activation import __all__ as _activation
from graphcore.nn.layers.attention import *  # noqa: F403
from graphcore.nn.layers.attention import __all__ as _attention
from graphcore.nn.layers.basic import *  # noqa: F403
from graphcore.nn.layers.basic import __all__ as _basic
from graphcore.nn.layers.combined import *  # noqa: F403
from graphcore.nn.layers.combined import __all__ as _combined
from graphcore.nn.layers.conv import *  # noqa: F403
from graphcore.nn.layers.conv import __all__ as _conv
from graphcore.nn.layers.embedding import *  # noqa: F403
from graphcore.nn.layers.embedding import __all__ as _embedding
from graphcore.nn.layers.image import *  # noqa: F403
from graphcore.nn.layers.image import __all__ as _image
from graphcore.nn.layers.norm import *  # noqa: F403
from graphcore.nn.layers.norm import __all__ as _norm
from graphcore.nn.layers.padding import *  # noqa: F403
from graphcore.nn.layers.padding import __all__ as _padding
from graphcore.nn.layers.pool import *  # noqa: F403
from graphcore.nn.layers.pool import __all__ as _pool
from graphcore.nn.layers.rnn import *  # noqa: F403
from graphcore.nn.layers.rnn import __all__ as _rnn
from graphcore.nn.layers.transformer import *  # noqa: F403
from graphcore.nn.layers.transformer import __all__ as _transformer
from graphcore.nn.layers.windows import *  # noqa: F403
from graphcore.nn.layers.windows import __all__ as _windows

__all__ = [*_activation, *_attention, *_basic, *_combined, *_conv, *_embedding, *_image, *_norm, *_padding, *_pool,
           *_rnn, *_transformer, *_windows]
