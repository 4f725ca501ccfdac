"""The exported model's graph around the network, and what a model server needs beside it."""
