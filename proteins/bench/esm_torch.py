"""The peer of embed.sh: ESM-2 with random weights in Debian's PyTorch.

esm_torch.py make FOLDER HIDDEN LAYERS HEADS [outliers]
                                                  writes a Hugging Face checkpoint; with outliers,
                                                  three channels of each norm have 20 times the gain
esm_torch.py embed FOLDER FASTA PRECISION OUT     times one sequence at a time (no padding), writes
                                                  the means and the CPU seconds as JSON
esm_torch.py compare OUT SAFETENSORS              relative RMS error, smallest cosine
"""
import json
import math
import os
import sys
import time

import numpy
import torch

TOKENS = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]


def make(folder, hidden, layers, heads, outliers=False):
    torch.manual_seed(1)
    weights = {"esm.embeddings.word_embeddings.weight": torch.randn(len(TOKENS), hidden)}

    def linear(name, outputs, inputs):
        weights[name + ".weight"] = torch.randn(outputs, inputs) / math.sqrt(inputs) * 1.3
        weights[name + ".bias"] = torch.randn(outputs) * 0.1

    def norm(name):
        weights[name + ".weight"] = 1 + torch.randn(hidden) * 0.1
        if outliers and "after" not in name:
            weights[name + ".weight"][torch.randperm(hidden)[:3]] *= 20
        weights[name + ".bias"] = torch.randn(hidden) * 0.1

    for i in range(layers):
        layer = f"esm.encoder.layer.{i}."
        norm(layer + "attention.LayerNorm")
        for part in ("query", "key", "value"):
            linear(layer + "attention.self." + part, hidden, hidden)
        linear(layer + "attention.output.dense", hidden, hidden)
        norm(layer + "LayerNorm")
        linear(layer + "intermediate.dense", 4 * hidden, hidden)
        linear(layer + "output.dense", hidden, 4 * hidden)
    norm("esm.encoder.emb_layer_norm_after")
    os.makedirs(folder, exist_ok=True)
    torch.save(weights, os.path.join(folder, "pytorch_model.bin"))
    with open(os.path.join(folder, "vocab.txt"), "w") as file:
        file.write("\n".join(TOKENS) + "\n")
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({"model_type": "esm", "vocab_size": len(TOKENS), "hidden_size": hidden,
                   "num_hidden_layers": layers, "num_attention_heads": heads,
                   "intermediate_size": 4 * hidden, "position_embedding_type": "rotary",
                   "token_dropout": True, "emb_layer_norm_before": False,
                   "layer_norm_eps": 1e-5}, file)


class Esm:
    """The published architecture, written as its reference writes it."""

    def __init__(self, folder, kind):
        with open(os.path.join(folder, "config.json")) as file:
            self.config = json.load(file)
        self.kind = kind
        weights = torch.load(os.path.join(folder, "pytorch_model.bin"))
        self.weights = {name: tensor.to(kind) for name, tensor in weights.items()}

    def norm(self, x, name):
        # LayerNorm of this PyTorch is many times slower in bf16 than in fp32.
        w = self.weights
        y = torch.nn.functional.layer_norm(x.float(), x.shape[-1:], w[name + ".weight"].float(),
                                           w[name + ".bias"].float())
        return y.to(self.kind)

    def linear(self, x, name):
        return torch.nn.functional.linear(x, self.weights[name + ".weight"],
                                          self.weights[name + ".bias"])

    def __call__(self, sequence):
        heads = self.config["num_attention_heads"]
        ids = [0] + [TOKENS.index(c) if c in TOKENS else 3 for c in sequence] + [2]
        x = self.weights["esm.embeddings.word_embeddings.weight"][torch.tensor(ids)] * 0.88
        length, hidden = x.shape
        size = hidden // heads
        inverse = 1 / 10000 ** (torch.arange(0, size, 2).float() / size)
        angles = torch.outer(torch.arange(length).float(), inverse)
        angles = torch.cat((angles, angles), -1)
        cosine, sine = angles.cos().to(self.kind), angles.sin().to(self.kind)

        def turn(v):
            one, two = v.chunk(2, -1)
            return v * cosine + torch.cat((-two, one), -1) * sine

        def split(v):
            return v.view(length, heads, size).transpose(0, 1)

        for i in range(self.config["num_hidden_layers"]):
            layer = f"esm.encoder.layer.{i}."
            y = self.norm(x, layer + "attention.LayerNorm")
            q, k, v = (split(self.linear(y, layer + "attention.self." + part))
                       for part in ("query", "key", "value"))
            attention = (turn(q * size**-0.5) @ turn(k).transpose(1, 2)).softmax(-1)
            y = (attention @ v).transpose(0, 1).reshape(length, hidden)
            x = x + self.linear(y, layer + "attention.output.dense")
            y = self.linear(self.norm(x, layer + "LayerNorm"), layer + "intermediate.dense")
            x = x + self.linear(torch.nn.functional.gelu(y), layer + "output.dense")
        return self.norm(x, "esm.encoder.emb_layer_norm_after")[1:-1].float()


def read_fasta(path):
    records, name = {}, None
    with open(path) as file:
        for line in file:
            line = line.strip()
            if line.startswith(">"):
                name = line[1:].split()[0]
                records[name] = ""
            elif name:
                records[name] += line.upper()
    return records


def embed(folder, fasta, precision, out):
    torch.set_num_threads(1)
    net = Esm(folder, torch.bfloat16 if precision == "bf16" else torch.float32)
    records = read_fasta(fasta)
    means = {}
    with torch.inference_mode():
        net(next(iter(records.values())))
        begin = time.process_time()
        for name, sequence in records.items():
            means[name] = net(sequence).mean(0).tolist()
        seconds = time.process_time() - begin
    with open(out, "w") as file:
        json.dump({"cpu_seconds": seconds, "residues": sum(map(len, records.values())),
                   "means": means}, file)


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    body = memoryview(data)[8 + size:]
    return {name: numpy.frombuffer(body[entry["data_offsets"][0]:entry["data_offsets"][1]], "<f4")
            for name, entry in header.items() if name != "__metadata__"}


def compare(out, safetensors):
    with open(out) as file:
        theirs = json.load(file)["means"]
    ours = read_safetensors(safetensors)
    wrong, whole, smallest = 0.0, 0.0, 1.0
    for name, mean in theirs.items():
        a, b = numpy.array(mean), ours[name].astype(float)
        wrong += ((a - b) ** 2).sum()
        whole += (a**2).sum()
        smallest = min(smallest, a @ b / numpy.linalg.norm(a) / numpy.linalg.norm(b))
    print(f"{math.sqrt(wrong / whole):.1e} {smallest:.6f}")


if __name__ == "__main__":
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "make":
        make(arguments[0], *map(int, arguments[1:4]), outliers=arguments[4:] == ["outliers"])
    else:
        {"embed": embed, "compare": compare}[command](*arguments)
