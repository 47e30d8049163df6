"""run_onnx.py MODEL.onnx IN.safetensors OUT.safetensors: checks a model with Debian's python3-onnx and runs it by numpy.

A second opinion on what `models export --format onnx` writes: the operators as onnx/docs/Operators.md describes them, one by one.
IN has i32 tensors "tokens" and "attention_mask"; OUT gets the model's outputs.
"""
import json
import struct
import sys

import numpy
import onnx
from onnx import helper, numpy_helper

erf = numpy.vectorize(__import__("math").erf, otypes=[numpy.float32])


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {name: numpy.frombuffer(data[slice(*info["data_offsets"])], numpy.int32).reshape(info["shape"]).astype(numpy.int64)
            for name, info in header.items() if name != "__metadata__"}


def write(path, tensors):
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(value.tobytes() for value in tensors.values()))


def softmax(x, axis):
    e = numpy.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def unsqueeze(x, axes):
    for axis in sorted(axes):
        x = numpy.expand_dims(x, axis)
    return x


def cut(x, starts, ends, axes):
    return x[tuple(slice(int(starts[list(axes).index(a)]), int(ends[list(axes).index(a)])) if a in axes else slice(None)
                   for a in range(x.ndim))]


def reshape(x, shape):
    return x.reshape([x.shape[i] if extent == 0 else extent for i, extent in enumerate(shape)])


OPERATORS = {
    "Add": lambda a, i: i[0] + i[1],
    "Sub": lambda a, i: i[0] - i[1],
    "Mul": lambda a, i: i[0] * i[1],
    "Div": lambda a, i: i[0] / i[1],
    "Equal": lambda a, i: i[0] == i[1],
    "Sqrt": lambda a, i: numpy.sqrt(i[0]),
    "Erf": lambda a, i: erf(i[0]),
    "MatMul": lambda a, i: i[0] @ i[1],
    "Cast": lambda a, i: i[0].astype(helper.mapping.TENSOR_TYPE_TO_NP_TYPE[a["to"]]),
    "Gather": lambda a, i: numpy.take(i[0], i[1], a["axis"]),
    "Shape": lambda a, i: numpy.array(i[0].shape, numpy.int64),
    "Reshape": lambda a, i: reshape(i[0], i[1]),
    "Transpose": lambda a, i: i[0].transpose(a["perm"]),
    "Unsqueeze": lambda a, i: unsqueeze(i[0], i[1]),
    "Slice": lambda a, i: cut(*i),
    "Concat": lambda a, i: numpy.concatenate(i, a["axis"]),
    "Split": lambda a, i: numpy.split(i[0], 2, a["axis"]),
    "Softmax": lambda a, i: softmax(i[0], a["axis"]),
    "ReduceMean": lambda a, i: i[0].mean(tuple(a["axes"]), keepdims=bool(a["keepdims"])),
    "ReduceSum": lambda a, i: i[0].sum(tuple(i[1]), keepdims=bool(a["keepdims"])),
}


def main(model_path, inputs_path, outputs_path):
    model = onnx.load(model_path)
    onnx.checker.check_model(model, full_check=True)
    values = read(inputs_path)
    for tensor in model.graph.initializer:
        values[tensor.name] = numpy_helper.to_array(tensor)
    for node in model.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        result = OPERATORS[node.op_type](attributes, [values[name] for name in node.input])
        for name, value in zip(node.output, result if len(node.output) > 1 else [result]):
            values[name] = value
    write(outputs_path, {o.name: numpy.ascontiguousarray(values[o.name], numpy.float32) for o in model.graph.output})


if __name__ == "__main__":
    main(*sys.argv[1:])
