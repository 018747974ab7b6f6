/etc/motd.tail:
  file.append:
    - sources:
      - salt://examined/first.txt
      - salt://examined/second.txt
    - template: jinja
/etc/app.toml:
  file.serialize:
    - dataset:
        title: app
    - serializer: toml
    - serializer_opts:
      - default_flow_style: False
    - mode: 0o640
/etc/app.conf:
  file.managed:
    - source: salt://examined/first.txt?saltenv=base
    - template: jinja
    - context:
        name: app
    - keep_source: False
    - allow_empty: True
    - watch_in:
      - service: app
app:
  service:
    - running
    - no_block: False
    - require:
      - /etc/app.toml
