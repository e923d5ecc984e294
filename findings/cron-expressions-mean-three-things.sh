#!/usr/bin/env bash
# One cron expression, three Python libraries, three schedules: weekdays, day and weekday together, the ends of summer time.
#
# Guess:    `0 9 * * 1` is Monday at nine wherever a crontab line is taken, and a daily job runs once a day.
# Instead:  APScheduler's CronTrigger.from_crontab counts weekdays from Monday = 0: it fires on Tuesday, and refuses 7.
#           With a day of the month and a weekday both must hold for APScheduler, either for croniter and cronsim; with
#           `*/2` as the day croniter still takes either, cronsim both, as Vixie's cron does. The daily 02:30 job of
#           Berlin runs twice when summer time ends with APScheduler and croniter, once with cronsim. When it begins,
#           APScheduler's next run is 02:30+01:00, a time that no clock shows; the others say 03:00+02:00.
# Versions: APScheduler 3.11.3, croniter 7.0.0, cronsim 2.8.
# Matters:  a weekly report that moves from crontab into a scheduler's settings comes a day late, and a nightly one twice
#           a year comes twice. What a line means has to be shown as dates before it is kept.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check APScheduler==3.11.3 croniter==7.0.0 cronsim==2.8 tzdata==2025.2

cat > try.py <<'EOF'
from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim

BERLIN = ZoneInfo("Europe/Berlin")


def apscheduler(line, start, count):
    trigger, times, last = CronTrigger.from_crontab(line, BERLIN), [], None
    while len(times) < count:
        last = trigger.get_next_fire_time(last, last or start)
        times.append(last)
    return times


def by_croniter(line, start, count):
    schedule = croniter(line, start)
    return [schedule.get_next(datetime) for _ in range(count)]


def by_cronsim(line, start, count):
    schedule = CronSim(line, start)
    return [next(schedule) for _ in range(count)]


def times(line, start, count, form):
    rows = [[time.strftime(form) for time in by(line, start, count)] for by in (apscheduler, by_croniter, by_cronsim)]
    print(f"{line}, after {start:%a %d %b %Y}")
    for name, row in zip(("APScheduler", "croniter", "cronsim"), rows, strict=True):
        print(f"  {name:12} {', '.join(row)}")
    return rows


sunday = datetime(2026, 11, 29, 12, tzinfo=BERLIN)
assert times("0 9 * * 1", sunday, 2, "%a %d") == [["Tue 01", "Tue 08"], ["Mon 30", "Mon 07"], ["Mon 30", "Mon 07"]]
assert times("0 9 1 * mon", sunday, 3, "%a %d") == [
    ["Mon 01", "Mon 01", "Mon 01"],  # of February, March and November 2027
    ["Mon 30", "Tue 01", "Mon 07"],
    ["Mon 30", "Tue 01", "Mon 07"],
]
assert times("0 9 */2 * mon", sunday, 3, "%a %d") == [
    ["Mon 07", "Mon 21", "Mon 11"],
    ["Mon 30", "Tue 01", "Thu 03"],
    ["Mon 07", "Mon 21", "Mon 11"],
]
autumn, spring = datetime(2026, 10, 24, 12, tzinfo=BERLIN), datetime(2026, 3, 28, 12, tzinfo=BERLIN)
twice = ["25 02:30+0200", "25 02:30+0100"]
assert times("30 2 * * *", autumn, 2, "%d %H:%M%z") == [twice, twice, ["25 02:30+0200", "26 02:30+0100"]]
assert times("30 2 * * *", spring, 1, "%d %H:%M%z") == [["29 02:30+0100"], ["29 03:00+0200"], ["29 03:00+0200"]]
try:
    CronTrigger.from_crontab("0 9 * * 7")
except ValueError as refused:
    print("APScheduler, 0 9 * * 7:", refused)
else:
    raise SystemExit("APScheduler takes 7 now")
EOF
venv/bin/python try.py
echo "As described."
