"""Training with Model.fit and callbacks: evaluation between epochs, falling rates, an early end, own callbacks."""
import mindspore as ms
import mindspore.dataset as ds
import mindspore.nn as nn
import numpy as np
from mindspore import Tensor
from mindspore.train import (
    Callback,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    LossMonitor,
    Model,
    ReduceLROnPlateau,
    TimeMonitor,
)

ms.set_context(mode=ms.GRAPH_MODE)
random = np.random.RandomState(12)
inputs = random.randn(120, 6).astype(np.float32)
targets = (np.sin(inputs @ random.randn(6, 1)) + 0.1 * random.randn(120, 1)).astype(np.float32)


def dataset(first, last, batch_size=16):
    rows = {"data": inputs[first:last], "label": targets[first:last]}
    return ds.NumpySlicesDataset(rows, shuffle=False).batch(batch_size)


def make_model(rate):
    net = nn.SequentialCell(nn.Dense(6, 12, activation="tanh"), nn.Dense(12, 1))
    weights = np.random.RandomState(1)
    for parameter in net.get_parameters():
        parameter.set_data(Tensor(weights.randn(*parameter.shape) * 0.4, ms.float32))
    optimizer = nn.Momentum(net.trainable_params(), learning_rate=rate, momentum=0.9)
    return Model(net, nn.MSELoss(), optimizer, metrics={"mae": nn.MAE(), "mse": nn.MSE(), "loss": nn.Loss()}), optimizer


class StopAtStep(Callback):
    def __init__(self, stop):
        super().__init__()
        self.stop = stop

    def on_train_begin(self, run_context):
        run = run_context.original_args()
        print("begin:", run.epoch_num, run.batch_num, run.mode)

    def on_train_step_end(self, run_context):
        run = run_context.original_args()
        if run.cur_step_num >= self.stop:
            print("stop at epoch", run.cur_epoch_num, "step", run.cur_step_num, f"loss {float(run.net_outputs):.6f}")
            run_context.request_stop()


def training():
    return dataset(0, 96)


# In one batch: MindSpore's eval_loss is the loss of the last batch alone.
valid = dataset(96, 120, batch_size=24)
model, _ = make_model(0.05)
history = History()
model.fit(4, training(), valid, callbacks=[LossMonitor(3), TimeMonitor(), history], dataset_sink_mode=False)
print("epochs:", history.epoch["epoch"], "kept:", sorted(history.history))
print("net outputs:", [round(float(value), 5) for value in history.history["net_output"]])
print("evaluation:", model.eval(valid, dataset_sink_mode=False))

model, _ = make_model(0.05)
model.train(10, training(), callbacks=[StopAtStep(8), LossMonitor(4)], dataset_sink_mode=False)


def falling(rate, step):
    return rate * 0.5 if step % 6 == 0 else rate


model, optimizer = make_model(0.05)
epochs = LambdaCallback(on_train_epoch_end=lambda run_context: print(
    "rate after epoch", run_context.original_args().cur_epoch_num, optimizer.learning_rate.asnumpy()))
model.train(3, training(), callbacks=[LearningRateScheduler(falling), epochs, LossMonitor(6)], dataset_sink_mode=False)

model, optimizer = make_model(0.1)
plateau = ReduceLROnPlateau(monitor="eval_loss", factor=0.5, patience=1, min_delta=0.01, verbose=False)
early = EarlyStopping(monitor="eval_loss", patience=3, min_delta=0.01, verbose=False)
epochs = LambdaCallback(on_train_epoch_end=lambda run_context: print(
    f"epoch {run_context.original_args().cur_epoch_num}: {run_context.original_args().eval_results['eval_loss']:.5f}"
    f" at {float(optimizer.learning_rate.asnumpy()):g}"))
model.fit(12, training(), valid, callbacks=[plateau, early, epochs, LossMonitor(2)], dataset_sink_mode=False)
print("rate:", optimizer.learning_rate.asnumpy(), "steps:", optimizer.global_step.asnumpy())
print("predictions:", model.predict(Tensor(inputs[:3])))
