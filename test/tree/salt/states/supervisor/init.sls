supervisor:
  pkg.installed: []
  service.running:
    - enable: True
    - watch:
      - file: /etc/supervisor/conf.d/worker.conf

/etc/supervisor/conf.d/worker.conf:
  file.managed:
    - source: salt://supervisor/files/worker.conf
    - require:
      - pkg: supervisor

/var/log/worker:
  file.directory:
    - user: www-data
    - require_in:
      - service: supervisor

restart worker:
  cmd.run:
    - name: supervisorctl restart worker
    - onchanges:
      - file: /etc/supervisor/conf.d/worker.conf
    - require:
      - service: supervisor
