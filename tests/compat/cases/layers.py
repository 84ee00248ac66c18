"""Layers: values, gradients of inputs and Parameters, the Parameters' names and shapes."""
from tests.compat.table import case, documented

# Dense layers and convolutions
case("grads(nn.Dense(3, 4), wave(2, 3))")
case("grads(nn.Dense(3, 4, has_bias=False, activation='relu'), wave(2, 3))")
case("grads(nn.Dense(3, 4, activation=nn.Tanh()), wave(2, 5, 3))")
case("parameters(nn.Dense(3, 4))")
case("parameters(nn.Dense(3, 4, weight_init='ones', bias_init='zeros', dtype=ms.float16))")
case("nn.Dense(3, 2, weight_init=Tensor(np.ones((2, 3), np.float32)), bias_init='ones')(f)")
case("nn.Dense(3, 2)(wave(2, 4))", fails=True)
case("grads(nn.BiDense(3, 2, 4), wave(2, 3), wave(2, 2))")
case("parameters(nn.BiDense(3, 2, 4))")
case("grads(nn.Conv1d(2, 4, 3), wave(2, 2, 7))")
case("grads(nn.Conv1d(2, 4, 3, stride=2, pad_mode='pad', padding=1, dilation=2, has_bias=True), wave(2, 2, 9))")
case("parameters(nn.Conv1d(2, 4, 3, has_bias=True))")
case("grads(nn.Conv2d(2, 4, 3), wave(1, 2, 5, 6))")
case("grads(nn.Conv2d(2, 4, (3, 2), stride=(2, 1), pad_mode='valid', has_bias=True), wave(1, 2, 6, 5))")
case("grads(nn.Conv2d(4, 4, 3, pad_mode='pad', padding=(1, 0, 2, 1), group=2, dilation=2), wave(1, 4, 7, 8))")
case("grads(nn.Conv2d(4, 8, 3, group=4), wave(1, 4, 5, 5))")
case("parameters(nn.Conv2d(4, 6, (3, 5), group=2, has_bias=True))")
case("nn.Conv2d(2, 3, 3, padding=1)(wave(1, 2, 4, 4))", fails=True)
case("grads(nn.Conv3d(2, 3, 2), wave(1, 2, 3, 4, 3))")
case("grads(nn.Conv3d(2, 3, (1, 2, 3), stride=(1, 2, 1), pad_mode='pad', padding=1, has_bias=True),"
     " wave(1, 2, 3, 4, 3))", scale=3)
case("parameters(nn.Conv3d(2, 3, 2, has_bias=True))")
case("grads(nn.Conv1dTranspose(2, 3, 4, pad_mode='pad'), wave(1, 2, 5))")
case("grads(nn.Conv1dTranspose(2, 3, 3, stride=2, has_bias=True), wave(1, 2, 5))")
case("parameters(nn.Conv1dTranspose(2, 3, 4, has_bias=True))")
case("grads(nn.Conv2dTranspose(2, 3, 4, pad_mode='pad'), wave(1, 2, 3, 4))")
case("grads(nn.Conv2dTranspose(2, 3, 3, stride=2, has_bias=True), wave(1, 2, 3, 4))")
case("grads(nn.Conv2dTranspose(4, 4, 3, stride=2, pad_mode='pad', padding=1, output_padding=1, group=2),"
     " wave(1, 4, 3, 4))")
case("parameters(nn.Conv2dTranspose(2, 3, 4, has_bias=True))")
case("grads(nn.Conv2dTranspose(2, 3, 3, stride=2, pad_mode='valid'), wave(1, 2, 3, 3))")
case("grads(nn.Conv2dBnAct(2, 3, 3, has_bn=True, activation='relu'), wave(1, 2, 4, 4))")
case("parameters(nn.Conv2dBnAct(2, 3, 3, has_bn=True, activation='relu'))")
case("grads(nn.DenseBnAct(3, 4, has_bn=True, activation='sigmoid'), wave(2, 3))")
case("parameters(nn.DenseBnAct(3, 4, has_bn=True, activation='sigmoid'))")
case("grads(nn.Embedding(7, 3), ints(2, 4))")
case("parameters(nn.Embedding(7, 3))")
case("nn.Embedding(7, 3, use_one_hot=True, embedding_table='ones', padding_idx=2)(ints(2, 4))")
case("filled(nn.EmbeddingLookup(7, 3))(ints(2, 4))")
case("parameters(nn.EmbeddingLookup(7, 3))")
case("grads(nn.MatMul(), wave(2, 3), wave(3, 4))")
case("grads(nn.MatMul(transpose_x1=True), wave(3, 2), wave(3, 4))")

