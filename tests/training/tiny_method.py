"""A method small enough to train in milliseconds: it learns one colour."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.training.method import Phase


class TinyMethod:
    """Fits a 1x1 convolution to noisy batches that are a pure function of (seed, step)."""

    name = "tiny"
    batch_size = 2

    def __init__(self, *, warm_steps=3, main_steps=5, seed=0, filters=3, poison_step=None):
        self.layer = tf.keras.layers.Conv2D(filters, 1, name="fit")
        self.layer.build([None, 4, 6, 3])
        for variable, value in zip(self.layer.variables, (0.5, 0.0)):
            variable.assign(tf.fill(variable.shape, value))
        self.optimizers = [tf.keras.optimizers.Adam(1e-2, use_ema=True) for _ in range(2)]
        for optimizer in self.optimizers:
            optimizer.build(self.layer.trainable_variables)
        self.steps = (warm_steps, main_steps)
        self.seed = seed
        self.poison_step = poison_step
        self.traces = {"warm": 0, "main": 0}

    def phases(self):
        return [
            Phase("warm", self.steps[0], lambda batch, step: self._step("warm", batch, step)),
            Phase("main", self.steps[1], lambda batch, step: self._step("main", batch, step)),
        ]

    def _step(self, phase, batch, step):
        self.traces[phase] += 1
        optimizer = self.optimizers[phase == "main"]
        noise = tf.random.stateless_normal([], [self.seed, tf.cast(step, tf.int32)]) / 10
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.layer(batch["photo"]) - batch["photo"] - noise) ** 2)
            if self.poison_step is not None:
                loss *= tf.where(step == self.poison_step, float("nan"), 1.0)
        gradients = tape.gradient(loss, self.layer.trainable_variables)
        optimizer.apply_gradients(zip(gradients, self.layer.trainable_variables))
        return {"fit": loss, "steady": tf.constant(1.0)}

    def state(self):
        warm, main = self.optimizers
        return {"layer": self.layer, "warm_optimizer": warm, "main_optimizer": main}

    def batches(self, *, start_step, context=None):
        """Whole batches, or of two workers each one's row."""
        first, last = 0, self.batch_size
        if context is not None and context.num_input_pipelines == 2:
            first, last = context.input_pipeline_id, context.input_pipeline_id + 1

        def batch(step):
            seed = tf.stack([tf.constant(self.seed, tf.int64), step])
            whole = tf.random.stateless_uniform([self.batch_size, 4, 6, 3], seed, -1, 1)
            return {"photo": whole[first:last]}

        return tf.data.Dataset.counter(start_step).map(batch)

    def sample_photos(self):
        return tf.zeros([2, 4, 6, 3])

    def sample(self, photos):
        return {"photo": photos, "output": self.layer(photos)[..., :3]}

    def averaged_generator(self):
        return self.layer
