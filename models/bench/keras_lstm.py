#!/usr/bin/env python3
"""keras_lstm.py WEIGHTS TEXT: what an LSTM language model in Keras' HDF5 says comes next, in NumPy.

Prints, for each token of TEXT (behind the begin token G), the three likeliest next tokens and
their probabilities: the second opinion of models/tests/keras_test.cpp. Needs h5py and NumPy.
"""
import sys

import h5py
import numpy as np

SYMBOLS = ("Li Na Al Si Cl Sc Zn As Se Br Sn Te Cn H B C N O F P S K V I "
           "( ) [ ] = # % 0 1 2 3 4 5 6 7 8 9 + - se te c n o s G A E").split()


def tokens(text):
    numbers, at = [SYMBOLS.index("G")], 0
    while at < len(text):
        number = next(i for i, symbol in enumerate(SYMBOLS) if text.startswith(symbol, at))
        numbers.append(number)
        at += len(SYMBOLS[number])
    return numbers


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(inputs, kernel, recurrent, bias):
    units = recurrent.shape[0]
    state, cell, states = np.zeros(units), np.zeros(units), []
    for x in inputs:
        i, f, g, o = np.split(x @ kernel + state @ recurrent + bias, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        state = sigmoid(o) * np.tanh(cell)
        states.append(state)
    return np.array(states)


def main():
    path, text = sys.argv[1:]
    layers = []
    with h5py.File(path) as file:
        for layer in file.attrs["layer_names"]:
            group = file[layer]
            layers.append([np.array(group[name], dtype=np.float64) for name in group.attrs["weight_names"]])
    numbers = tokens(text)
    x = np.eye(len(SYMBOLS))[numbers]
    for weights in layers[:-1]:
        x = lstm(x, *weights)
    logits = x @ layers[-1][0] + layers[-1][1]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    for number, row in zip(numbers, shares):
        best = np.argsort(-row)[:3]
        print(number, *(f"{b} {row[b]:.7f}" for b in best))


main()
