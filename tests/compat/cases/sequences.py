"""Losses and recurrent primitives over time."""
from tests.compat.table import case, documented

CTC = "targets = Tensor([[1, 2, 2], [3, 1, 0]], ms.int32); steps = Tensor([5, 6], ms.int32); counts = Tensor([3, 2], ms.int32); "
for options in ("", ", blank=2", ", reduction='sum'", ", reduction='none', zero_infinity=True"):
    labels = CTC if "blank" not in options else CTC.replace("2, 2", "0, 0")
    case(labels + f"ops.ctc_loss(ops.log_softmax(wave(6, 2, 4)), targets, steps, counts{options})[0]")
case(CTC + "ms.grad(lambda z: ops.ctc_loss(ops.log_softmax(z), targets, steps, counts)[0])(wave(6, 2, 4))")
case(CTC + "ms.grad(lambda z: ops.ctc_loss(z, targets, steps, counts)[0])(wave(6, 2, 4))")
case("ops.ctc_loss(ops.log_softmax(wave(2, 1, 4)), Tensor([[1, 1]], ms.int32), Tensor([2], ms.int32), Tensor([2], ms.int32), reduction='none')[0]")
# MindSpore's kernel for CPUs leaves infinity
documented("ops.ctc_loss(ops.log_softmax(wave(2, 1, 4)), Tensor([[1, 1]], ms.int32), Tensor([2], ms.int32), Tensor([2], ms.int32), reduction='none', zero_infinity=True)[0]", "Tensor([0.0])")
case(CTC + "nn.CTCLoss()(ops.log_softmax(wave(6, 2, 4)), targets, steps, counts)")
case(CTC + "nn.CTCLoss(reduction='none')(ops.log_softmax(wave(6, 2, 4)), targets, steps, counts)")
case("nn.CTCLoss()(ops.log_softmax(wave(5, 4)), Tensor([1, 2], ms.int32), Tensor([5], ms.int32), Tensor([2], ms.int32))")
case("nn.CTCLoss(blank=9)(ops.log_softmax(wave(5, 1, 4)), Tensor([[1, 2]], ms.int32), Tensor([5], ms.int32), Tensor([2], ms.int32))", fails=True)
case(CTC + "ops.CTCLossV2()(ops.log_softmax(wave(6, 2, 4)), targets, steps, counts)[0]")
SPARSE = "places = Tensor([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]], ms.int64); labels = Tensor([1, 2, 2, 0, 1], ms.int32); steps = Tensor([5, 6], ms.int32); "
for options in ("", "ctc_merge_repeated=False", "preprocess_collapse_repeated=True"):
    # what MindSpore leaves in the gradient after the last step of a sample is not defined
    case(SPARSE + f"loss, gradient = ops.CTCLoss({options})(wave(6, 2, 4), places, labels, steps); [loss, gradient[:5]]")
case(SPARSE[:-2] + "\ndef cost(z):\n    return (ops.CTCLoss()(z, places, labels, steps)[0] * Tensor([2.0, -1.0])).sum()\nms.grad(cost)(wave(6, 2, 4))[:5]")
case(SPARSE + "ops.CTCLoss(ignore_longer_outputs_than_inputs=True)(wave(6, 2, 4), places, labels, Tensor([2, 6], ms.int32))[0]")
case(SPARSE + "ops.CTCLoss()(wave(6, 2, 4), places, labels, Tensor([2, 6], ms.int32))", fails=True)

# MindSpore has them for Ascend alone; its own nn.LSTM and nn.GRU call them with these layouts there.
LSTM = ("net = filled(nn.LSTM(3, 2)); w, u, b, c = [p.value() for p in net.get_parameters()]; "
        "order = lambda t: ops.concat([t[i * 2:i * 2 + 2] for i in (0, 2, 1, 3)]); x = wave(4, 5, 3); start = wave(1, 5, 2), wave(1, 5, 2, step=1); ")
documented(LSTM + "y = ops.DynamicRNN()(x, ops.concat([order(w).T, order(u).T]), order(b) + order(c), None, *start); [y[0], y[1][-1:], y[2][-1:], ops.tanh(y[2]) - y[7]]",
           LSTM + "out, (h, c) = net(x, start); [out, h, c, ops.zeros((4, 5, 2))]")
documented(LSTM + "P.DynamicRNN(forget_bias=1.0)(x, ops.concat([order(w).T, order(u).T]), order(b) + order(c), None, *start)[0]",
           LSTM + "net.b_ih_list[0].set_data(b + Tensor([0.0, 0, 1, 1, 0, 0, 0, 0])); net(x, start)[0]")
GRU = "net = filled(nn.GRU(3, 2)); w, u, b, c = [p.value() for p in net.get_parameters()]; x = wave(4, 5, 3); start = wave(5, 2); "
documented(GRU + "y = ops.DynamicGRUV2()(x, w.T, u.T, b, c, None, start); [y[0], y[1][-1]]",
           GRU + "out, h = net(x, start[None]); [out, h[0]]")
documented(GRU + "turn = lambda t: ops.concat([t[2:4], t[:2], t[4:]]); P.DynamicGRUV2(gate_order='zrh')(x, turn(w).T, turn(u).T, turn(b), turn(c), None, start)[0]",
           GRU + "net(x, start[None])[0]")
case("from mindspore.nn.layer.rnn_cells import RNNCellBase; [(p.shape, p.dtype) for p in RNNCellBase(3, 4, True, 2).get_parameters()]")
case("from mindspore.nn.layer.rnn_cells import RNNCellBase; cell = RNNCellBase(3, 4, False, num_chunks=1); [cell.weight_hh.shape, cell.bias_hh, cell.hidden_size]")
