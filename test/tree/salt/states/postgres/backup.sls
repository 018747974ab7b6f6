/var/backups/postgres:
  file.directory:
    - user: postgres
    - group: postgres
    - mode: 700

/usr/local/bin/pg-backup:
  file.managed:
    - source: salt://postgres/files/pg-backup
    - mode: 755
    - require:
      - file: /var/backups/postgres

pg-backup:
  cron.present:
    - name: /usr/local/bin/pg-backup
    - user: postgres
    - identifier: pg-backup
    - minute: 10
    - hour: 1
    - require:
      - file: /usr/local/bin/pg-backup

first backup:
  cmd.run:
    - name: /usr/local/bin/pg-backup
    - runas: postgres
    - creates: /var/backups/postgres/latest.dump
    - require:
      - file: /usr/local/bin/pg-backup
