restic: pkg.installed

/etc/restic:
  file.directory:
    - mode: 700

/etc/restic/password:
  file.managed:
    - contents: a-long-password
    - mode: 400
    - show_changes: False
    - require:
      - file: /etc/restic

restic init:
  cmd.run:
    - name: restic -r /srv/backup --password-file /etc/restic/password init
    - creates: /srv/backup/config
    - require:
      - pkg: restic
      - file: /etc/restic/password

nightly restic:
  cron.present:
    - name: restic -r /srv/backup --password-file /etc/restic/password backup /srv/data
    - identifier: restic
    - hour: 1
    - minute: random
    - require:
      - cmd: restic init
