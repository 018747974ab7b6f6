/etc/motd:
  file.managed:
    - source: salt://base/files/motd
    - user: root
    - group: root
    - mode: 0644

/etc/issue.net:
  file.managed:
    - contents:
      - Authorized users only.
      - All activity is logged.
    - mode: 644

/etc/update-motd.d/10-help-text:
  file.absent
