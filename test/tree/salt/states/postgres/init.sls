postgresql:
  pkg.installed:
    - pkgs:
      - postgresql-15
      - postgresql-contrib
  service.running:
    - enable: True
    - require:
      - pkg: postgresql
    - watch:
      - file: /etc/postgresql/15/main/pg_hba.conf

/etc/postgresql/15/main/pg_hba.conf:
  file.managed:
    - source: salt://postgres/files/pg_hba.conf
    - user: postgres
    - group: postgres
    - mode: 640
    - require:
      - pkg: postgresql

/etc/postgresql/15/main/conf.d/tuning.conf:
  file.managed:
    - contents: |
        shared_buffers = 1GB
        work_mem = 16MB
    - user: postgres
    - group: postgres
    - require:
      - pkg: postgresql
    - watch_in:
      - service: postgresql
