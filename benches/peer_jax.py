"""The same training steps and evaluation in JAX, as somebody writes them who knows that nothing but the prompt's Gram
matrix matters, and a comparison with the Rust kernels.

From the model's formulas (docs/theory.md, section 1): for linear attention a layer is a product with a matrix of the
Gram matrix G = Z^T Z / N, so scores of N by N tokens are never made. All steps of a round are one jitted program (random
numbers, gradients, clipping, update), so that Python is left out. Covariates are drawn one by one: the Rust kernels draw G itself
as a Wishart matrix, which was tried here too and is slower, for JAX draws chi-squares in loops. In single and
in double precision; `make bench-peer` runs all sides in alternation and prints the medians. `--platform cuda` is
JAX on a GPU beside ours on the processor.
"""

import functools
import sys
import time

import peer
from peer import BATCH, D, NOISE, PAIRS, SHOTS

RATE, MOMENTUM, LONGEST = 0.01, 0.9, 1.0


def libraries(jax, generator):
    """By column's title, kernels by name (see `peer.compare`)."""
    jnp, random = jax.numpy, jax.random

    def model(key, layers, heads, separate, dtype):
        shape = (3 if separate else 2, layers, heads, D + 2, D + 2)
        return 0.05 * random.normal(key, shape, dtype)

    def parts(params):
        """Q^T K (or the merged matrix in its place) and V, each (layers, heads, D + 2, D + 2)."""
        if params.shape[0] == 2:
            return params[0], params[1]
        return jnp.einsum("lhij,lhik->lhjk", params[0], params[1]), params[2]

    def predict(params, gram, query):
        """Last coordinate of the last token; z <- z + (1/H) sum_h z (Q_h^T K_h) G V_h^T, and G with it."""
        scores, value = parts(params)
        heads = value.shape[1]
        for layer in range(value.shape[0] - 1):
            moved = jnp.einsum("hij,bjk,hlk->bil", scores[layer], gram, value[layer], optimize="optimal")
            through = jnp.eye(D + 2, dtype=gram.dtype) + moved / heads
            query = jnp.einsum("bi,bij->bj", query, through)
            gram = jnp.einsum("bji,bjk,bkl->bil", through, gram, through, optimize="optimal")
        asked = jnp.einsum("bi,hij->bhj", query, scores[-1])
        read = jnp.einsum("bij,hj->bhi", gram, value[-1, :, -1])
        return query[:, -1] + (asked * read).sum((1, 2)) / heads

    def predict_alone(params, query):
        """The same of a prompt that is one token z, whose G is z z^T."""
        scores, value = parts(params)
        heads = value.shape[1]
        for layer in range(value.shape[0]):
            attention = (jnp.einsum("bi,hij->bhj", query, scores[layer]) * query[:, None]).sum(-1)
            query = query + jnp.einsum("bh,hij,bj->bi", attention, value[layer], query, optimize="optimal") / heads
        return query[:, -1]

    def tokens(x, y):
        return jnp.concatenate([jnp.ones_like(y)[..., None], x, y[..., None]], -1)

    def of_pairs(pairs):
        """G, the query's token without its label, and the label, of tokens (batch, SHOTS + 1, D + 2)."""
        label = pairs[:, -1, -1]
        query = pairs[:, -1].at[:, -1].set(0)
        shots = pairs[:, :-1]
        # By `einsum` this took 3.5 microseconds a prompt in place of 0.8 (one run, beside a build).
        gram = (shots[:, :, :, None] * shots[:, :, None]).sum(1) + query[:, :, None] * query[:, None]
        return gram / (SHOTS + 1), query, label

    def fresh(key, dtype):
        keys = random.split(key, 3)
        theta = random.normal(keys[0], (BATCH, D), dtype)
        theta /= jnp.linalg.norm(theta, axis=1, keepdims=True)
        x = random.normal(keys[1], (BATCH, SHOTS + 1, D), dtype)
        noise = random.normal(keys[2], (BATCH, SHOTS + 1), dtype)
        return of_pairs(tokens(x, jnp.einsum("bnd,bd->bn", x, theta) + NOISE * noise))

    def squared(predicted, label):
        return ((predicted - label) ** 2).mean()

    def training(dtype, layers, heads, separate, objective):
        keys = random.split(random.key(0, impl=generator), 5)
        x = random.normal(keys[0], (PAIRS, D), dtype)
        theta = random.normal(keys[1], (D,), dtype)
        noise = NOISE * random.normal(keys[2], (PAIRS,), dtype)
        data = tokens(x, x @ (theta / jnp.linalg.norm(theta)) + noise)

        def loss(params, key, data):
            if objective == "pretraining":
                gram, query, label = fresh(key, dtype)
                return squared(predict(params, gram, query), label)
            if objective == "ZS":
                pairs = data[random.randint(key, (BATCH,), 0, PAIRS)]
                label, query = pairs[:, -1], pairs.at[:, -1].set(0)
                return squared(predict_alone(params, query), label)
            gram, query, label = of_pairs(data[random.randint(key, (BATCH, SHOTS + 1), 0, PAIRS)])
            return squared(predict(params, gram, query), label) + squared(predict_alone(params, query), label)

        def step(_, state):
            params, velocity, key, data = state
            key, drawn = random.split(key)
            gradient = jax.grad(loss)(params, drawn, data)
            gradient *= jnp.minimum(1, LONGEST / (jnp.sqrt((gradient**2).sum()) + 1e-6))
            velocity = MOMENTUM * velocity + gradient
            return params - RATE * velocity, velocity, key, data

        params = model(keys[3], layers, heads, separate, dtype)
        return step, (params, jnp.zeros_like(params), keys[4], data)

    def evaluation(dtype):
        keys = random.split(random.key(0, impl=generator), peer.EVALUATED + 1)
        models = [model(key, 1, 1, False, dtype) for key in keys[1:]]

        def step(_, state):
            total, key = state
            key, drawn = random.split(key)
            gram, query, label = fresh(drawn, dtype)
            return total + jnp.stack([squared(predict(params, gram, query), label) for params in models]), key

        return step, (jnp.zeros(peer.EVALUATED, dtype), keys[0])

    def kernel(dtype, name):
        if name == peer.EVALUATION:
            step, start = evaluation(dtype)
        else:
            objective, shape = name.split(", ", 1)
            step, start = training(dtype, *peer.SHAPES[shape], objective)

        @functools.partial(jax.jit, static_argnums=0)
        def steps(many, state):
            return jax.lax.fori_loop(0, many, step, state)

        def seconds(many):
            jax.block_until_ready(steps(many, start))
            began = time.perf_counter()
            jax.block_until_ready(steps(many, start))
            return (time.perf_counter() - began) / many

        return seconds

    precisions = {"JAX f32": jnp.float32, "JAX f64": jnp.float64}
    return {title: functools.partial(kernel, dtype) for title, dtype in precisions.items()}


def main():
    args = peer.arguments(__doc__, platforms=["cuda"])
    try:
        import jax
    except ImportError:
        sys.exit("bench-peer needs JAX: `python3 -m pip install jax`, then again (PYTHON=... picks the interpreter)")
    jax.config.update("jax_platforms", args.platform)
    jax.config.update("jax_enable_x64", True)
    # The faster of its generators on a processor.
    generator = "unsafe_rbg"
    where = jax.devices()[0].device_kind
    peer.compare(args, f"JAX {jax.__version__} on {where}, jitted, Gram form, {generator}", libraries(jax, generator))


if __name__ == "__main__":
    main()
