"""The peer of train.sh: the same net in PyTorch, trained on the same batches.

train_torch.py FILE.safetensors LAYERS HEADS PRECISION STEPS LEARNING_RATE WARMUP OUT [cpu|cuda]

FILE has first weights and batches (training_batches_bench). Each micro-batch is padded to its longest
sequence, as trainers do; attention (on a GPU scaled_dot_product_attention), AdamW, autocast and schedule
are PyTorch's own. Writes the loss of each step and the seconds of all steps after the first ones: CPU
seconds after two, on a GPU those on the wall after a quarter.
train_torch.py gpu
    prints the GPU's name; exit 1 if PyTorch has none.
"""
import json
import math
import sys
import time

import numpy
import torch
import torch.nn.functional as F

TYPES = {"F32": "<f4", "I32": "<i4"}


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    body = memoryview(data)[8 + size:]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        array = numpy.frombuffer(body[first:last], TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors


class Net(torch.nn.Module):
    def __init__(self, weights, layers, heads):
        super().__init__()
        self.layers, self.heads = layers, heads
        self.names = {name: name.replace(".", "__") for name in weights}
        for name, tensor in weights.items():
            self.register_parameter(self.names[name], torch.nn.Parameter(tensor))

    def w(self, name):
        return getattr(self, self.names[name])

    def linear(self, x, name):
        return F.linear(x, self.w(name + ".weight"), self.w(name + ".bias"))

    def norm(self, x, name):
        # LayerNorm of this PyTorch is many times slower in bf16 than in fp32.
        return F.layer_norm(x.float(), x.shape[-1:], self.w(name + ".weight"), self.w(name + ".bias"))

    def forward(self, tokens, mask, places):
        rows, length = tokens.shape
        x = F.embedding(tokens, self.w("embed.tokens.weight"))
        hidden = x.shape[-1]
        size = hidden // self.heads
        inverse = 1 / 10000 ** (torch.arange(0, size, 2, device=x.device).float() / size)
        angles = torch.outer(torch.arange(length, device=x.device).float(), inverse)
        angles = torch.cat((angles, angles), -1)
        cosine, sine = angles.cos(), angles.sin()
        bias = torch.zeros(rows, 1, 1, length, device=x.device).masked_fill_(~mask[:, None, None, :], -1e9)

        def turn(v):
            one, two = v.chunk(2, -1)
            return v * cosine.to(v.dtype) + torch.cat((-two, one), -1) * sine.to(v.dtype)

        def split(v):
            return v.view(rows, length, self.heads, size).transpose(1, 2)

        for i in range(self.layers):
            layer = f"layers.{i}."
            y = self.norm(x, layer + "attention.norm")
            q, k, v = (split(self.linear(y, layer + "attention." + part)) for part in ("query", "key", "value"))
            if x.is_cuda:
                y = F.scaled_dot_product_attention(turn(q), turn(k), v, attn_mask=mask[:, None, None, :])
            else:
                scores = turn(q * size**-0.5) @ turn(k).transpose(2, 3)
                y = (scores + bias.to(scores.dtype)).softmax(-1) @ v
            y = y.transpose(1, 2).reshape(rows, length, hidden)
            x = x + self.linear(y, layer + "attention.output")
            y = self.linear(self.norm(x, layer + "mlp.norm"), layer + "mlp.up")
            x = x + self.linear(F.gelu(y), layer + "mlp.down")
        x = self.norm(x, "final_norm")[mask][places]
        x = self.norm(F.gelu(self.linear(x, "head.dense")), "head.norm")
        return F.linear(x, self.w("embed.tokens.weight")).float() + self.w("head.bias")


def padded(batch):
    offsets = batch["offsets"].tolist()
    lengths = [b - a for a, b in zip(offsets, offsets[1:])]
    tokens = torch.ones(len(lengths), max(lengths), dtype=torch.long)
    mask = torch.zeros_like(tokens, dtype=torch.bool)
    for row, (first, length) in enumerate(zip(offsets, lengths)):
        tokens[row, :length] = batch["tokens"][first:first + length].long()
        mask[row, :length] = True
    return tokens, mask


def clock(device):
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.time()


def main(path, layers, heads, precision, steps, rate, warmup, out, device="cpu"):
    torch.set_num_threads(1)
    steps, rate, warmup = int(steps), float(rate), int(warmup)
    tensors = read(path)
    weights = {n[len("weights."):]: t for n, t in tensors.items() if n.startswith("weights.")}
    net = Net(weights, int(layers), int(heads)).to(device)
    batches = {}
    for name, tensor in tensors.items():
        if name.startswith("batches."):
            _, step, micro, part = name.split(".")
            batches.setdefault(int(step), {}).setdefault(int(micro), {})[part] = tensor
    decays = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decays, "weight_decay": 0.01},
                                   {"params": others, "weight_decay": 0.0}],
                                  lr=rate, betas=(0.9, 0.98), eps=1e-8)
    losses, seconds = [], 0.0
    untimed = 2 if device == "cpu" else steps // 4
    for step in range(steps):
        begin = clock(device)
        share = (step + 1) / warmup
        if step + 1 > warmup:
            done = (step + 1 - warmup) / max(1, steps - warmup)
            share = 0.1 + 0.45 * (1 + math.cos(math.pi * done))
        for group in optimizer.param_groups:
            group["lr"] = rate * share
        optimizer.zero_grad()
        targets = sum(b["targets"].numel() for b in batches[step].values())
        total = 0.0
        for batch in batches[step].values():
            tokens, mask = (part.to(device) for part in padded(batch))
            with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
                logits = net(tokens, mask, batch["places"].long().to(device))
            loss = F.cross_entropy(logits, batch["targets"].long().to(device), reduction="sum") / targets
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(total)
        if step >= untimed:
            seconds += clock(device) - begin
    with open(out, "w") as file:
        json.dump({"losses": losses, "seconds": seconds, "timed_steps": steps - untimed}, file)


if __name__ == "__main__":
    if sys.argv[1] != "gpu":
        main(*sys.argv[1:])
    elif torch.cuda.is_available():
        print(torch.cuda.get_device_name())
    else:
        sys.exit("PyTorch finds no GPU")
