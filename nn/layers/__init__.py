"""Layers."""
from graphcore.namespace import namespace

# Which module defines which layer: each lists them in its __all__, too.
__getattr__, __dir__, __all__ = namespace("graphcore.nn.layers", {
    "activation": """
        ReLU ReLU6 LeakyReLU PReLU RReLU ELU CELU SeLU GELU FastGelu SiLU Mish HSwish HSigmoid Sigmoid LogSigmoid
        Tanh Tanhshrink Hardtanh Softsign Softplus SoftShrink HShrink Threshold Softmax LogSoftmax Softmin Softmax2d
        GLU LRN get_activation""",
    "attention": "MultiheadAttention",
    "basic": """
        Dense Linear BiDense Dropout Dropout1d Dropout2d Dropout3d Flatten Unflatten Identity Norm OneHot Pad
        ClipByNorm L1Regularizer Tril Triu Roll Upsample ResizeBilinear""",
    "combined": """
        Conv2dBnAct DenseBnAct MatMul Moments ReduceLogSumExp Range PixelShuffle PixelUnshuffle ChannelShuffle""",
    "conv": "Conv1d Conv2d Conv3d Conv1dTranspose Conv2dTranspose Conv3dTranspose",
    "embedding": "Embedding EmbeddingLookup",
    "image": "CentralCrop ImageGradients PSNR SSIM",
    "sparse": "SparseTensorDenseMatmul SparseToDense",
    "norm": """
        BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm LayerNorm GroupNorm InstanceNorm1d InstanceNorm2d
        InstanceNorm3d""",
    "padding": """
        ConstantPad1d ConstantPad2d ConstantPad3d ZeroPad2d ReflectionPad1d ReflectionPad2d ReflectionPad3d
        ReplicationPad1d ReplicationPad2d ReplicationPad3d""",
    "pool": """
        MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d
        AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d""",
    "rnn": "RNN GRU LSTM RNNCell GRUCell LSTMCell RNNCellBase",
    "transformer": "TransformerEncoderLayer TransformerDecoderLayer TransformerEncoder TransformerDecoder Transformer",
    "special": "LGamma DiGamma IGamma LBeta MatInverse MatDet",
    "unpool": """
        MaxUnpool1d MaxUnpool2d MaxUnpool3d LPPool1d LPPool2d FractionalMaxPool2d FractionalMaxPool3d""",
    "windows": "Unfold",
})
