include:
  - .timezone

ntp:
  pkg.removed: []

systemd-timesyncd:
  pkg.installed:
    - require:
      - pkg: ntp
  service.running:
    - enable: True
    - require:
      - pkg: systemd-timesyncd
      - sls: base.timezone
