"""What the workloads must compute, whoever computes it.

The losses (before the update, at steps 0 to 4) and the L2 norms of the gradients at step 0 come from float64 runs of each
workload; PyTorch and JAX in float32 agree with them to 2e-5.  Names are PyTorch's; `workloads.cell_names` translates.
The outputs of the inferences are computed here, in float64.
"""
from __future__ import annotations

import numpy as np

from benchmarks.workloads import inference_input, params

LOSSES: dict[str, tuple] = {
    "mlp": (3.048724567591902, 2.947593011899965, 2.80142587464051, 2.876179510331148, 2.9744010495483972),
    "lenet5": (4.397130530232167, 5.091149190199257, 7.530787648563655, 4.687126201577898, 2.675226666047027),
    "resnet18_cifar": (2.4128531987998887, 2.314864691973846, 2.2765344107634418, 2.4423195262090953, 2.5254971148962158),
}

GRADIENT_NORMS: dict[str, dict[str, float]] = {
    "mlp": {
        "fc1.weight": 2.498025942951109,
        "fc1.bias": 0.16175840047884157,
        "fc2.weight": 3.175430020329359,
        "fc2.bias": 0.2088649449988294,
        "fc3.weight": 4.496033716049087,
        "fc3.bias": 0.27115725462854373,
    },
    "lenet5": {
        "conv1.weight": 1.4705009709125398,
        "conv1.bias": 0.6643180324708883,
        "conv2.weight": 9.98767436761107,
        "conv2.bias": 0.4974200644491673,
        "fc1.weight": 31.48409922712154,
        "fc1.bias": 0.5227542361656923,
        "fc2.weight": 16.62008017113845,
        "fc2.bias": 0.5253184577394366,
        "fc3.weight": 14.92046277748125,
        "fc3.bias": 0.6883332166208328,
    },
    "resnet18_cifar": {
        "conv1.weight": 0.2694259985930434,
        "bn1.weight": 0.06246343435524012,
        "bn1.bias": 0.057140719849214705,
        "layer1.0.conv1.weight": 0.9168352405802651,
        "layer1.0.bn1.weight": 0.03992914603430944,
        "layer1.0.bn1.bias": 0.035064302042297414,
        "layer1.0.conv2.weight": 0.7634517446684665,
        "layer1.0.bn2.weight": 0.049931712351802035,
        "layer1.0.bn2.bias": 0.028302283948410854,
        "layer1.1.conv1.weight": 0.6637939165904517,
        "layer1.1.bn1.weight": 0.031146164202415977,
        "layer1.1.bn1.bias": 0.0287446632801032,
        "layer1.1.conv2.weight": 0.539947477415706,
        "layer1.1.bn2.weight": 0.02949269976067241,
        "layer1.1.bn2.bias": 0.02027542639928494,
        "layer2.0.conv1.weight": 0.5199892018574894,
        "layer2.0.bn1.weight": 0.023166799774343372,
        "layer2.0.bn1.bias": 0.020261151359189992,
        "layer2.0.conv2.weight": 0.6003944542735654,
        "layer2.0.bn2.weight": 0.022344448036441762,
        "layer2.0.bn2.bias": 0.01648894082468254,
        "layer2.0.dconv.weight": 0.13200994709792774,
        "layer2.0.dbn.weight": 0.02272870304167188,
        "layer2.0.dbn.bias": 0.01648894082468254,
        "layer2.1.conv1.weight": 0.5418999736506601,
        "layer2.1.bn1.weight": 0.017875919194296624,
        "layer2.1.bn1.bias": 0.015805942777218408,
        "layer2.1.conv2.weight": 0.45499020512806493,
        "layer2.1.bn2.weight": 0.016902267789692338,
        "layer2.1.bn2.bias": 0.012164185804484017,
        "layer3.0.conv1.weight": 0.4384396444238281,
        "layer3.0.bn1.weight": 0.014225056081254146,
        "layer3.0.bn1.bias": 0.011332449741348722,
        "layer3.0.conv2.weight": 0.5204238807925516,
        "layer3.0.bn2.weight": 0.01327823809787796,
        "layer3.0.bn2.bias": 0.00942587879984783,
        "layer3.0.dconv.weight": 0.12121394493471382,
        "layer3.0.dbn.weight": 0.01358777456294473,
        "layer3.0.dbn.bias": 0.00942587879984783,
        "layer3.1.conv1.weight": 0.4821821584781635,
        "layer3.1.bn1.weight": 0.011232010690170062,
        "layer3.1.bn1.bias": 0.009578280671007034,
        "layer3.1.conv2.weight": 0.40652144155748976,
        "layer3.1.bn2.weight": 0.00952410288475166,
        "layer3.1.bn2.bias": 0.006803596166748447,
        "layer4.0.conv1.weight": 0.3931400683924097,
        "layer4.0.bn1.weight": 0.009456833226844204,
        "layer4.0.bn1.bias": 0.007814841530307488,
        "layer4.0.conv2.weight": 0.4684416408597469,
        "layer4.0.bn2.weight": 0.015634208466020403,
        "layer4.0.bn2.bias": 0.021874024667525895,
        "layer4.0.dconv.weight": 0.10799785217754267,
        "layer4.0.dbn.weight": 0.014991398290215457,
        "layer4.0.dbn.bias": 0.021874024667525895,
        "layer4.1.conv1.weight": 0.427649653238358,
        "layer4.1.bn1.weight": 0.007000433543227409,
        "layer4.1.bn1.bias": 0.006336351851203022,
        "layer4.1.conv2.weight": 0.35356718905467316,
        "layer4.1.bn2.weight": 0.016932698107106608,
        "layer4.1.bn2.bias": 0.03351575163307566,
        "fc.weight": 4.4850335742751,
        "fc.bias": 0.22481794437033406,
    },
}
