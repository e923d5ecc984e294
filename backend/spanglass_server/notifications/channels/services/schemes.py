"""Which services of apprise may be used: those that ask over HTTP, and nothing that reads files or starts programs."""

from __future__ import annotations

from typing import Final

#: Schemes of apprise's URLs by service. Left out are those that do what channels of ours do (mail, webhooks of JSON),
#: reach this machine (syslog, D-Bus), speak other protocols (MQTT, IRC, AMQP), or take URLs of apprise in turn.
SERVICES: Final[dict[str, tuple[str, ...]]] = {
    "46elks": ("46elks", "elks"),
    "Better Stack": ("betterstack",),
    "BulkSMS": ("bulksms",),
    "Cisco Webex": ("wxteams", "webex"),
    "Clickatell": ("clickatell",),
    "ClickSend": ("clicksend",),
    "DingTalk": ("dingtalk",),
    "Discord": ("discord",),
    "Feishu": ("feishu",),
    "FireHydrant": ("firehydrant",),
    "Flock": ("flock",),
    "GoAlert": ("goalert", "goalerts"),
    "Google Chat": ("gchat",),
    "Gotify": ("gotify", "gotifys"),
    "Home Assistant": ("hassio", "hassios"),
    "httpSMS": ("httpsms",),
    "ilert": ("ilert",),
    "incident.io": ("incidentio",),
    "Jira": ("jira",),
    "Lark": ("lark",),
    "Line": ("line",),
    "Matrix": ("matrix", "matrixs"),
    "Mattermost": ("mmost", "mmosts"),
    "MessageBird": ("msgbird",),
    "Microsoft Teams": ("workflow", "workflows"),
    "Nextcloud Talk": ("nctalk", "nctalks"),
    "ntfy": ("ntfy", "ntfys"),
    "Opsgenie": ("opsgenie",),
    "PagerTree": ("pagertree",),
    "Plivo": ("plivo",),
    "Prowl": ("prowl",),
    "Pushbullet": ("pbul",),
    "Pushover": ("pover",),
    "RingCentral": ("ringc",),
    "Rocket.Chat": ("rocket", "rockets"),
    "seven": ("seven",),
    "SIGNL4": ("signl4",),
    "Signal": ("signal", "signals"),
    "Sinch": ("sinch",),
    "Spike.sh": ("spike",),
    "Splunk On-Call": ("splunk", "victorops"),
    "Squadcast": ("squadcast",),
    "Telegram": ("tgram",),
    "Telnyx": ("telnyx",),
    "Threema": ("threema",),
    "Twilio": ("twilio",),
    "Twist": ("twist",),
    "Vonage": ("vonage", "nexmo"),
    "WeCom": ("wecombot",),
    "xMatters": ("xmatters",),
    "Zoho Cliq": ("cliq", "zcliq", "zohocliq"),
    "Zoom": ("zoom",),
    "Zulip": ("zulip",),
}
SCHEMES: Final = frozenset(scheme for schemes in SERVICES.values() for scheme in schemes)


def scheme_of(url: str) -> str:
    """The scheme of a URL, "" if it has none."""
    scheme, separator, _ = url.partition("://")
    return scheme.lower() if separator else ""
