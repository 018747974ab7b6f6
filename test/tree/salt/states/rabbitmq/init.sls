rabbitmq-server:
  pkg.installed: []
  service.running:
    - enable: True
    - require:
      - pkg: rabbitmq-server

rabbitmq user:
  cmd.run:
    - name: rabbitmqctl add_user shop shop-password
    - unless: rabbitmqctl list_users | grep -q ^shop
    - require:
      - service: rabbitmq-server

rabbitmq vhost:
  cmd.run:
    - name: rabbitmqctl add_vhost /shop
    - unless: rabbitmqctl list_vhosts | grep -q ^/shop
    - require:
      - service: rabbitmq-server

rabbitmq permissions:
  cmd.run:
    - name: rabbitmqctl set_permissions -p /shop shop '.*' '.*' '.*'
    - onchanges_any:
      - cmd: rabbitmq user
      - cmd: rabbitmq vhost

rabbitmq-plugins enable rabbitmq_management:
  cmd.run:
    - unless: rabbitmq-plugins list -e | grep -q rabbitmq_management
    - require:
      - pkg: rabbitmq-server
    - watch_in:
      - service: rabbitmq-server
