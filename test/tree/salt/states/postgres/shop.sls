shop role:
  postgres_user.present:
    - name: shop
    - password: not-so-secret
    - encrypted: scram-sha-256
    - createdb: False
    - superuser: False
    - login: True

shop database:
  postgres_database.present:
    - name: shop
    - owner: shop
    - encoding: UTF8
    - lc_collate: en_US.UTF-8
    - lc_ctype: en_US.UTF-8
    - template: template0
    - require:
      - postgres_user: shop

shop privileges:
  postgres_privileges.present:
    - name: shop
    - object_name: shop
    - object_type: database
    - privileges:
      - ALL
    - require:
      - postgres_database: shop database

postgis:
  postgres_extension.present:
    - maintenance_db: shop
    - require:
      - postgres_database: shop
