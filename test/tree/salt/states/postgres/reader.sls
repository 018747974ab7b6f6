reader:
  postgres_user.present:
    - password: reads-only
    - login: True
    - inherit: True
    - connection_limit: 5

reports:
  postgres_schema.present:
    - dbname: shop
    - owner: shop
    - require:
      - postgres_user: reader

reader privileges:
  postgres_privileges.present:
    - name: reader
    - object_name: ALL
    - object_type: table
    - privileges:
      - SELECT
    - maintenance_db: shop
    - require:
      - postgres_schema: reports
