stop traffic:
  cmd.run:
    - name: /usr/local/bin/drain
    - prereq:
      - file: /opt/app/version

/opt/app/version:
  file.managed:
    - contents: '7'
    - makedirs: True

/opt/app/settings:
  file.managed:
    - contents: a=1
    - makedirs: True
    - prereq_in:
      - cmd: back up

back up:
  cmd.run:
    - name: cp /opt/app/settings /opt/app/settings.old
    - onlyif: test -e /opt/app/settings
