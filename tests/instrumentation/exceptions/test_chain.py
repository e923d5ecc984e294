import json
import linecache
import sys

import pytest
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import TracerProvider

from spanglass.exceptions.chain import ChainReader, shorten, walk
from spanglass.exceptions.reading import NoScrubber
from spanglass.scrubbing.scrubber import Scrubber
from spanglass.settings.table import Settings


def reader(settings=None, scrubber=None, stopwatch=lambda: 1):
    """Make a reader; by default its time for variables never ends."""
    return ChainReader(settings or Settings(), scrubber or NoScrubber(), stopwatch)


def caught(function, *args):
    """Return what a function raises."""
    try:
        function(*args)
    except BaseException as error:  # noqa: BLE001 - some are no Exception
        return error
    raise AssertionError("nothing was raised")


def shape(chain):
    """Return type, relation and parent of each entry."""
    return [(entry["type"], entry["relation"], entry["parent"]) for entry in chain]


def fail(message="broken"):
    """Raise."""
    raise ValueError(message)


def from_cause():
    """Raise with a cause."""
    try:
        fail()
    except ValueError as error:
        raise KeyError("k") from error


def in_context():
    """Raise while another is handled."""
    try:
        fail()
    except ValueError:
        raise KeyError("k")  # noqa: B904 - without a cause, on purpose


def from_none():
    """Raise, and hide what was handled."""
    try:
        fail()
    except ValueError:
        raise KeyError("k") from None


def in_groups():
    """Raise a group with a group in it."""
    try:
        fail("cause")
    except ValueError as error:
        raise ExceptionGroup(
            "all", [TypeError("one"), ExceptionGroup("some", [OSError("two"), ValueError("three")])]
        ) from error


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (fail, [("ValueError", "caught", None)]),
        (from_cause, [("KeyError", "caught", None), ("ValueError", "cause", 0)]),
        (in_context, [("KeyError", "caught", None), ("ValueError", "context", 0)]),
        (from_none, [("KeyError", "caught", None)]),
        (
            in_groups,
            [
                ("ExceptionGroup", "caught", None),
                ("ValueError", "cause", 0),
                ("TypeError", "member", 0),
                ("ExceptionGroup", "member", 0),
                ("OSError", "member", 3),
                ("ValueError", "member", 3),
            ],
        ),
    ],
)
def test_what_led_to_an_exception_is_told(function, expected):
    """Causes, contexts and members of groups stand behind what they belong to; `from None` is respected."""
    assert shape(reader().read(caught(function))) == expected


def test_a_cycle_ends():
    """Exceptions that are each other's cause are told once each."""
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first

    assert [entry["message"] for entry in reader().read(first)] == ["1", "2"]


def test_a_long_chain_keeps_its_beginning_and_its_root():
    """Of thousands of causes the first and the last are told, with how many are between them."""
    error = root = ValueError("root")
    for number in range(500):
        above = ValueError(str(number))
        above.__cause__ = error
        error = above

    chain = reader().read(error)

    assert len(chain) == 16
    assert chain[-1]["message"] == str(root)
    assert chain[11] == {**chain[11], "parent": 10, "left_out": 485, "message": "3"}
    assert [entry["parent"] for entry in chain] == [None, *range(15)]


def test_a_chain_longer_than_is_walked_ends():
    """A chain as long as a retry loop ran is looked at in part."""
    error = ValueError("root")
    for _ in range(5_000):
        above = ValueError()
        above.__context__ = error
        error = above

    assert len(walk(error)) == 1_000
    assert len(shorten(walk(error))) == 16


def test_a_frame_says_where_it_stands():
    """File, line, columns, function and module of each frame, with the lines around it and its variables."""

    def inner(count):
        text = "value"
        raise ValueError(text * count)

    frame = reader(Settings(source_lines=1)).read(caught(inner, 2))[0]["frames"][-1]

    line = inner.__code__.co_firstlineno + 2
    assert frame == {
        "file": "tests/instrumentation/exceptions/test_chain.py",
        "path": __file__,
        "function": "test_a_frame_says_where_it_stands.<locals>.inner",
        "module": __name__,
        "in_app": True,
        "line": line,
        "column": 9,
        "end_line": line,
        "end_column": 39,
        "source": "        raise ValueError(text * count)",
        "before": ['        text = "value"'],
        "after": [""],
        "locals": {"count": "2", "text": "'value'"},
    }


def test_frames_of_libraries_have_neither_variables_nor_windows():
    """Only the application's own frames are shown at length."""
    frames = reader().read(caught(json.loads, "{"))[0]["frames"]

    assert [(frame["module"], frame["in_app"], "locals" in frame, "before" in frame) for frame in frames] == [
        (__name__, True, True, True),
        ("json", False, False, False),
        ("json.decoder", False, False, False),
        ("json.decoder", False, False, False),
    ]
    assert frames[-1]["source"].strip().startswith("obj, end = self.scan_once(")


def test_variables_and_source_can_be_turned_off():
    """With the settings off there are neither variables nor lines around."""
    frame = reader(Settings(capture_locals=False, source_lines=0)).read(caught(fail))[0]["frames"][-1]

    assert {"locals", "before", "after"}.isdisjoint(frame)


def test_frames_of_telemetry_are_left_out():
    """A span around the code that fails adds no frame."""
    tracer = TracerProvider().get_tracer("t")

    def traced():
        with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
            fail()

    functions = [frame["function"] for frame in reader().read(caught(traced))[0]["frames"]]

    assert functions == ["caught", "test_frames_of_telemetry_are_left_out.<locals>.traced", "fail"]