# Pooling
case("grads(nn.MaxPool1d(3, 2), wave(1, 2, 8))")
case("grads(nn.MaxPool2d(2, 2), wave(1, 2, 5, 6))")
case("grads(nn.MaxPool2d(3, 2, pad_mode='same'), wave(1, 2, 5, 6))")
case("grads(nn.MaxPool2d(3, 2, pad_mode='pad', padding=1), wave(1, 2, 5, 6))")
case("nn.MaxPool2d(3, 2, pad_mode='pad', padding=1, dilation=2, return_indices=True)(wave(1, 2, 7, 7))")
case("nn.MaxPool2d(3, 2, pad_mode='pad', ceil_mode=True)(wave(1, 2, 6, 6))")
case("nn.MaxPool3d(2, 2)(wave(1, 2, 4, 4, 5))")
case("grads(nn.AvgPool1d(3, 2), wave(1, 2, 8))")
case("grads(nn.AvgPool2d(2, 2), wave(1, 2, 5, 6))")
case("grads(nn.AvgPool2d(3, 2, pad_mode='same'), wave(1, 2, 5, 6))")
case("nn.AvgPool2d(3, 2, pad_mode='pad', padding=1, count_include_pad=False)(wave(1, 2, 5, 6))")
case("nn.AvgPool3d(2, 2)(wave(1, 2, 4, 4, 5))")
case("grads(nn.AdaptiveAvgPool1d(3), wave(1, 2, 6))")
case("grads(nn.AdaptiveAvgPool2d((2, 3)), wave(1, 2, 5, 7))")
case("nn.AdaptiveAvgPool2d((None, 2))(wave(1, 2, 5, 7))")
case("nn.AdaptiveAvgPool3d((2, 2, 2))(wave(1, 2, 4, 5, 6))")
case("grads(nn.AdaptiveMaxPool1d(3), wave(1, 2, 6))")
case("nn.AdaptiveMaxPool2d((2, 3), return_indices=True)(wave(1, 2, 4, 6))")
case("nn.AdaptiveMaxPool2d((2, 3))(wave(1, 2, 5, 7))")

# Normalisation
case("grads(nn.BatchNorm1d(3), wave(4, 3))")
case("grads(nn.BatchNorm2d(3), wave(2, 3, 2, 2))")
case("grads(nn.BatchNorm3d(3), wave(2, 3, 2, 2, 2))")
case("net = filled(nn.BatchNorm1d(3)).set_train(); [net(wave(4, 3)), values(net)]")
case("net = filled(nn.BatchNorm2d(3, momentum=0.7, eps=1e-3)).set_train(); [net(wave(2, 3, 2, 2)), values(net)]")
case("net = filled(nn.BatchNorm3d(2)).set_train(); [net(wave(2, 2, 2, 2, 2)), values(net)]")
case("net = nn.BatchNorm2d(3, use_batch_statistics=False); net.set_train(); net(wave(2, 3, 2, 2))")
case("parameters(nn.BatchNorm2d(3))")
case("parameters(nn.BatchNorm2d(3, affine=False))")
case("parameters(nn.SyncBatchNorm(3))")
case("filled(nn.SyncBatchNorm(3))(wave(2, 3, 2, 2))")
case("grads(nn.LayerNorm((3,)), wave(2, 4, 3))", scale=5)
case("grads(nn.LayerNorm((4, 3), begin_norm_axis=1, begin_params_axis=1, epsilon=1e-3), wave(2, 4, 3))", scale=5)
case("parameters(nn.LayerNorm((3,)))")
case("grads(nn.GroupNorm(2, 4), wave(2, 4, 3, 3))", scale=5)
case("parameters(nn.GroupNorm(2, 4))")
case("parameters(nn.GroupNorm(2, 4, affine=False))")
# not on MindSpore's CPU
for name, shape, axes in (("1d", "2, 3, 5", "2,"), ("2d", "2, 3, 4, 5", "2, 3"), ("3d", "2, 3, 4, 5, 2", "2, 3, 4")):
    documented(f"nn.InstanceNorm{name}(3)(wave({shape}))",
               f"a = wave({shape}).asnumpy(); mean, variance = (g(a, ({axes}), keepdims=True) for g in (np.mean, np.var));"
               " Tensor((a - mean) / np.sqrt(variance + np.float32(1e-5)))")
