"""Other ways to score the models of the scoring benchmark, where they are installed.

Each function returns pairs of a name and a function of rows that returns probabilities,
or nothing where its library is missing.
"""

import ctypes
import importlib.util
import tempfile
from pathlib import Path

import numpy as np


def network_peers(spec):
    """Scorers of a network on raw columns."""
    yield from onnx_runtime(folded_graph(spec))
    yield from numpy_products(spec)
    yield from torch_modules(spec)


def ensemble_peers(model, spec):
    """Scorers of a LightGBM ensemble."""
    booster = model.booster_
    yield "LGBMClassifier", model.predict_proba
    yield "Booster", booster.predict
    yield "LightGBM C fast", fast_c_call(booster)
    yield from lleaves(booster)
    yield from onnx_runtime(exported(spec))
    yield from treelite(booster)
    yield from tl2cgen(booster)


def installed(name):
    return importlib.util.find_spec(name) is not None


def onnx_runtime(graph):
    if not installed("onnxruntime"):
        return
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"]
    )

    def score(X):
        return session.run(["probabilities"], {"input": X})[0]

    yield "ONNX Runtime", score


def exported(spec):
    """Bytes of an ensemble's ONNX file."""
    from skdistill.export import export

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export(spec, path)
        return path.read_bytes()


def folded_graph(spec):
    """Bytes of the smallest graph of a network: nothing but its layers."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, name = [], [], "input"
    for depth, layer in enumerate(layers_of(spec)):
        names = [f"weights{depth}", f"biases{depth}"]
        constants += map(numpy_helper.from_array, layer, names)
        nodes.append(helper.make_node("Gemm", [name, *names], [f"sums{depth}"]))
        name = f"hidden{depth}"
        nodes.append(helper.make_node("Relu", [f"sums{depth}"], [name]))
    kind = "Sigmoid" if spec.predictor.n_outputs == 1 else "Softmax"
    nodes[-1] = helper.make_node(kind, [f"sums{depth}"], ["probabilities"])
    rows = helper.make_tensor_value_info(
        "input", TensorProto.FLOAT, [None, len(spec.columns)]
    )
    out = helper.make_tensor_value_info(
        "probabilities", TensorProto.FLOAT, [None, spec.predictor.n_outputs]
    )
    graph = helper.make_graph(nodes, "network", [rows], [out], constants)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(
        graph, opset_imports=opset, ir_version=8
    ).SerializeToString()


def layers_of(spec):
    """Layers with the standardisation folded into the first."""
    columns = spec.columns
    low = np.array([column.knots[0] for column in columns])
    span = np.array([column.knots[-1] for column in columns]) - low
    first = np.array([column.scores[0] for column in columns])
    rise = np.array([column.scores[-1] for column in columns]) - first
    network = spec.predictor
    weights, biases = list(network.weights), list(network.biases)
    biases[0] = (biases[0] + (first - low * rise / span) @ weights[0]).astype("f4")
    weights[0] = (weights[0] * (rise / span)[:, None]).astype("f4")
    return list(zip(weights, biases, strict=True))


def numpy_products(spec):
    *hidden, (last, bias) = layers_of(spec)

    def score(X):
        for weights, biases in hidden:
            X = X @ weights
            X += biases
            np.maximum(X, 0, out=X)
        z = X @ last + bias
        if z.shape[1] == 1:
            return 1 / (1 + np.exp(-z))
        z = np.exp(z - z.max(axis=1, keepdims=True))
        return z / z.sum(axis=1, keepdims=True)

    yield "numpy", score


def torch_modules(spec):
    if not installed("torch"):
        return
    import torch

    torch.set_num_threads(1)
    modules = []
    for weights, biases in layers_of(spec):
        linear = torch.nn.Linear(*weights.shape)
        linear.weight.data = torch.from_numpy(weights.T.copy())
        linear.bias.data = torch.from_numpy(biases)
        modules += [linear, torch.nn.ReLU()]
    single = spec.predictor.n_outputs == 1
    modules[-1] = torch.nn.Sigmoid() if single else torch.nn.Softmax(dim=1)
    module = torch.nn.Sequential(*modules).eval()

    def score(X):
        with torch.inference_mode():
            return module(torch.from_numpy(X)).numpy()

    yield "torch", score
    if installed("skorch"):
        import skorch

        net = skorch.NeuralNetClassifier(module, train_split=None, batch_size=-1)
        net.initialize()
        yield "skorch", net.forward


def fast_c_call(booster):
    """LightGBM's call for one row at a time; many rows go through its usual one."""
    from lightgbm.basic import _LIB

    configuration = ctypes.c_void_p()
    n_columns = booster.num_feature()
    status = _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, 0, 0, -1, 1, n_columns, b"num_threads=1",
        ctypes.byref(configuration),
    )  # fmt: skip
    assert status == 0
    length, out = ctypes.c_int64(), np.empty(1)
    address, length_address = ctypes.c_void_p(out.ctypes.data), ctypes.byref(length)

    def score(X):
        if len(X) > 1:
            return booster.predict(X)
        row = np.ascontiguousarray(X, dtype=np.float64)
        _LIB.LGBM_BoosterPredictForMatSingleRowFast(
            configuration, ctypes.c_void_p(row.ctypes.data), length_address, address
        )
        return out

    return score


def lleaves(booster):
    if not installed("lleaves"):
        return
    import lleaves

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.txt")
        booster.save_model(path)
        model = lleaves.Model(model_file=path)
        model.compile()
    yield "lleaves", lambda X: model.predict(X, n_jobs=1)


def treelite(booster):
    if not installed("treelite"):
        return
    import treelite

    model = treelite.frontend.from_lightgbm(booster)
    yield "treelite", lambda X: treelite.gtil.predict(model, X, nthread=1)


def tl2cgen(booster):
    if not installed("tl2cgen"):
        return
    import tl2cgen
    import treelite

    model = treelite.frontend.from_lightgbm(booster)
    with tempfile.TemporaryDirectory() as folder:
        library = str(Path(folder) / "model.so")
        tl2cgen.export_lib(model, toolchain="gcc", libpath=library, verbose=False)
        predictor = tl2cgen.Predictor(library, nthread=1)
    yield "tl2cgen", lambda X: predictor.predict(tl2cgen.DMatrix(X))
