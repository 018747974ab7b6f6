/etc/uwsgi/vassals:
  file.directory:
    - user: root
    - group: www-data
    - mode: 750
    - makedirs: True

/etc/systemd/system/uwsgi-emperor.service:
  file.managed:
    - source: salt://uwsgi/files/emperor.service
    - mode: 644

systemctl daemon-reload:
  cmd.wait:
    - watch:
      - file: /etc/systemd/system/uwsgi-emperor.service

uwsgi-emperor:
  service.running:
    - enable: True
    - require:
      - cmd: systemctl daemon-reload
      - file: /etc/uwsgi/vassals
    - watch:
      - file: /etc/systemd/system/uwsgi-emperor.service