case("parameters(nn.InstanceNorm2d(3))")
case("grads(nn.LRN(3), wave(1, 4, 2, 2))")
case("nn.Norm()(wave(2, 3))")
case("nn.Norm(axis=1, keep_dims=True)(wave(2, 3))")
case("nn.ClipByNorm()(wave(2, 3, scale=4), Tensor(2.0, ms.float32))")
documented("nn.ClipByNorm(axis=1)(wave(2, 3, scale=4), Tensor(2.0, ms.float32))",     # MindSpore errs in the second row
           "a = wave(2, 3, scale=4).asnumpy(); "
           "Tensor(a * 2 / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), np.float32(2)))")
case("nn.Moments(axis=(0, 2))(wave(2, 3, 4))")
case("nn.Moments(axis=1, keep_dims=True)(wave(2, 3, 4))")
case("nn.L1Regularizer(0.1)(wave(2, 3))")
case("nn.ReduceLogSumExp(1)(wave(2, 3))")
case("nn.ReduceLogSumExp((0, 1), True)(wave(2, 3))")

# Activations
for name in """ReLU ReLU6 Sigmoid Tanh GELU FastGelu ELU SiLU Mish HSigmoid HSwish LogSigmoid Softsign Softmax
        LogSoftmax Softmin Tanhshrink CELU HShrink SoftShrink Hardtanh LeakyReLU PReLU""".split():
    case(f"grads(nn.{name}(), wave(2, 3, scale=4))", scale=10 if name == "Mish" else 1)
case("nn.SeLU()(wave(2, 3, scale=4))")     # MindSpore's gradient is not that of what it computes below 0
case("nn.Softmax(axis=0)(wave(2, 3))")
case("nn.Softmax2d()(wave(1, 2, 3, 3))")
case("nn.LogSoftmax(axis=0)(wave(2, 3))")
case("nn.GELU(approximate=False)(wave(2, 3))")
case("nn.ELU(alpha=1.0)(wave(2, 3))")
case("nn.CELU(alpha=2.0)(wave(2, 3))")
case("nn.LeakyReLU(alpha=0.1)(wave(2, 3))")
case("nn.HShrink(lambd=0.3)(wave(2, 3))")
case("nn.SoftShrink(lambd=0.3)(wave(2, 3))")
case("nn.Hardtanh(min_val=-0.5, max_val=0.3)(wave(2, 3))")
case("nn.Threshold(0.1, 20.0)(wave(2, 3))")
case("nn.GLU()(wave(2, 4))")
case("nn.RReLU(lower=0.1, upper=0.1)(wave(2, 3))")
case("parameters(nn.PReLU(3, 0.1))")
case("grads(nn.PReLU(3), wave(2, 3, 4))")
for name in """softmax logsoftmax relu relu6 tanh gelu fast_gelu elu sigmoid prelu leakyrelu hswish hsigmoid logsigmoid
        softshrink hshrink silu""".split():
    case(f"[type(nn.get_activation('{name}')).__name__, nn.get_activation('{name}')(wave(2, 3))]")
case("nn.get_activation('nothing')", fails=True)
case("nn.get_activation(None)")

# Recurrent layers
case("grads(nn.RNN(3, 4), wave(5, 2, 3))", scale=40)
case("grads(nn.LSTM(3, 4), wave(5, 2, 3))", scale=3)
case("grads(nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True), wave(2, 5, 3))", scale=3)
case("grads(nn.GRU(3, 4, has_bias=False), wave(5, 2, 3), wave(1, 2, 4))")
case("grads(nn.GRU(3, 4, bidirectional=True), wave(5, 2, 3))")
case("filled(nn.LSTM(3, 4))(wave(5, 2, 3), (wave(1, 2, 4), wave(1, 2, 4, step=0.3)))")
case("filled(nn.GRU(3, 4))(wave(5, 2, 3), wave(1, 2, 4), Tensor([3, 5], ms.int32))")
case("filled(nn.LSTM(3, 4))(wave(5, 2, 3), (wave(1, 2, 4), wave(1, 2, 4)), Tensor([3, 5], ms.int32))")
case("parameters(nn.LSTM(3, 4, num_layers=2, bidirectional=True))")
case("parameters(nn.GRU(3, 4))")
case("parameters(nn.RNN(3, 4, has_bias=False))")
case("grads(nn.RNNCell(3, 4), wave(2, 3), wave(2, 4))")
case("filled(nn.RNNCell(3, 4, nonlinearity='relu'))(wave(2, 3), wave(2, 4))")
case("grads(nn.GRUCell(3, 4), wave(2, 3), wave(2, 4))")
case("filled(nn.LSTMCell(3, 4))(wave(2, 3), (wave(2, 4), wave(2, 4, step=0.3)))")
case("parameters(nn.LSTMCell(3, 4))")

