// Times in the reader's zone, for readouts and tables.

const formats = new Map();

function format(name, style) {
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat("en-GB", { ...style, hourCycle: "h23", timeZone: document.documentElement.dataset.zone || "UTC" }));
  return formats.get(name);
}

const TIME = { hour: "2-digit", minute: "2-digit" };
const day = (ms) => format("day", { day: "numeric", month: "short" }).format(ms);

/** A time in Unix seconds: 14:13, with seconds where the step is short, with the date where it is not today. */
export function momentText(seconds, step = 60) {
  const ms = seconds * 1000;
  const time = step < 60 ? format("second", { ...TIME, second: "2-digit" }).format(ms) : format("minute", TIME).format(ms);
  return day(ms) === day(Date.now()) ? time : `${day(ms)} ${time}`;
}