def test_frames_of_telemetry_stay_where_they_failed():
    """An exception that telemetry itself raised is shown with its frames: they are where it happened."""
    error = caught(BoundedAttributes, -1)

    assert reader().read(error)[0]["frames"][-1]["module"].startswith("opentelemetry.")


def test_a_deep_stack_keeps_its_ends():
    """Of a recursion the outermost and the innermost frames are told, with how many are between them."""

    def recurse():
        recurse()

    error = caught(recurse)
    frames = reader().read(error)[0]["frames"]

    assert isinstance(error, RecursionError)
    assert len(frames) == 51
    assert frames[0]["function"] == "caught"
    assert frames[20]["left_out"] > 500
    assert list(frames[20]) == ["left_out"]


def test_the_frames_of_a_chain_are_bounded():
    """Many exceptions with many frames share what one occurrence may have; each keeps at least its innermost one."""

    def recurse(depth):
        if depth:
            recurse(depth - 1)
        fail()

    error = caught(recurse, 40)
    for _ in range(6):
        above = caught(recurse, 40)
        above.__cause__ = error
        error = above

    frames = [[frame for frame in entry["frames"] if "path" in frame] for entry in reader().read(error)]

    assert [len(each) for each in frames] == [43, 43, 34, 1, 1, 1, 1]
    assert {each[-1]["function"] for each in frames} == {"fail"}


def test_notes_and_failing_texts():
    """Notes are told; an exception whose own text fails is told without it."""

    class Mute(Exception):  # noqa: N818 - a name
        """Cannot say what it is."""

        def __str__(self):
            raise RuntimeError("no")

    noted = ValueError("x")
    noted.add_note("try again")
    odd = ValueError("y")
    odd.__notes__ = ["fine", 5, None]

    assert reader().read(noted)[0]["notes"] == ["try again"]
    assert reader().read(odd)[0]["notes"] == ["fine"]
    assert reader().read(Mute())[0]["message"] == "<RuntimeError in its __str__>"


def test_messages_are_bounded_and_valid_text():
    """A message of megabytes is cut, a lone surrogate escaped."""
    assert len(reader().read(ValueError("x" * 10_000_000))[0]["message"]) == 4_096
    assert reader().read(ValueError("\udcff"))[0]["message"] == "\\udcff"


def test_everything_is_scrubbed():
    """Messages, notes, variables and source lines hold no secret; what only looks a little like one stays."""

    def login(author, password):
        api_key = "AKIA1234567890ABCDEF"  # noqa: F841 - a variable of the frame
        error = ValueError(f"password={password} author={author}")
        error.add_note("token=abcdef123456")
        raise error

    entry = reader(scrubber=Scrubber()).read(caught(login, "ann", "hunter2!"))[0]
    frame = entry["frames"][-1]

    assert entry["message"] == "password=[scrubbed: password] author=ann"
    assert entry["notes"] == ["token=[scrubbed: token]"]
    assert frame["locals"]["password"] == "[scrubbed: password]"  # noqa: S105 - what is left of it
    assert frame["locals"]["api_key"] == "[scrubbed: api key]"
    assert frame["locals"]["author"] == "'ann'"
    assert "AKIA1234567890ABCDEF" not in str(entry)


def test_time_for_variables_ends():
    """A slow reading of variables ends after 20 ms: the innermost frames have theirs, the others none."""
    ticks = iter(range(0, 10**12, 6_000_000))

    def outer(first, second):
        fail(first + second)

    frames = reader(stopwatch=lambda: next(ticks)).read(caught(outer, "a", "b"))[0]["frames"]

    assert [sorted(frame.get("locals", {})) for frame in frames] == [[], ["first"], ["message"]]


def test_variables_of_a_module_are_its_values():
    """Of a module's frame its functions, classes and imports are no variables worth telling."""
    code = "import os\nclass A: pass\ndef f(): pass\n__private__ = 1\nnumber = 5\nraise ValueError(number)"

    frame = reader(Settings(in_app_include=("made",))).read(
        caught(exec, compile(code, "<made>", "exec"), {"__name__": "made"})
    )[0]["frames"][-1]

    assert frame["locals"] == {"number": "5"}


def test_a_mapping_of_the_applications_own_is_not_read():
    """A class body may run in a mapping of its metaclass, whose methods are the application's."""

    class Space(dict):
        def items(self):
            pytest.fail("the application's code ran")

    class Meta(type):
        @classmethod
        def __prepare__(cls, *_):
            return Space()

    def make():
        class Made(metaclass=Meta):
            fail()

    frames = reader().read(caught(make))[0]["frames"]

    assert [frame["function"].rpartition(".")[2] for frame in frames] == ["caught", "make", "Made", "fail"]
    assert "locals" not in frames[2]


def test_source_is_read_once(monkeypatch):
    """A place that was seen is not read again, nor is a file without source."""
    asked = []
    real = linecache.getlines
    monkeypatch.setattr(linecache, "getlines", lambda file, names: asked.append(file) or real(file, names))
    code = compile("def missing():\n    raise ValueError\n", "/nowhere/missing.py", "exec")
    names = {"__name__": "missing"}
    exec(code, names)  # noqa: S102 - a file that is not there
    read = reader()

    for _ in range(3):
        frames = read.read(caught(names["missing"]))[0]["frames"]

    assert asked == [__file__, "/nowhere/missing.py"]
    assert "source" not in frames[-1]
    assert frames[-1]["file"] == "missing.py"


def test_recursion_errors_are_told_at_the_edge():
    """An exception is read even where almost no stack is left: what fails then is no worse than the exception."""

    def deep(depth):
        try:
            return deep(depth + 1)
        except RecursionError as error:
            if depth < sys.getrecursionlimit() // 2:
                raise
            return error

    error = deep(0)

    assert shape(reader().read(error))[0] == ("RecursionError", "caught", None)
