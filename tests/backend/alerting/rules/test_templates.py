"""What holds for templates of titles, descriptions, labels and annotations."""

from __future__ import annotations

import math

import pytest

from spanglass_server.alerting.rules.templates.expanding import expand, expand_or_say
from spanglass_server.alerting.rules.templates.nodes import TemplateError
from spanglass_server.alerting.rules.templates.parsing import parse_template
from spanglass_server.alerting.rules.templates.values import Filling, Sample

UP = [Sample({"instance": "b", "job": "x"}, 2.0), Sample({"instance": "a", "job": "x"}, 0.125)]


def asked(promql):
    """The answer of a query."""
    return UP if promql == "up" else []


FILLING = Filling(labels={"instance": "web-1.example:9100", "job": "x"}, value=1234567.5, query=asked)

_TOO_LONG = "reReplaceAll would make more than 20000 characters"

#: Texts were compared with promtool 2.42 where it knows the function.
EXPANDED = {
    "plain } text": "plain } text",
    "{{ $labels.instance }} of {{ .Labels.job }}{{ $labels.none }}": "web-1.example:9100 of x",
    "{{ $value }} {{ .Value }}": "1.2345675e+06 1.2345675e+06",
    "{{ $value | humanize }} {{ humanize 0.00012 }} {{ humanize -5.5 }} {{ humanize 0.0 }}": "1.235M 120u -5.5 0",
    "{{ humanize1024 1536.0 }} {{ humanize1024 0.5 }} {{ humanize1024 2097152.0 }}": "1.5ki 0.5 2Mi",
    "{{ humanizePercentage 0.125 }} {{ 0.99 | humanizePercentage }}": "12.5% 99%",
    "{{ humanizeDuration 3725.0 }} {{ humanizeDuration -90061.0 }}": "1h 2m 5s -1d 1h 1m 1s",
    "{{ humanizeDuration 59.55 }} {{ humanizeDuration 0.0015 }} {{ humanizeDuration 0.0 }}": "59.55s 1.5ms 0s",
    "{{ humanizeTimestamp 1435065584.128 }}": "2015-06-23 13:19:44.128 +0000 UTC",
    '{{ humanize "1500" }}': "1.5k",
    '{{ printf "%.2f|%5s|%-5s|%05d|%v|%q|%x|%e|%t|100%%" $value "a" "b" 42 "c" "d" 255 1.5 true }}': (
        '1234567.50|    a|b    |00042|c|"d"|ff|1.500000e+00|true|100%'
    ),
    '{{ printf "%d %s" 1.5 2 }}{{ printf "%s" }}{{ printf "a" 1 }}': (
        "%!d(float64=1.5) %!s(int=2)%!s(MISSING)a%!(EXTRA int=1)"
    ),
    '{{ if gt $value 1.0 }}big{{ else }}small{{ end }}{{ if eq $labels.job "y" }}y{{ else if true }}x{{ end }}': "bigx",
    '{{ if and (eq $labels.job "x") (not false) }}both{{ end }}{{ or "" "last" }}': "bothlast",
    '{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }} {{ end }}': "a=0.125 b=2 ",
    '{{ range $i, $s := query "up" }}{{ $i }}{{ $s.Labels.instance }}{{ end }}': "0b1a",
    '{{ range query "none" }}x{{ else }}nothing{{ end }}': "nothing",
    '{{ with query "up" }}{{ . | first | value }} {{ (first .).Labels.instance }}{{ end }}': "2 b",
    '{{ with query "up" }}{{ first . | label "job" }}{{ end }}': "x",
    '{{ with $x := query "none" }}x{{ else }}none{{ end }}': "none",
    "{{ range $k, $v := $labels }}{{ $k }}:{{ $v }};{{ end }}": "instance:web-1.example:9100;job:x;",
    "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ end }}{{ $x }}": "2",
    " a {{- /* said */ -}} b {{- $labels.job }}": " abx",
    '{{ "a}}b" }}{{ `c"d` }}': 'a}}bc"d',
    '{{ reReplaceAll "(.*):(.*)" "$2 ${1}" $labels.instance }}': "9100 web-1.example",
    '{{ reReplaceAll "(?P<host>[[:alpha:]]+)-([^(]+).*" "${host}/$2/$3$$" "web-1(x)" }}': "web/1/$",
    '{{ match "^web" $labels.instance }} {{ stripPort $labels.instance }} {{ stripDomain $labels.instance }}': (
        "true web-1.example web-1:9100"
    ),
    '{{ toUpper "a" }}{{ toLower "B" }}{{ title "some words" }}': "AbSome Words",
    '{{ len $labels }} {{ index $labels "job" }} {{ slice "abcd" 1 3 }} {{ print 1 2 "a" }}': "2 x bc 1 2a",
    '{{ parseDuration "1h30m" }} {{ html "<a>" }} {{ urlquery "a b" }} {{ args 1 2 }}': (
        "5400 &lt;a&gt; a+b map[arg0:1 arg1:2]"
    ),
    "{{ $externalURL }}{{ externalURL }}{{ $externalLabels.a }}": "",
    "{{ lt 1 2 }} {{ le 2 2 }} {{ ge 1 2 }} {{ ne 1 2 }}": "true true false true",
}


