"""The peer of the benchmark of convolutional nets: the same nets in PyTorch.

convolutional_torch.py make FOLDER unet2d|segresnet3d|pileup
    writes config.json, weights.safetensors and images.safetensors with random numbers.
convolutional_torch.py run FOLDER fp32|bf16 SECONDS OUT.safetensors
    prints the CPU seconds of the fastest of the runs within SECONDS.
convolutional_torch.py compare A.safetensors B.safetensors
    prints the largest difference, relative to the root mean square of A.
"""
import json
import struct
import sys
import time

import numpy
import torch
import torch.nn.functional as F


def write(path, tensors):
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(value.tobytes())


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {name: numpy.frombuffer(data[slice(*info["data_offsets"])], numpy.float32).reshape(info["shape"]).copy()
            for name, info in header.items() if name != "__metadata__"}


class Builder:
    """A net's layers and their random weights, side by side."""

    def __init__(self, dimensions, channels):
        self.config = {"dimensions": dimensions, "channels": channels, "layers": []}
        self.weights, self.channels = {}, {"input": channels}
        self.random = numpy.random.default_rng(1)

    def normal(self, shape, scale=1.0):
        return (self.random.standard_normal(shape) * scale).astype(numpy.float32)

    def add(self, name, kind, inputs, **settings):
        self.config["layers"].append({"name": name, "kind": kind, "inputs": inputs, **settings})
        read = sum(self.channels[i] for i in inputs)
        out = settings.get("channels", self.channels[inputs[0]] if kind != "concatenate" else read)
        if kind in ("convolution", "transposed", "linear"):
            kernel = [settings["kernel"]] * self.config["dimensions"] if kind != "linear" else []
            width = settings.get("features", read)
            shape = [width, out] if kind == "transposed" else [out, width]
            self.weights[name + ".weight"] = self.normal(shape + kernel, 1.4 / numpy.sqrt(width * numpy.prod(kernel)))
            self.weights[name + ".bias"] = self.normal([out], 0.1)
        if kind.endswith("norm"):
            self.weights[name + ".weight"] = 1 + self.normal([out], 0.1)
            self.weights[name + ".bias"] = self.normal([out], 0.1)
        if kind == "batch_norm":
            self.weights[name + ".running_mean"] = self.normal([out], 0.1)
            self.weights[name + ".running_var"] = 1 + numpy.abs(self.normal([out], 0.1))
        if settings.get("activation") == "prelu":
            self.weights[name + ".slope"] = numpy.full([out], 0.25, numpy.float32)
        self.channels[name] = out
        return name


def unet2d():
    net, skips, last = Builder(2, 1), [], "input"
    for level, channels in enumerate([32, 64, 128, 256]):
        for half in "ab":
            stride = 2 if level > 0 and half == "a" else 1
            last = net.add(f"enc{level}{half}", "convolution", [last], channels=channels, kernel=3, stride=stride, padding=1)
            last = net.add(f"enc{level}{half}.norm", "batch_norm", [last], activation="relu")
        skips.append(last)
    for level, channels in ((2, 128), (1, 64), (0, 32)):
        last = net.add(f"up{level}", "transposed", [last], channels=channels, kernel=2, stride=2)
        last = net.add(f"join{level}", "concatenate", [last, skips[level]])
        for half in "ab":
            last = net.add(f"dec{level}{half}", "convolution", [last], channels=channels, kernel=3, padding=1)
            last = net.add(f"dec{level}{half}.norm", "batch_norm", [last], activation="relu")
    net.add("head", "convolution", [last], channels=2, kernel=1)
    return net, [1, 1, 256, 256]


def segresnet3d():
    net, skips = Builder(3, 1), []

    def block(name, last, channels):
        first = last
        for half in "ab":
            last = net.add(f"{name}.norm{half}", "group_norm", [last], groups=8, activation="relu")
            last = net.add(f"{name}.conv{half}", "convolution", [last], channels=channels, kernel=3, padding=1)
        return net.add(f"{name}.sum", "add", [first, last])

    last = net.add("stem", "convolution", ["input"], channels=16, kernel=3, padding=1)
    for level, channels in enumerate([16, 32, 64]):
        if level > 0:
            last = net.add(f"down{level}", "convolution", [last], channels=channels, kernel=3, stride=2, padding=1)
        last = block(f"enc{level}", last, channels)
        skips.append(last)
    for level, channels in ((1, 32), (0, 16)):
        last = net.add(f"narrow{level}", "convolution", [last], channels=channels, kernel=1)
        last = net.add(f"up{level}", "interpolate", [last], scale=2)
        last = block(f"dec{level}", net.add(f"skip{level}", "add", [last, skips[level]]), channels)
    net.add("head", "convolution", [last], channels=3, kernel=1)
    return net, [1, 1, 64, 64, 64]


