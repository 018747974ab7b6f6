UTC:
  timezone.system:
    - utc: True

/etc/timezone-note:
  file.managed:
    - contents: The clock of this machine is UTC.
    - require:
      - timezone: UTC
