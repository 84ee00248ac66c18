"""Parity with MindSpore as a table of calls: what it gave is recorded here, and CI compares without it.

Adding a case takes one line in a module of ``cases/`` (one per topic; a new module is found by itself):

    case("ops.cumsum(f, 1)")                                         # recorded from MindSpore 2.10
    case("grads(nn.Softmin(), f)")                                   # and the gradients of all inputs and Parameters
    case("loss = nn.MSELoss(); loss(wave(2, 3), wave(2, 3, step=1))")  # statements; the last expression is the value
    case("ops.Gather()(f, l, 5)", fails=True)                        # MindSpore refuses: the class of the error counts
    case("kind(ops.rand(2, 3))")                                     # random: only dtype and shape can agree
    documented("nn.ResizeBilinear()(image, (4, 4))", "...")          # dropped before 2.10: what its documentation says
    own("ms.ir_text", "...")                                         # graphcore's own name
    refused("ops.AllSwap()")                                         # a NotImplementedError that says what to use

Then record it, look at what came out, and run the tests:

    python -m tests.parity.record --python MINDSPORE'S_PYTHON compat/TOPIC     # new lines only; --again: all
    pytest tests/compat -k TOPIC
    python -m tests.compat.api                                                 # brings docs/api.md up to date

The names that texts may use are made by `tests.compat.inputs`: the roots of MindSpore's modules (``ms nn ops P F C mnp
mint dataset vision ...``), Tensors (``x f h l u d b``), and helpers (``wave``, ``filled``, ``kind``, ``trained`` ...).
A case speaks for every public name in its text; ``python -m tests.compat.names`` counts the public scripts all of whose
names have one.  A case on the Tensors ``x f h l u d b`` alone is also run in a graph.  Only cases that pass are kept.

Whole programs are compared by their printed lines: see `tests.compat.scripts`.
"""