# Attention
case("filled(nn.MultiheadAttention(4, 2))(wave(3, 2, 4), wave(5, 2, 4), wave(5, 2, 4))")
case("parameters(nn.MultiheadAttention(4, 2, kdim=3, vdim=5))")
case("filled(nn.TransformerEncoderLayer(4, 2, 8))(wave(3, 2, 4))", scale=5)
case("filled(nn.TransformerDecoderLayer(4, 2, 8))(wave(3, 2, 4), wave(5, 2, 4))", scale=5)
case("filled(nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2))(wave(3, 2, 4))", scale=5)
case("filled(nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 2))(wave(3, 2, 4), wave(5, 2, 4))", scale=5)
case("filled(nn.Transformer(4, 2, 1, 1, 8))(wave(3, 2, 4), wave(5, 2, 4))", scale=5)

# Shapes, padding, resampling
case("nn.Flatten()(wave(2, 3, 4))")
case("nn.Flatten(0, 1)(wave(2, 3, 4))")
case("nn.Unflatten(1, (2, 3))(wave(2, 6))")
case("nn.Identity()(f)")
case("nn.OneHot(depth=4)(x)")
case("nn.OneHot(depth=4, axis=0, on_value=5.0, off_value=1.0)(ints(3, below=4))")
case("grads(nn.Pad(((0, 1), (2, 0))), wave(2, 3))")
case("nn.Pad(((0, 1), (2, 0)), mode='SYMMETRIC')(wave(2, 3))")
case("nn.Pad(((0, 1), (2, 0)), mode='REFLECT')(wave(2, 3))")
case("nn.ConstantPad1d((1, 2), 0.5)(wave(1, 2, 3))")
case("nn.ConstantPad2d((1, 2, 0, 1), 0.5)(wave(1, 2, 3, 3))")
case("nn.ConstantPad3d((1, 2, 0, 1, 1, 0), 0.5)(wave(1, 2, 3, 3, 2))")
case("nn.ReflectionPad1d((1, 2))(wave(1, 2, 4))")
case("nn.ReflectionPad2d((1, 2, 0, 1))(wave(1, 2, 4, 4))")
case("nn.ReflectionPad3d(1)(wave(1, 2, 3, 4, 4))")
case("nn.ReplicationPad1d((1, 2))(wave(1, 2, 4))")
case("nn.ReplicationPad2d((1, 2, 0, 1))(wave(1, 2, 4, 4))")
case("nn.ReplicationPad3d(1)(wave(1, 2, 3, 4, 4))")
case("nn.ZeroPad2d((1, 2, 0, 1))(wave(1, 2, 4, 4))")
case("nn.Upsample(size=(5, 5))(wave(1, 2, 3, 3))")
case("nn.Upsample(scale_factor=2.0, mode='nearest', recompute_scale_factor=True)(wave(1, 2, 3, 3))")
case("nn.Upsample(size=(5, 7), mode='bilinear', align_corners=True)(wave(1, 2, 3, 3))")
case("nn.PixelShuffle(2)(wave(1, 8, 2, 3))")
case("nn.PixelUnshuffle(2)(wave(1, 2, 4, 6))")
case("nn.ChannelShuffle(2)(wave(1, 6, 2, 2))")
case("nn.Tril()(f)")
case("nn.Triu()(f)")
case("nn.Tril()(f, 1)")
case("nn.Range(0, 10, 3)()")

