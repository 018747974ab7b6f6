cron:
  pkg.installed: []
  service.running:
    - enable: yes
    - require:
      - pkg: cron

/usr/local/bin/backup:
  file.managed:
    - source: salt://base/files/backup.sh
    - mode: 755

backup at night:
  cron.present:
    - name: /usr/local/bin/backup > /dev/null
    - user: root
    - minute: 30
    - hour: 2
    - identifier: backup
    - require:
      - file: /usr/local/bin/backup

/usr/local/bin/old-backup:
  cron.absent:
    - user: root

clear tmp:
  cron.present:
    - name: find /tmp -mtime +7 -delete
    - special: '@daily'
    - comment: tmp is not for keeps