@pytest.mark.parametrize("text", EXPANDED)
def test_templates_are_filled_in(text):
    """Every part of the language does what Go's templates and Prometheus' functions do."""
    assert expand(text, FILLING) == EXPANDED[text]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none(value):
    """NaN and infinities are written as Go does, whatever humanizes them."""
    text = "{{ $value }} {{ humanize $value }} {{ humanizeDuration $value }} {{ humanize1024 $value }}"
    words = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
    assert set(expand(text, Filling(value=value)).split()) == {words[str(value)]}


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("a {{ $lables.a }}", 5, "the variable $lables is unknown; did you mean '$labels'?"),
        ("{{ if 1 }}", 3, "{{ if }} is never ended; write {{ end }} behind its block"),
        ("{{ end }}", 3, "{{ end }} belongs to nothing; take it out"),
        ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", 23, "a second else; take one of them out"),
        ("{{ humanise $value }}", 3, "there is no function 'humanise'; did you mean 'humanize'?"),
        ("{{ frobnicate }}", 3, "there is no function 'frobnicate'; docs/rule-files.md#templates lists them"),
        ('{{ template "x" }}', 3, "template: named templates are not possible here; write it out"),
        ("{{ $value | 3 }}", 3, "only a function can follow |; such as | humanize"),
        ("{{ $value 3 }}", 3, "only a function takes arguments; put a function first, such as printf"),
        ("{{ ) }}", 4, ") can't stand here; see docs/rule-files.md#templates"),
        ("x {{ .Labels.a", 3, "{{ is never closed; write }} behind it"),
        ("{{ $x = 1 }}", 3, "the variable $x is unknown; write := the first time"),
        ("{{ $value.x := 1 }}", 3, "$value.x can't be given a value; name a variable, such as $x"),
        ("{{ if 1 }}" * 40 + "{{ end }}" * 40, 0, "blocks within blocks, more than 30 deep; "),
    ],
)
def test_what_is_no_template_is_told(text, column, message):
    """Mistakes are found before an alert needs the text, with their place."""
    with pytest.raises(TemplateError) as error:
        parse_template(text)
    assert (f"{error.value.message}; {error.value.hint}", error.value.column) == (message, column)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{{ query "none" | first }}', "first: the query found nothing"),
        ('{{ humanize "many" }}', "'many' is no number"),
        ("{{ .Lables }}", "there is no .Lables"),
        ('{{ printf "%y" 1 }}', "printf has no verb %y here"),
        ("{{ range $value }}{{ end }}", "range goes over samples or labels, not over 1.2345675e+06"),
        ('{{ eq 1 "1" }}', "1 and 1 are of two types, and can't be compared"),
        ('{{ match "(" "a" }}', "'(' is no regular expression: missing ): ("),
        ("{{ len 5 }}", "len: object of type 'int' has no len()"),
        ("{{ humanize 1.0 2.0 }}", "humanize takes 1 argument, not 2"),
        ("{{ eq (args 1) (args 1) }}", "map[arg0:1] can't be compared"),
        (f"{{{{ {'(' * 3000}1{')' * 3000} }}}}", "parentheses within parentheses, too deep"),
        ("{{ " + "9" * 5000 + " }}", "99999999999999999999... has too many digits"),
        ("{{ range $labels }}" * 20 + '{{ query "up" }}' + "{{ end }}" * 20, "it asks more than 100 queries"),
        ("{{ $x := args 1 }}" + "{{ $x = args $x }}" * 3000 + "{{ $x }}", "values within values, too deep"),
        ('{{ $x := print "0123456789" | printf "%900s" }}{{ reReplaceAll "." $x $x }}', _TOO_LONG),
    ],
)
def test_what_fails_is_said_in_the_text(text, message):
    """An alert does not fail by its words: the text says what went wrong."""
    assert expand_or_say(text, FILLING) == f"<error expanding template: {message}>"


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ('{{ $x := "aaaaaaaa" }}' + "{{ $x = print $x $x }}" * 40 + "{{ $x }}", "aaaa"),
        ('{{ $x := "aaaaaaaa" }}' + "{{ $x = args $x $x }}" * 40 + "{{ $x }}", "map[arg0:map[arg0:"),
        ("{{ range $labels }}" * 20 + "x" * 50_000 + "{{ end }}" * 20, "xxxx"),
        ('{{ match "(a|aa)+$" "' + "a" * 60 + 'b" }}', "false"),
        ('{{ "\\ud800" }}{{ printf "%c" 57343 }}', "??"),
    ],
)
def test_a_text_that_grows_is_cut_off(text, begins):
    """Nothing that a rule's author writes takes the memory, or the time, of the thread that evaluates all rules."""
    written = expand_or_say(text, FILLING)
    assert written.startswith(begins)
    assert len(written.encode()) <= 20_000
