aws config:
  file.directory:
    - name: /home/elife/.aws
    - user: elife
    - mode: 700

aws credentials:
  file.managed:
    - name: /home/elife/.aws/credentials
    - source: salt://elife/files/aws-credentials
    - user: elife
    - mode: 600
    - show_changes: False
    - require:
      - file: aws config

queue watcher:
  file.managed:
    - name: /lib/systemd/system/queue-watch.service
    - source: salt://elife/files/queue-watch.service
    - require:
      - aws credentials

queue watcher service:
  service.running:
    - name: queue-watch
    - enable: True
    - init_delay: 1
    - watch:
      - file: queue watcher

stop old watchers:
  service.dead:
    - names:
      - queue-watch@1
      - queue-watch@2
    - require_in:
      - file: queue watcher
