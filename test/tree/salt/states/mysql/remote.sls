reports account:
  mysql_user.present:
    - name: reports
    - host: '10.0.0.%'
    - password: reports-password
    - connection_host: localhost
    - connection_user: root
    - connection_charset: utf8

reports may read:
  mysql_grants.present:
    - grant: select,lock tables
    - database: wiki.*
    - user: reports
    - host: '10.0.0.%'
    - require:
      - mysql_user: reports account

anonymous:
  mysql_user.absent:
    - name: guest
    - host: localhost

test:
  mysql_database.absent: []
