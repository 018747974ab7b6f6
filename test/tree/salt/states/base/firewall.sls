ufw:
  pkg.installed: []

allow ssh:
  cmd.run:
    - name: ufw allow 22/tcp
    - unless: ufw status | grep -q '^22/tcp'
    - require:
      - pkg: ufw

allow web:
  cmd.run:
    - names:
      - ufw allow 80/tcp
      - ufw allow 443/tcp
    - unless: ufw status | grep -q '^443/tcp'
    - require:
      - cmd: allow ssh

ufw --force enable:
  cmd.run:
    - unless: 'ufw status | grep -q "Status: active"'
    - order: last
