monit:
  pkg:
    - installed
  service:
    - running
    - enable: True
    - watch:
      - file: /etc/monit/conf.d/*

/etc/monit/conf.d/nginx:
  file:
    - managed
    - source: salt://monit/files/nginx
    - require:
      - pkg: monit

/etc/monit/conf.d/disk:
  file:
    - managed
    - source: salt://monit/files/disk
    - require:
      - pkg: monit
