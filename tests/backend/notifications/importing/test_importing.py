"""Files of Alertmanager as settings of ours."""

from __future__ import annotations

import yaml

from spanglass_server.notifications.channels.kinds import channel_kinds
from spanglass_server.notifications.config.channels import channel_section
from spanglass_server.notifications.config.routes import route_sections
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.importing.reading import imported

SECTIONS = Sections([channel_section(channel_kinds()), *route_sections()])
THEIRS = """\
global:
  smtp_smarthost: smtp.example.com:587
  smtp_from: alerts@example.com
  smtp_auth_username: alerts
  smtp_auth_password_file: /run/secrets/smtp
  slack_api_url_file: /run/secrets/slack
templates: ['*.tmpl']
route:
  receiver: everybody
  group_by: [alertname, cluster]
  repeat_interval: 1d
  routes:
    - matchers: [team="db", severity=~"page|critical"]
      receiver: Database people
      continue: true
      mute_time_intervals: [out of office]
    - match_re: {service: a|b}
      receiver: 'null'
      group_wait: 0s
receivers:
  - name: everybody
    email_configs:
      - to: ann@example.com, bob@example.com
        html: '{{ template "x" . }}'
  - name: Database people
    pagerduty_configs:
      - {routing_key: r0uting, description: d}
    slack_configs:
      - {channel: '#db', send_resolved: true}
    webhook_configs:
      - url: https://example.com/hook
        http_config: {basic_auth: {username: u, password: p4ss}, tls_config: {insecure_skip_verify: true}}
    telegram_configs:
      - {chat_id: -100, bot_token: '1:t', parse_mode: HTML}
    victorops_configs:
      - {routing_key: x}
  - name: elsewhere
    wechat_configs: [{agent_id: x}]
  - name: 'null'
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_match: {severity: warning}
    target_match_re: {service: a|b}
    equal: [alertname]
mute_time_intervals:
  - name: out of office
    time_intervals:
      - times: [{start_time: '00:00', end_time: '08:00'}]
        weekdays: ['monday:friday']
        location: Europe/Berlin
      - weekdays: [saturday, sunday]
"""
OURS = """\
monitoring:
  channels:
    everybody:
      type: email
      smtp_server: smtp.example.com:587
      from: alerts@example.com
      to: [ann@example.com, bob@example.com]
      username: alerts
      password: {file: /run/secrets/smtp}
      tls: starttls
      send_resolved: false
    Database-people-pagerduty: {type: pagerduty, routing_key: r0uting}
    Database-people-slack: {type: slack, webhook_url: {file: /run/secrets/slack}}
    Database-people-webhook:
      {type: webhook, url: https://example.com/hook, format: alertmanager, username: u, password: p4ss, verify: false}
    Database-people-telegram: {type: telegram, bot_token: '1:t', chat: '-100'}
  notifications:
    route:
      channels: [everybody]
      group_by: [alertname, cluster]
      repeat_interval: 1d
      routes:
        - match: ['team="db"', 'severity=~"page|critical"']
          channels:
            - Database-people-pagerduty
            - Database-people-slack
            - Database-people-webhook
            - Database-people-telegram
          continue: true
          mute_during: [out-of-office]
        - match: ['service=~"a|b"']
          channels: [nobody]
          group_wait: 0s
    inhibitions:
      - source: ['severity="critical"']
        target: ['severity="warning"', 'service=~"a|b"']
        equal: [alertname]
    intervals:
      out-of-office:
        - {times: ['00:00-08:00'], weekdays: ['monday:friday'], location: Europe/Berlin}
        - {weekdays: [saturday, sunday]}
"""


def test_a_file_becomes_settings_and_what_is_left_out_is_told() -> None:
    """Receivers are channels, with defaults and secrets; routes, inhibitions and intervals mean the same."""
    taken = imported(THEIRS, "am.yml", SECTIONS)
    assert taken.problems == ()
    assert yaml.safe_load(taken.yaml) == yaml.safe_load(OURS)
    assert [str(note) for note in taken.notes] == [
        (
            "am.yml:23:9: receivers[0].email_configs[0]: left out: html; "
            "texts are templates of Jinja2 here: title, text and html of the channel"
        ),
        (
            "am.yml:27:9: receivers[1].pagerduty_configs[0]: left out: description; "
            "texts are templates of Jinja2 here: title, text and html of the channel"
        ),
        (
            "am.yml:29:9: receivers[1].slack_configs[0]: the webhook writes to the conversation that it was made for, "
            "not to #db; give a bot_token and the channel, if it is to be another one"
        ),
        "am.yml:34:9: receivers[1].telegram_configs[0]: left out: parse_mode",
        (
            "am.yml:36:7: receivers[1].victorops_configs: victorops_configs are left out; "
            "make a channel for it, see docs/channels.md"
        ),
        (
            "am.yml:38:21: receivers[2].wechat_configs: wechat_configs are left out; "
            "make a channel for it, see docs/channels.md"
        ),
        "am.yml:37:11: receivers[2].name: nobody is told through 'elsewhere' until it has a channel",
        "am.yml:1:1: templates are left out; texts are templates of Jinja2 here, see docs/messages.md",
    ]


def test_what_is_wrong_is_told_with_its_line_there() -> None:
    """Names that lead nowhere, keys that there are not, and channels that would be wrong: nothing is taken over."""
    wrong = {
        "receiver: 'null'": "receiver: nul",
        "routes:\n": "routs:\n",
        "mute_time_intervals: [out": "mute_time_intervals: [outt",
        "wechat_configs": "wechatt_configs",
    }
    said = []
    for before, after in wrong.items():
        taken = imported(THEIRS.replace(before, after, 1), "am.yml", SECTIONS)
        said += [taken.yaml, *map(str, taken.problems)]
    assert said == [
        "",
        "am.yml:18:17: route.routes[1].receiver: there is no receiver 'nul'; did you mean 'null'?",
        "",
        "am.yml:12:3: route.routs: unknown key 'routs'; did you mean 'routes'?",
        "",
        "am.yml:13:7: route.routes[0]: there is no time interval 'outt of office'; did you mean 'out of office'?",
        "",
        "am.yml:38:5: receivers[2].wechatt_configs: unknown key 'wechatt_configs'; did you mean 'wechat_configs'?",
    ]
    mail = imported(THEIRS.replace("smtp.example.com:587", "smtp://example.com"), "am.yml", SECTIONS)
    assert [str(problem) for problem in mail.problems] == [
        (
            "am.yml: monitoring.channels.everybody.smtp_server: 'smtp://example.com' is no mail server; "
            "write smtp.example.com:587, without smtp://"
        )
    ]
