wiki:
  mysql_database.present:
    - character_set: utf8mb4
    - collate: utf8mb4_unicode_ci
  mysql_user.present:
    - host: localhost
    - password: wiki-password
    - require:
      - mysql_database: wiki
  mysql_grants.present:
    - grant: all privileges
    - database: wiki.*
    - user: wiki
    - host: localhost
    - require:
      - mysql_user: wiki