# Dropout
for name, shape, many in (("Dropout", "2, 3, 4", "100, 100"), ("Dropout1d", "2, 3, 4", "100, 20, 5"),
                          ("Dropout2d", "2, 3, 4, 4", "50, 20, 3, 3"), ("Dropout3d", "2, 3, 2, 2, 2", "50, 20, 2, 2, 2")):
    case(f"nn.{name}(p=0.5).set_train(False)(wave({shape}))")
    case(f"about(nn.{name}(p=0.5).set_train()(wave({many}, scale=0, shift=1)), 1, 1)")
case("about(nn.Dropout(keep_prob=0.75).set_train()(wave(100, 100, scale=0, shift=1)), 1, 0.577)")
case("nn.Dropout(p=1.5)", fails=True)

# Containers
case("grads(nn.SequentialCell(nn.Dense(3, 4), nn.ReLU(), nn.Dense(4, 2)), wave(2, 3))")
case("parameters(nn.SequentialCell([nn.Dense(3, 4), nn.BatchNorm1d(4)]))")
case("from collections import OrderedDict; parameters(nn.SequentialCell(OrderedDict(a=nn.Dense(3, 4), b=nn.ReLU())))")
case("net = nn.SequentialCell(nn.ReLU()); net.append(nn.Dense(3, 2)); "
     "[len(net), [type(c).__name__ for c in net]]")
case("net = nn.CellList([nn.Dense(3, 4), nn.Dense(4, 2)]); net.append(nn.Dense(2, 1)); [len(net), parameters(net)]")
case("net = nn.CellList([nn.ReLU()]); net.extend([nn.Tanh()]); net.insert(0, nn.Sigmoid()); "
     "[type(c).__name__ for c in net]")
case("net = nn.CellDict({'a': nn.Dense(3, 4), 'b': nn.ReLU()}); [sorted(net.keys()), len(net), parameters(net)]")

# Images
A, B = "positive(2, 3, 16, 18)", "positive(2, 3, 16, 18, step=0.3)"
# MindSpore 2.10's SSIM and PSNR fail at a cast of their own; this is what their documentation says.
EXPECTED = ("a, b = {a}.asnumpy().astype(np.float64), {b}.asnumpy().astype(np.float64); n, sigma, c, d = {numbers}\n"
            "x = np.arange(n) - n // 2 + (1 - n % 2); g = np.exp(-x ** 2 / (2 * sigma ** 2)); w = np.outer(g, g) / g.sum() ** 2\n"
            "m = lambda v: (np.lib.stride_tricks.sliding_window_view(v, (n, n), (2, 3)) * w).sum((-1, -2))\n"
            "u, v = m(a), m(b); uu, vv, uv = m(a * a) - u * u, m(b * b) - v * v, m(a * b) - u * v\n"
            "s = (2 * u * v + c) * (2 * uv + d) / ((u * u + v * v + c) * (uu + vv + d)); Tensor(s.mean((1, 2, 3)).astype(np.float32))")
documented(f"nn.SSIM()({A}, {B})", EXPECTED.format(a=A, b=B, numbers="11, 1.5, 1e-4, 9e-4"), scale=5)
documented(f"nn.SSIM(max_val=2.0, filter_size=5, filter_sigma=1.0, k1=0.02, k2=0.05)({A}, {B})",
           EXPECTED.format(a=A, b=B, numbers="5, 1.0, 0.0016, 0.01"), scale=5)
documented("nn.SSIM(filter_size=4)(positive(1, 1, 6, 6), positive(1, 1, 6, 6, step=0.3))",
           EXPECTED.format(a="positive(1, 1, 6, 6)", b="positive(1, 1, 6, 6, step=0.3)", numbers="4, 1.5, 1e-4, 9e-4"), scale=5)
case("parameters(nn.SSIM(filter_size=3))")
case(f"nn.SSIM(filter_size=40)({A}, {B})", fails=True)
for call, most in (("nn.PSNR()", 1), ("nn.PSNR(max_val=255)", 255)):
    documented(f"{call}({A}, {B})", f"e = (({A} - {B}).asnumpy().astype(np.float64) ** 2).mean((1, 2, 3)); Tensor((10 * np.log10({most} ** 2 / e)).astype(np.float32))")
case("nn.PSNR(-1.0)", fails=True)
case("nn.CentralCrop(0.5)(wave(2, 3, 6, 8))")
case("nn.CentralCrop(0.7)(wave(3, 5, 9))")
case("nn.CentralCrop(1.5)", fails=True)
case("nn.ImageGradients()(wave(1, 2, 3, 4))")