def pileup():
    net, last = Builder(2, 8), "input"
    for level, channels in enumerate([32, 64, 128]):
        last = net.add(f"conv{level}", "convolution", [last], channels=channels, kernel=3, stride=2, padding=1)
        last = net.add(f"norm{level}", "batch_norm", [last], activation="relu")
        first = last
        for half in "ab":
            last = net.add(f"res{level}{half}", "convolution", [last], channels=channels, kernel=3, padding=1)
            last = net.add(f"res{level}{half}.norm", "batch_norm", [last], **({"activation": "relu"} if half == "a" else {}))
        last = net.add(f"sum{level}", "add", [first, last], activation="relu")
    last = net.add("pool", "global_average", [last])
    last = net.add("dense", "linear", [last], channels=128, features=128, activation="relu")
    net.add("head", "linear", [last], channels=21, features=128)
    return net, [128, 8, 55, 33]


def make(folder, name):
    net, shape = {"unet2d": unet2d, "segresnet3d": segresnet3d, "pileup": pileup}[name]()
    with open(f"{folder}/config.json", "w") as file:
        json.dump(net.config, file)
    write(f"{folder}/weights.safetensors", net.weights)
    write(f"{folder}/images.safetensors", {"images": net.normal(shape)})


def apply(layer, inputs, weight, dimensions):
    x, kind, get = inputs[0], layer["kind"], layer.get
    w = {part: weight.get(f"{layer['name']}.{part}") for part in ("weight", "bias", "running_mean", "running_var", "slope")}
    conv = [F.conv1d, F.conv2d, F.conv3d][dimensions - 1]
    back = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][dimensions - 1]
    if kind == "convolution":
        x = conv(x, w["weight"], w["bias"], get("stride", 1), get("padding", 0), get("dilation", 1), get("groups", 1))
    elif kind == "transposed":
        # PyTorch 1.13 mixes up the channels of transposed convolutions in bf16.
        parts = [w["weight"].float(), w["bias"].float()]
        x = back(x.float(), *parts, get("stride", 1), get("padding", 0)).to(x.dtype)
    elif kind == "linear":
        x = F.linear(x.flatten(1), w["weight"], w["bias"])
        x = x.reshape(list(x.shape) + [1] * dimensions)
    elif kind == "global_average":
        x = x.mean(dim=list(range(2, 2 + dimensions)), keepdim=True)
    elif kind == "interpolate":
        x = F.interpolate(x, scale_factor=layer["scale"], mode=["linear", "bilinear", "trilinear"][dimensions - 1], align_corners=False)
    elif kind == "batch_norm":
        x = F.batch_norm(x, w["running_mean"], w["running_var"], w["weight"], w["bias"])
    elif kind == "group_norm":
        x = F.group_norm(x, layer["groups"], w["weight"], w["bias"])
    elif kind == "add":
        x = inputs[0] + inputs[1]
    elif kind == "concatenate":
        x = torch.cat(inputs, 1)
    return F.relu(x) if get("activation") == "relu" else x


def forward(config, weights, images):
    values = {"input": images}
    last_use = {name: i for i, layer in enumerate(config["layers"]) for name in layer["inputs"]}
    for i, layer in enumerate(config["layers"]):
        values[layer["name"]] = apply(layer, [values[name] for name in layer["inputs"]], weights, config["dimensions"])
        for name in layer["inputs"]:
            if last_use[name] == i:
                values.pop(name, None)
    return values[config["layers"][-1]["name"]]


def run(folder, precision, seconds, out):
    torch.set_num_threads(1)
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    weights = {name: torch.from_numpy(value).to(dtype) for name, value in read(f"{folder}/weights.safetensors").items()}
    images = torch.from_numpy(read(f"{folder}/images.safetensors")["images"]).to(dtype)
    with torch.inference_mode():
        write(out, {"outputs.0": forward(config, weights, images).float().numpy()})
        best, begin = float("inf"), time.process_time()
        while time.process_time() - begin < float(seconds):
            start = time.process_time()
            forward(config, weights, images)
            best = min(best, time.process_time() - start)
    print(best)


def compare(a, b):
    a, b = read(a)["outputs.0"], read(b)["outputs.0"]
    print(f"{numpy.abs(a - b).max() / numpy.sqrt((a ** 2).mean()):.2g}")


if __name__ == "__main__":
    {"make": make, "run": run, "compare": compare}[sys.argv[1]](*sys.argv[2:])
