mariadb-server:
  pkg.installed

mariadb:
  service.running:
    - enable: True
    - require:
      - pkg: mariadb-server
    - watch:
      - file: /etc/mysql/mariadb.conf.d/99-local.cnf

/etc/mysql/mariadb.conf.d/99-local.cnf:
  file.managed:
    - source: salt://mysql/files/local.cnf
    - user: root
    - group: root
    - mode: 644
    - require:
      - pkg: mariadb-server
