"""Write the log files that the Collector reads: JSON lines, klog lines, plain text with a stack trace."""
import datetime, json, pathlib, sys
FOLDER = pathlib.Path(sys.argv[1])
now = datetime.datetime.now(datetime.UTC)
def at(ms): return now + datetime.timedelta(milliseconds=ms - 1000)
lines = [
    {"time": at(0), "level": "info", "msg": "order came in", "order": {"id": 17, "total": 3.5, "items": ["tea", "cup"]}, "user": None},
    {"time": at(120), "level": "warning", "msg": "stock is low", "order": {"id": 17}, "left": 2},
    {"time": at(250), "level": "error", "msg": "payment failed", "order": {"id": 18}, "error": {"type": "Declined", "message": "card was declined"}},
    {"time": at(251), "level": "critical", "order": {"id": 18}, "event": "gave up"},
]
text = [json.dumps({**line, "time": line["time"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"}) for line in lines]
(FOLDER / "app.json.log").write_text("\n".join([*text, "not JSON at all"]) + "\n")
def klog(level, ms, source, msg): return f"{level}{at(ms):%m%d %H:%M:%S.%f}    4711 {source}] {msg}"
(FOLDER / "klog.log").write_text("\n".join([
    klog("I", 10, "controller.go:116", '"Starting" controller="orders"'),
    klog("W", 20, "reflector.go:561", "watch of *v1.Order ended with: too old resource version"),
    klog("E", 30, "server.go:301", "Unhandled error: panic in handler\ngoroutine 7 [running]:\nmain.handler()\n\t/src/server.go:301 +0x1d"),
    klog("F", 40, "main.go:44", "cannot go on")]) + "\n")
(FOLDER / "plain.log").write_text("""ERROR could not read the price list
Traceback (most recent call last):
  File "prices.py", line 7, in load
    open(path)
FileNotFoundError: [Errno 2] No such file or directory: 'prices.csv'
12:00:01 SEVERE something else
plain words
end
""")
