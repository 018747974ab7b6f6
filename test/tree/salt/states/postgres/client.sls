postgresql-client:
  pkg.installed: []

/root/.pgpass:
  file.managed:
    - contents: "db1:5432:*:shop:not-so-secret"
    - mode: 600
    - show_changes: False

db answers:
  cmd.run:
    - name: psql -h db1 -U shop -c 'select 1' shop
    - unless: 'true'
    - require:
      - pkg: postgresql-client
      - file: /root/.pgpass
