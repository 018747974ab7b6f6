old database:
  postgres_database.absent:
    - name: legacy

old role:
  postgres_user.absent:
    - name: legacy
    - require:
      - postgres_database: legacy

/etc/cron.d/legacy-dump: file.absent
