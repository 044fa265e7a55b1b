"""The TensorFlow twin of bigmodel_lib/models/mlp.py agrees with it."""

import numpy as np
import pytest
import tensorflow as tf

from bigmodel_lib.configs.mlp import MNIST_MLP, MLPConfig
from bigmodel_lib.tf.models.mlp import MLP

CASES = ["mnist", "regressor", "linear", "smallest", "primes"]
close = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(params=CASES)
def case(request, torch_side):
    """One configuration, with the numbers that PyTorch computed for it."""
    prefix = f"{request.param}/"
    arrays = torch_side("models/mlp_in_torch.py").items()
    return {key.removeprefix(prefix): value for key, value in arrays if key.startswith(prefix)}


@pytest.fixture
def twin(case):
    """The twin with PyTorch's weights, found by PyTorch's names."""
    model = MLP(MLPConfig(widths=tuple(case["widths"].tolist())))
    for name, variable in parameters(model).items():
        variable.assign(case[f"weights/{name}"])
    return model


def parameters(model):
    return {
        f"layers.{i}.{name}": getattr(layer, name)
        for i, layer in enumerate(model.layers)
        for name in ("weight", "bias")
        if hasattr(layer, name)
    }


def test_has_the_same_parameters(case, twin):
    names = {key.removeprefix("weights/") for key in case if key.startswith("weights/")}
    assert set(parameters(twin)) == names
    n_values = sum(variable.numpy().size for variable in twin.trainable_variables)
    assert n_values == sum(case[f"weights/{name}"].size for name in names)


def test_same_weights_give_the_same_output(case, twin):
    np.testing.assert_allclose(twin(case["x"]), case["y"], **close)


def test_same_weights_give_the_same_gradients(case, twin):
    x, found = tf.constant(case["x"]), parameters(twin)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = twin(x)
    x_grad, grads = tape.gradient(y, [x, found], output_gradients=tf.constant(case["upstream"]))

    np.testing.assert_allclose(x_grad, case["x_grad"], **close)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, case[f"grads/{name}"], **close, err_msg=name)


def test_learns_inside_a_compiled_loop():
    """Keras's own `fit` drives it: exclusive-or, which no linear map can express."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    y = np.array([[0], [1], [1], [0]], dtype=np.float32)
    model = MLP(MLPConfig(widths=(2, 16, 1)))
    model.compile(optimizer=tf.keras.optimizers.Adam(0.05), loss="mse")
    model.fit(x, y, epochs=150, verbose=0)

    np.testing.assert_allclose(model(x), y, atol=0.1)


def test_refuses_examples_of_another_size():
    with pytest.raises(ValueError, match=r"hold 784 values, got 783 from .* shape \(2, 783\)"):
        MLP(MNIST_MLP)(np.zeros((2, 783), dtype=np.float32))
