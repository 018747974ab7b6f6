logrotate:
  pkg.installed

/etc/logrotate.d/app:
  file.managed:
    - source: salt://base/files/logrotate-app
    - user: root
    - group: root
    - mode: 644
    - require:
      - pkg: logrotate

/var/log/app:
  file.directory:
    - user: www-data
    - group: adm
    - mode: 750
    - makedirs: True
    - require_in:
      - file: /etc/logrotate.d/app
