"""What is timed, as ratios measured side by side in one run; never part of the tests.

    make bench                          all of them, some 40 minutes on two quiet cores
    make bench ONLY="structure video"   some of them
    python -m benchmarks.structure      one alone, with options of its own (--help)

Every module here is a benchmark but those with a leading underscore. A benchmark prints what it
found for people and reports it through `benchmarks._records`:

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    records.add("two workers, to one", alone / together, "ratio", at_least=1.6)
    return records.status

A "ratio" is of two times taken in turns in one run, so that it says the same on another machine;
seconds and megabytes go with it for orientation. Figures with a bound are promises: one that is
missed fails the benchmark. Where the machine lacks what is to be measured, `Records.skip` says so.
"""

import wbc_tf  # noqa: F401  # before TensorFlow, see its docstring
