"""A model of `transformers` that computes in f64 throughout.

In a model of f64 the library still has rotary positions, norms and eager attention's softmax in f32. Here the first two are replaced;
attention must be PyTorch's own (`sdpa`). Does not know what is compared.
"""

import torch


class Norm(torch.nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.weight, self.epsilon = norm.weight, norm.variance_epsilon

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon)


class Rotary(torch.nn.Module):
    """Cosines and sines in f64."""

    def __init__(self, config):
        super().__init__()
        size = config.head_dim
        self.turns = config.rope_theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)

    def forward(self, x, position_ids):
        angles = position_ids[..., None].double() * self.turns
        angles = torch.cat([angles, angles], -1)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)


def replace(model):
    """Of a model of the Llama or Qwen2 family, in place."""
    model.model.rotary_emb = Rotary(model.config)
    for module in [model.model, *model.model.layers]:
        for name, child in list(module.named_children()):
            if name.endswith("norm"):
                setattr(module, name, Norm(child))
