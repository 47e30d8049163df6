"""The peer of cuda.sh: the same transformer in PyTorch on its first GPU.

cuda_torch.py device
    prints PyTorch's version; exit 1 if it has no GPU.
cuda_torch.py run FOLDER fp32|bf16 SECONDS
    prints the tokens per second of the fastest of the runs within SECONDS. Sequences are sorted by
    length and padded in groups, as a careful user would.
"""
import json
import struct
import sys
import time

import numpy
import torch
import torch.nn.functional as F

GROUP_TOKENS = 16384


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    kinds = {"F32": numpy.float32, "I32": numpy.int32}
    return {name: numpy.frombuffer(data[slice(*info["data_offsets"])], kinds[info["dtype"]]).reshape(info["shape"]).copy()
            for name, info in header.items() if name != "__metadata__"}


def groups(tokens, offsets):
    """Padded batches of sequences of about one length, with the places that are padding."""
    order = sorted(range(len(offsets) - 1), key=lambda i: offsets[i + 1] - offsets[i])
    made, current = [], []
    for i in order:
        length = offsets[i + 1] - offsets[i]
        if current and (len(current) + 1) * length > GROUP_TOKENS:
            made.append(current)
            current = []
        current.append(tokens[offsets[i]:offsets[i + 1]])
    made.append(current)
    for group in made:
        ids = numpy.zeros((len(group), len(group[-1])), numpy.int64)
        present = numpy.zeros(ids.shape, bool)
        for row, sequence in enumerate(group):
            ids[row, :len(sequence)] = sequence
            present[row, :len(sequence)] = True
        yield torch.from_numpy(ids).cuda(), torch.from_numpy(present).cuda()


def forward(config, w, ids, present):
    heads, hidden = config["heads"], config["hidden"]
    size, (rows, length) = hidden // heads, ids.shape
    kind = w["layers.0.mlp.up.weight"].dtype
    inverse = 1 / 10000 ** (torch.arange(0, size, 2, device="cuda").float() / size)
    angles = torch.outer(torch.arange(length, device="cuda").float(), inverse)
    angles = torch.cat((angles, angles), -1)
    cosine, sine = angles.cos().to(kind), angles.sin().to(kind)
    mask = present[:, None, None, :]

    def norm(x, name):
        return F.layer_norm(x, (hidden,), w[name + ".weight"], w[name + ".bias"], config["norm_epsilon"])

    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w[name + ".bias"])

    def split(v):
        return v.view(rows, length, heads, size).transpose(1, 2)

    def turn(v):
        one, two = v.chunk(2, -1)
        return v * cosine + torch.cat((-two, one), -1) * sine

    x = w["embed.tokens.weight"][ids]
    for i in range(config["layers"]):
        layer = f"layers.{i}."
        y = norm(x, layer + "attention.norm").to(kind)
        q, k, v = (split(linear(y, layer + "attention." + part)) for part in ("query", "key", "value"))
        y = F.scaled_dot_product_attention(turn(q), turn(k), v, attn_mask=mask)
        x = x + linear(y.transpose(1, 2).reshape(rows, length, hidden), layer + "attention.output")
        y = F.gelu(linear(norm(x, layer + "mlp.norm").to(kind), layer + "mlp.up"))
        x = x + linear(y, layer + "mlp.down")
    return norm(x, "final_norm")


def run(folder, precision, seconds):
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    # As ours: norms, the embedding and the sums between layers stay in f32.
    wide = lambda name: "norm" in name or name.startswith("embed.")
    weights = {name: torch.from_numpy(value).cuda().to(torch.float32 if wide(name) else kind)
               for name, value in read(f"{folder}/weights.safetensors").items()}
    tokens = read(f"{folder}/tokens.safetensors")
    batches = list(groups(tokens["tokens"], tokens["offsets"]))
    best, begin = float("inf"), time.time()
    with torch.inference_mode():
        for batch in batches:
            forward(config, weights, *batch)
        while time.time() - begin < float(seconds):
            torch.cuda.synchronize()
            start = time.time()
            for batch in batches:
                forward(config, weights, *batch).cpu()
            best = min(best, time.time() - start)
    print(f"{len(tokens['tokens']) / best:.0f}")


if __name__ == "__main__":
    if not torch.cuda.is_available():
        sys.exit("PyTorch finds no GPU")
    if sys.argv[1] == "run":
        run(*sys.argv[2:])
    else:
        print(torch.__version__)
